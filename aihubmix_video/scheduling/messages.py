"""What the scheduler is told (events) and what it asks for (actions).

A job is an integer here: the session's own number, from one series with the tickets of `AskPermit`. No number is used again,
since an answer about its first life may still be under way. Every action that is handed out is answered by exactly one
event about the same job; `GrantPermit` alone needs no answer.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from aihubmix_video.errors import VideoError
    from aihubmix_video.polling.policy import Kind
    from aihubmix_video.scheduling.lifecycle import Phase

__all__ = [
    "Accepted",
    "Action",
    "AddJob",
    "AskPermit",
    "Detach",
    "Downloaded",
    "EndJob",
    "Event",
    "FollowJob",
    "GrantPermit",
    "Hold",
    "Polled",
    "RequestFailed",
    "RequestsSpent",
    "SchedulerLimits",
    "SendCreate",
    "SendDownload",
    "SendPoll",
    "SlowDown",
    "WantFile",
]


@attrs.frozen(kw_only=True)
class SchedulerLimits:
    """What a session bounds.

    Attributes:
        max_in_flight: Jobs bought, or being bought, and not yet over.
        max_creates: Creates under way at once; also `max_polls` and `max_downloads`.
        deadline: Seconds from acceptance until a job is `WaitTimeout`.
    """

    max_in_flight: int = 1000
    max_creates: int = 64
    max_polls: int = 256
    max_downloads: int = 8
    deadline: float = 1800.0


@attrs.frozen
class Hold:
    """Requests of one kind that are not sent for a while.

    Attributes:
        requests: Which ones, in words.
        until: The end, on the scheduler's clock, as far as is known now.
        reason: Why, in words.
    """

    requests: str
    until: float
    reason: str


@attrs.frozen
class AddJob:
    """A new job is to be bought."""

    job: int
    kind: Kind
    wants_file: bool


@attrs.frozen
class FollowJob:
    """A job bought earlier is to be followed from now on.

    Attributes:
        age: Seconds since it was accepted, as far as is known.
    """

    job: int
    kind: Kind
    wants_file: bool
    age: float | None = None


@attrs.frozen
class WantFile:
    """The file of a finished job is wanted.

    Attributes:
        expires_at: When its link goes, on the scheduler's clock; earlier ones are fetched first.
    """

    job: int
    expires_at: float = inf


@attrs.frozen
class AskPermit:
    """Somebody wants to send a request of their own, under the same rate."""

    ticket: int


@attrs.frozen
class Detach:
    """Nobody waits for this job, or for this ticket's permit, any more.

    A create under way is not called back: if it buys the job, the job goes on; if it does not, it is not sent again.
    """

    job: int


@attrs.frozen
class Accepted:
    """The create was accepted.

    Attributes:
        settled: The answer already said that the job is over, so that asking again is due now.
    """

    job: int
    settled: bool = False


@attrs.frozen
class Polled:
    """The job was asked about, and the answer was good.

    Attributes:
        completed: Whether the video is finished.
        expires_at: When its link goes, on the scheduler's clock.
        progress: Percent, where the answer told it.
    """

    job: int
    completed: bool
    expires_at: float = inf
    progress: float | None = None


@attrs.frozen
class Downloaded:
    """The file is on disk."""

    job: int


@attrs.frozen
class RequestFailed:
    """The request did not bring what it should; the error says why, and with the job's phase decides what follows.

    Attributes:
        progressed: Some of the file arrived, so the tries start counting again.
    """

    job: int
    error: VideoError
    progressed: bool = False


@attrs.frozen
class RequestsSpent:
    """Requests left that no action stood for, such as redirects."""

    requests: int


@attrs.frozen
class SlowDown:
    """A request that was not the scheduler's was answered with "too many requests".

    Attributes:
        retry_after: Seconds the gateway asked to wait, or None.
    """

    retry_after: float | None = None


Event = (
    AddJob
    | FollowJob
    | WantFile
    | AskPermit
    | Detach
    | Accepted
    | Polled
    | Downloaded
    | RequestFailed
    | RequestsSpent
    | SlowDown
)


@attrs.frozen
class SendCreate:
    """Send the create of this job."""

    job: int


@attrs.frozen
class SendPoll:
    """Ask about this job."""

    job: int


@attrs.frozen
class SendDownload:
    """Send one request for this job's content."""

    job: int


@attrs.frozen
class GrantPermit:
    """The request asked for with this ticket may leave."""

    ticket: int


@attrs.frozen
class EndJob:
    """This job is over; the scheduler has forgotten it.

    Attributes:
        phase: One of `lifecycle.TERMINAL`.
        error: Why, unless it is DONE or DROPPED.
    """

    job: int
    phase: Phase
    error: VideoError | None = None


Action = SendCreate | SendPoll | SendDownload | GrantPermit | EndJob
