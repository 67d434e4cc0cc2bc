"""What really arrived: the truth that tests compare a client's own account with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.sandbox.routing import Route


@attrs.frozen
class LoggedRequest:
    """One request, as the gateway saw it.

    It is logged when the gateway has decided what to answer, which is before any of the answer is sent.

    Attributes:
        at: When its headers arrived, in seconds on the event loop's clock.
        method: The HTTP method.
        path: The path as sent, still percent-encoded.
        route: The endpoint; None when there is none at this path.
        video_id: The id in its path, decoded, or that of the job a create made.
        model: The model asked for or used, where known.
        status: The status about to be sent; None when a fault leaves it without an answer.
        body: The JSON of a create; None when it was none or was not read.
        billed: Whether it made a job, whatever the client learned of it.
        authorized: Whether it came with the right key. The key itself is not kept.
        fault: The name of the fault it met, if any.
        headers: Its headers without Authorization, when the sandbox was told to keep them.
    """

    at: float
    method: str
    path: str
    route: Route | None
    video_id: str | None
    model: str | None
    status: int | None
    body: Mapping[str, Any] | None = None  # Any: JSON, as the user sent it
    billed: bool = False
    authorized: bool = True
    fault: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
