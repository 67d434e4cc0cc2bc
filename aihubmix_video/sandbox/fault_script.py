"""The script of faults: which request meets which fault, and what the fault makes of its answer."""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.video.media import Media

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aihubmix_video.sandbox.faults import Fault
    from aihubmix_video.sandbox.http_format import RenderedResponse
    from aihubmix_video.sandbox.routing import Route


@attrs.frozen
class Seen:
    """What is known of a request when faults are chosen."""

    route: Route | None
    video_id: str | None
    model: str | None
    reused: bool
    unread: bool


@attrs.frozen
class Strike:
    """A fault that strikes, for the *number*-th time, from 0."""

    fault: Fault
    number: int

    def edit(self, reply: RenderedResponse) -> RenderedResponse:
        """Change a reply as the fault says."""
        if self.fault.fields is not None:
            reply = attrs.evolve(reply, body=Media((_edited(reply.body.read(), self.fault.fields),)))
        if self.fault.headers:
            number = str(self.number)
            reply = reply.with_headers((name, text.replace("{n}", number)) for name, text in self.fault.headers)
        return reply


@attrs.define
class ScriptEntry:
    """A fault of the script, and how often it was met and struck."""

    fault: Fault
    met: int = 0
    struck: int = 0
    since: float | None = None

    def strike(self, seen: Seen, now: float, draw: float) -> Strike | None:
        """Strike if this request is one of those meant."""
        if not _means(self.fault, seen) or not self._lasts(now):
            return None
        self.met += 1
        if self.met <= self.fault.skip or (self.fault.probability is not None and draw >= self.fault.probability):
            return None
        self.struck += 1
        self.since = now if self.since is None else self.since
        return Strike(self.fault, self.struck - 1)

    def _lasts(self, now: float) -> bool:
        fault = self.fault
        if fault.times is not None and self.struck >= fault.times:
            return False
        return fault.lasting is None or self.since is None or now < self.since + fault.lasting


@attrs.define
class FaultScript:
    """The faults of a sandbox, in order."""

    entries: list[ScriptEntry] = attrs.field(factory=list)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def add(self, *faults: Fault) -> None:
        """Add faults behind those there are."""
        self.entries.extend(map(ScriptEntry, faults))

    def clear(self) -> None:
        """End all faults."""
        self.entries.clear()

    def struck(self) -> Sequence[int]:
        """Return how often each fault has struck, in the order in which they were added."""
        return [entry.struck for entry in self.entries]

    def find(self, seen: Seen, *, now: float, draw: float) -> Strike | None:
        """Return the fault that strikes this request, if any."""
        for entry in self.entries:
            strike = entry.strike(seen, now, draw)
            if strike is not None:
                return strike
        return None


def _means(fault: Fault, seen: Seen) -> bool:
    if fault.unread != seen.unread:
        return False
    pairs = ((fault.route, seen.route), (fault.model, seen.model), (fault.video_id, seen.video_id))
    return all(wanted is None or wanted == has for wanted, has in pairs) and fault.reused in {None, seen.reused}


def _edited(body: bytes, fields: Mapping[str, object]) -> bytes:
    """Change a JSON object; anything else is left as it is."""
    try:
        value = loads(body)
    except ValueError:
        return body
    if not isinstance(value, dict):
        return body
    kept = {**value, **fields}
    return dumps({name: field for name, field in kept.items() if field is not ...}).encode()
