"""One job at the gateway: where it stands at a given moment, and how each dialect says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.json_bytes import json_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.sandbox.vendors.vendor import Order, Vendor


@attrs.define(kw_only=True, eq=False)
class SandboxJob:
    """A job that was accepted, and so bought.

    Attributes:
        id: The id the gateway gave out.
        number: Position among the jobs of this sandbox, from 0.
        order: What is being made.
        vendor: Who makes it.
        created: When it was accepted, in seconds on the sandbox's clock; also `starts`, `ends` and `expires`.
        epoch: Unix time at zero of that clock.
        fails: Whether it ends as failed, with `error` as the vendor's words.
        waiting_word: What the status reads until it starts: ``queued`` or ``processing``.
        url: What a finished job of the flat dialect says of its content, or None.
        deleted: Whether it was deleted.
    """

    id: str
    number: int
    order: Order
    vendor: Vendor
    created: float
    starts: float
    ends: float
    expires: float
    epoch: float
    fails: bool
    error: Mapping[str, str] | str | None
    waiting_word: str
    url: str | None
    deleted: bool = False
    _described: tuple[str, int, bytes] = ("", 0, b"")

    def status(self, now: float) -> str:
        """Return where the job stands at *now*."""
        if now < self.starts:
            return self.waiting_word
        if now < self.ends:
            return "in_progress"
        return "failed" if self.fails else "completed"

    def progress(self, now: float) -> int:
        """Return how far the job is at *now*, in percent; below 100 until it has ended."""
        if now < self.starts:
            return 0
        return 100 if now >= self.ends else int(100 * (now - self.starts) / (self.ends - self.starts))

    def describe(self, now: float, *, just_created: bool = False) -> bytes:
        """Write the job as JSON in its vendor's dialect. The text of the last moment is kept: polls are many."""
        status = self.status(now)
        progress = self.progress(now) if self.vendor.progress else 0
        if self._described[0] != status or self._described[1] != progress:
            write = self._openai if self.vendor.dialect == "openai" else self._flat
            self._described = (status, progress, json_bytes(write(status, progress, just_created=just_created)))
        return self._described[2]

    def _openai(self, status: str, progress: int, *, just_created: bool) -> dict[str, object]:
        order = self.order
        said: dict[str, object] = {
            "id": self.id,
            "object": "video",
            "created_at": self._unix(self.created),
            "status": status,
        }
        if status == "completed":
            said |= {"completed_at": self._unix(self.ends), "expires_at": self._unix(self.expires)}
        said |= {"model": order.model, "progress": progress, "prompt": order.prompt}
        said |= {"seconds": str(order.seconds), "size": f"{order.width}x{order.height}"}
        if status == "failed":
            said["error"] = self.error
        elif not just_created:
            said["error"] = None
        return said

    def _flat(self, status: str, progress: int, *, just_created: bool) -> dict[str, object]:
        order = self.order
        said: dict[str, object] = {"id": self.id, "object": "video"}
        if just_created:
            said["created"] = self._unix(self.created)
        said |= {"model": order.model, "status": status}
        if just_created:
            said["prompt"] = order.prompt
        if self.vendor.progress:
            said["progress"] = progress
        said |= {"duration": order.seconds, "width": order.width, "height": order.height}
        url = self.url if status == "completed" else None
        return said | {"url": url, "error": self.error if status == "failed" else None}

    def _unix(self, moment: float) -> int:
        return int(self.epoch + moment)
