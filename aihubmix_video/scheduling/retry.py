"""What follows when a request did not bring what it should: the same again later, or the end."""

from __future__ import annotations

from math import inf, isnan

import attrs

from aihubmix_video.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    InsufficientBalance,
    JobNotFound,
    PermissionDenied,
    RateLimited,
    RequestRefused,
    VideoError,
)
from aihubmix_video.scheduling.lifecycle import Phase

__all__ = [
    "FINAL_AFTER_REPEATS",
    "Backoff",
    "bounded",
    "is_final",
    "is_refusal",
    "retry_delay",
]

FINAL_AFTER_REPEATS = (
    *(AuthenticationError, PermissionDenied, InsufficientBalance, ConfigurationError, JobNotFound, RequestRefused),
)
"""Not verdicts on a job that is paid for: they are about the account, the way to the gateway, a node that does not know the job
yet, or a box in between that objects to one request."""

REFUSALS_BEFORE_FINAL = 2  # in a row; one may be a hiccup of the gateway's
MAX_RETRY_AFTER_SECONDS = 120.0  # seconds; a gateway that asks for more is asked again after so long, in case it erred
NOT_FOUND_GRACE_SECONDS = 60.0  # seconds after acceptance in which a gateway may not know its own job yet

LARGEST_EXPONENT = 60  # 2.0 ** 1024 overflows; long before that the cap decides


@attrs.frozen(kw_only=True)
class Backoff:
    """A retry policy.

    Attributes:
        attempts: Tries in all, the first included; None for no limit. 0 and 1 both mean: never again.
        first: Seconds before the first retry, at most.
        cap: Seconds between tries, at most.
    """

    attempts: int | None = None
    first: float = 1.0
    cap: float = 60.0

    def delay(self, failures: int, draw: float) -> float | None:
        """Return the seconds to wait after *failures* >= 1 failed tries.

        Args:
            failures: Failed tries so far.
            draw: A random number, 0 <= draw < 1. Half of the wait is drawn, so that many jobs that failed
                together neither return together nor at once.

        Returns:
            Seconds, or None to give up.
        """
        if self.attempts is not None and failures >= self.attempts:
            return None
        return min(self.cap, self.first * 2.0 ** min(failures - 1, LARGEST_EXPONENT)) * (0.5 + draw / 2)


# Creates that provably did not leave, to a gateway never reached.
UNREACHED_CREATE_RETRY = Backoff(attempts=4, first=4.0, cap=30.0)
# Creates that provably did not leave, to a gateway that has answered: it outlasts an outage of a minute and more.
UNSENT_CREATE_RETRY = Backoff(attempts=8, first=4.0, cap=30.0)
# Creates that came too fast, and were not bought.
RATE_LIMITED_CREATE_RETRY = Backoff(attempts=10, first=1.0, cap=60.0)
# Creates that were one too many at once: their turn comes when others end.
CONCURRENCY_CREATE_RETRY = Backoff(first=1.0, cap=60.0)
# Polls, until the deadline: a bad poll never fails a job.
POLL_RETRY = Backoff(first=2.0, cap=60.0)
# Downloads in a row that brought nothing new.
DOWNLOAD_RETRY = Backoff(attempts=10, first=1.0, cap=60.0)


def is_final(phase: Phase, error: VideoError, refusals: int, age: float) -> bool:
    """Return whether *error* is the job's end, however few tries were made.

    Args:
        phase: The phase in which the request was under way.
        error: What it brought.
        refusals: Errors in a row for which `is_refusal` holds, this one included; 0 when it is none.
        age: Seconds since the job was accepted; infinity when that is not known, so long ago.
    """
    if phase is Phase.SUBMITTING:
        return not (error.retryable and _bought_nothing(error))
    if error.retryable:
        return False
    if isinstance(error, JobNotFound) and age < (inf if phase is Phase.DOWNLOADING else NOT_FOUND_GRACE_SECONDS):
        return False  # of a video that was seen finished, a node may know nothing yet: the tries of a download bound it
    return refusals > REFUSALS_BEFORE_FINAL or not is_refusal(error)


def is_refusal(error: VideoError) -> bool:
    """Whether *error* ends a job that is paid for only when it is repeated: `FINAL_AFTER_REPEATS`, or a certificate not trusted."""
    return isinstance(error, (*FINAL_AFTER_REPEATS, ConnectionFailed)) and not error.retryable


def _bought_nothing(error: VideoError) -> bool:
    """Whether the error proves it. Any other error of a create is the end: sent again, it could be bought twice."""
    return isinstance(error, RateLimited) or (isinstance(error, ConnectionFailed) and not error.sent)


def retry_delay(phase: Phase, error: VideoError, failures: int, draw: float, *, reached: bool = False) -> float | None:
    """Return the seconds to wait before the same request is sent again.

    Args:
        phase: The phase in which the request was under way.
        error: What it brought, and not a final one.
        failures: Tries in a row that failed, this one included.
        draw: A random number, 0 <= draw < 1.
        reached: Whether the gateway has ever answered.

    Returns:
        Seconds, never less than the gateway asked for; None when there were tries enough.
    """
    policy = {Phase.POLLING: POLL_RETRY, Phase.DOWNLOADING: DOWNLOAD_RETRY}.get(phase)
    if policy is None:
        policy = _create_policy(error, reached=reached)
    wait = policy.delay(failures, draw)
    if wait is None or not isinstance(error, RateLimited):
        return wait
    return max(wait, bounded(error.retry_after) or 0.0)


def _create_policy(error: VideoError, *, reached: bool) -> Backoff:
    if not isinstance(error, RateLimited):
        return UNSENT_CREATE_RETRY if reached else UNREACHED_CREATE_RETRY
    return CONCURRENCY_CREATE_RETRY if error.limit == "concurrency" else RATE_LIMITED_CREATE_RETRY


def bounded(retry_after: float | None) -> float | None:
    """Bring what the gateway asked to wait, in seconds, between 0 and `MAX_RETRY_AFTER_SECONDS`; None when it did not say."""
    if retry_after is None or isnan(retry_after):
        return None
    return min(max(retry_after, 0.0), MAX_RETRY_AFTER_SECONDS)
