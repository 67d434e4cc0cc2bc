"""What the application itself refuses, before anything is bought."""

from __future__ import annotations

from typing import Unpack

from aihubmix_video.errors import Known, VideoError

__all__ = ["BodyTooLarge", "Conflict", "Deleted", "LimitReached", "NotAllowed", "NotPlayable", "UnreadableBody"]


class NotAllowed(VideoError):
    """This caller may not do this.

    Answered with 403; raise it in ``allow=``.
    """


class LimitReached(VideoError):
    """This caller has reached a limit.

    Answered with 429; raise it in ``allow=``.

    Attributes:
        retry_after: Seconds after which it is worth another try; None if nobody knows.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, **known: Unpack[Known]) -> None:
        super().__init__(message, **known)
        self.retry_after = retry_after


class Crowded(LimitReached):
    """So many jobs are waiting already that no more are taken on.

    Answered with 503.
    """


class UnreadableBody(VideoError):
    """The request's body is not a JSON object.

    Answered with 400.
    """


class WrongMediaType(VideoError):
    """The request's body is not declared as JSON.

    Answered with 415.
    """


class BodyTooLarge(VideoError):
    """The request's body is over the limit.

    Answered with 413.
    """


class Conflict(VideoError):
    """The job is not in a state in which this can be done.

    Answered with 409.
    """


class NotPlayable(Conflict):
    """The video is not finished yet.

    Answered with 409.

    Attributes:
        retry_after: Seconds after which it is worth another try.
    """

    retryable = True
    retry_after = 2.0


class RangeUnsatisfiable(VideoError):
    """The video does not have the bytes that were asked for.

    Answered with 416.

    Attributes:
        size: How many it has.
    """

    def __init__(self, size: int, **known: Unpack[Known]) -> None:
        super().__init__(f"the video has {size} bytes", **known)
        self.size = size


class Deleted(VideoError):
    """The job, or its file, was there and was deleted.

    Answered with 410.
    """
