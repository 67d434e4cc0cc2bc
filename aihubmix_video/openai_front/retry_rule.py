"""Which creates without an ``Idempotency-Key`` are one create, sent again because its answer was lost. No I/O.

A client that lost an answer sends the same request again; so does one that wants the same video twice. By time alone they cannot
be told apart, so within a short window they count as one create, which is the error that costs nothing. Clients of OpenAI's own
libraries count their retries in a header; what is marked so counts as a retry for longer.

Each request gets names in the ledger by its fingerprint and a number: so also a create that was sent before the process was
killed is recognised after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aihubmix_video.types.job_info import JobState

if TYPE_CHECKING:
    from aihubmix_video.types.job_info import JobInfo

__all__ = ["MARKED_SECONDS", "is_marked", "is_same_create", "made_name"]

MARKED_SECONDS: Final = 3600.0
"""Seconds for which a create that its client marks as a retry is one; the libraries wait 600 s for an answer, twice or more."""
LONGEST_COUNT: Final = 4


def is_same_create(last: JobInfo, now: float, *, window: float, marked: bool) -> bool:
    """Return whether a create is a retry of the one that became *last*, whose request is the same.

    What failed or was deleted without being charged may be bought again at once. What may have been bought, and nobody knows, is not
    bought again until its operator has decided.

    Args:
        last: The client's newest job with the same request.
        now: Unix seconds.
        window: Seconds for which any same create is a retry.
        marked: Whether the client itself marks it as a retry.
    """
    if last.state is JobState.UNCERTAIN:
        return True
    if last.state is JobState.DROPPED or (last.state is JobState.FAILED and last.charged == "no"):
        return False
    return now - last.created_at < (max(window, MARKED_SECONDS) if marked else window)


def is_marked(retry_count: str | None) -> bool:
    """Return whether a client marks a request as a retry, by its ``x-stainless-retry-count``."""
    count = retry_count or ""
    return len(count) <= LONGEST_COUNT and count.isascii() and count.isdigit() and int(count) > 0


def made_name(fingerprint: str, number: int) -> str:
    """Return the ledger's name of the client's job number *number*, from 0, with this request.

    It begins with a sign that no header can hold, so no client can choose it.
    """
    return f"\N{RIGHTWARDS ARROW}{fingerprint} {number}"
