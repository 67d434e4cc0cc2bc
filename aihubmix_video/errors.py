"""Everything that can go wrong, one class per cause.

    VideoError
    ├─ InvalidRequest        yours: fix the request; nothing was sent       .problems .field .value
    │  └─ BudgetExceeded     a cap on what may be bought forbids it
    ├─ ConfigurationError    yours: fix the key, the URL, an option or the environment
    ├─ AuthenticationError   401: the key is missing, wrong or expired
    ├─ PermissionDenied      403: the key may not do this
    ├─ InsufficientBalance   the account has no money left
    ├─ RequestRefused        theirs, final: another 4xx, or 501
    ├─ RateLimited           theirs, passing: ask later                      .retry_after
    ├─ ModelUnavailable      no channel serves this model
    ├─ GatewayError          5xx on a request that is safe to repeat
    ├─ ConnectionFailed      nobody answered, on a request that is safe to repeat
    ├─ MalformedReply        an answer that says nothing we can use          .body
    ├─ SubmitUncertain       a create that may have been bought              .body
    ├─ JobFailed             the vendor's verdict on one job
    │  └─ ContentRefused     refused by moderation                           .stage
    ├─ JobNotFound           no such job: its id or key is not known
    ├─ JobExpired            the video was finished, and its link is gone
    ├─ WaitTimeout           not finished within the deadline; the job lives on
    ├─ DownloadFailed        the file could not be brought whole; the job is still good
    ├─ LedgerError           the durable record could not be written or read
    │  └─ LedgerInUse        another process is working with it
    └─ SessionClosed         the session is not open, or let go of the job

Every instance carries what is known of `job_id`, `job_key`, `request_id`, `status_code`, `retryable` and `charged`,
and its text ends with what to do next.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, Self, TypedDict, Unpack

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "AuthenticationError",
    "BudgetExceeded",
    "Charged",
    "ConfigurationError",
    "ConnectionFailed",
    "ContentRefused",
    "DownloadFailed",
    "GatewayError",
    "InsufficientBalance",
    "InvalidRequest",
    "JobExpired",
    "JobFailed",
    "JobNotFound",
    "LedgerError",
    "LedgerInUse",
    "MalformedReply",
    "ModelUnavailable",
    "PermissionDenied",
    "Problem",
    "RateLimited",
    "RequestRefused",
    "SessionClosed",
    "SubmitUncertain",
    "VideoError",
    "WaitTimeout",
]

Charged = Literal["yes", "no", "unknown"]
"""Whether money was spent on a job."""


@attrs.frozen(kw_only=True)
class Problem:
    """One thing wrong with one field of a request.

    Attributes:
        field: The field as the user wrote it; an item of a list is ``content[2].role``.
        value: What was given, cut to a readable length; never file content.
        message: One sentence: what is wrong and what is allowed.
        allowed: The allowed values, as a user would write them; empty where they cannot be listed.
        nearest: The allowed value closest to the one given, if there is one.
    """

    field: str
    value: str
    message: str
    allowed: tuple[str, ...] = ()
    nearest: str | None = None

    @classmethod
    def of(
        cls, field: str, value: object, message: str, *, allowed: Sequence[object] = (), nearest: object = None
    ) -> Problem:
        """Build a problem from the values as they are; `shown` cuts and masks the one given."""
        return cls(
            field=_printable(field),
            value=shown(value),
            message=message,
            allowed=tuple(map(str, allowed)),
            nearest=None if nearest is None else str(nearest),
        )

    def __str__(self) -> str:
        hint = f" (nearest: {self.nearest})" if self.nearest is not None else ""
        return f"{self.field}={self.value}: {self.message}{hint}"


def _printable(field: str) -> str:
    """Escape what is not text; a field's name may be a stranger's."""
    return field if field.isprintable() else ascii(field)[1:-1]


SHOWN_CHARACTERS = 80
CREDENTIALS = re.compile(r"(?<=://)[^/?#@\s'\"]+@")
LONGEST_INTEGER_BITS = 256


def shown(value: object) -> str:
    """Show a user's value in one short line: media by their size only, control characters escaped."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, str) and value.startswith("data:"):
        return f"<data URL of {len(value)} characters>"
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER_BITS:
        return f"<integer of {value.bit_length()} bits>"  # Python refuses to print the longest
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except Exception:  # noqa: BLE001 - whatever a stranger's object raises; a list may hold the longest integers
        return f"<{type(value).__name__}>"
    text = CREDENTIALS.sub("…@", text)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


class Known(TypedDict, total=False):
    """What any error may know of its job and request; see `VideoError`."""

    job_id: str | None
    job_key: str | None
    request_id: str | None
    status_code: int | None
    retryable: bool
    charged: Charged
    last_heard: str | None
    advice: str


class VideoError(Exception):
    """Something went wrong in aihubmix_video.

    Attributes:
        message: What happened, without the advice.
        job_id: The gateway's id of the job, once known.
        job_key: The session's own short key of the job.
        request_id: The gateway's id of the request (``X-Request-Id`` or ``tid``); quote it to its support.
        status_code: The HTTP status, where there was an answer.
        retryable: Whether the same call may succeed later without a change.
        charged: Whether the job was paid for.
        last_heard: What the gateway last said of the job, where a wait for it ended: its own status word or the trouble that
            the last polls brought, how many polls there were, and when it last answered well.
    """

    retryable: bool = False
    charged: Charged = "no"
    advice: str = ""
    advice_for_bought: ClassVar[str | None] = (
        None  # where the job has an id, and `advice` would deny that it was bought
    )

    def __init__(self, message: str, **known: Unpack[Known]) -> None:
        super().__init__(message)
        self.message = message
        self.job_id = known.get("job_id")
        self.job_key = known.get("job_key")
        self.request_id = known.get("request_id")
        self.status_code = known.get("status_code")
        self.last_heard = known.get("last_heard")
        if "advice" in known:
            self.advice = known["advice"]
        if "retryable" in known:
            self.retryable = known["retryable"]
        if "charged" in known:
            self.charged = known["charged"]

    def __str__(self) -> str:
        named = (("HTTP", self.status_code), ("job", self.job_id), ("request", self.request_id))
        known = ", ".join(f"{name} {value}" for name, value in named if value is not None)
        where = f" [{known}]" if known else ""
        heard = f" ({self.last_heard})" if self.last_heard else ""
        is_bought = self.job_id is not None and self.advice_for_bought is not None
        return f"{self.message}{heard}{where} {self.advice_for_bought if is_bought else self.advice}".rstrip()

    def __reduce__(self) -> tuple[Callable[..., VideoError], tuple[object, ...]]:
        return _rebuild, (type(self), self.message, dict(self.__dict__))


def _rebuild(kind: type[VideoError], message: str, state: dict[str, object]) -> VideoError:
    """Make an unpickled error whole, whatever its own constructor asks for."""
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class InvalidRequest(VideoError, ValueError):
    """The request is wrong; nothing was sent and nothing was charged.

    Attributes:
        problems: Every problem found, each naming its field, value and what is allowed.
        field: The first problem's field; also `value`, `allowed` and `nearest`.
    """

    advice = "Nothing was sent, nothing was charged."
    advice_for_bought = "This call sent nothing. The job itself is kept."

    def __init__(self, problems: Sequence[Problem], **known: Unpack[Known]) -> None:
        super().__init__("; ".join(map(str, problems)), **known)
        self.problems = tuple(problems)

    @classmethod
    def of(
        cls, field: str, value: object, message: str, *, allowed: Sequence[object] = (), nearest: object = None
    ) -> Self:
        """Report a single problem; the arguments are those of `Problem.of`."""
        return cls([Problem.of(field, value, message, allowed=allowed, nearest=nearest)])

    @property
    def field(self) -> str:
        """The first problem's field."""
        return self.problems[0].field

    @property
    def value(self) -> str:
        """The first problem's value, cut and masked."""
        return self.problems[0].value

    @property
    def allowed(self) -> tuple[str, ...]:
        """What the first problem's field allows."""
        return self.problems[0].allowed

    @property
    def nearest(self) -> str | None:
        """The allowed value nearest to the first problem's."""
        return self.problems[0].nearest


class BudgetExceeded(InvalidRequest):
    """A cap on what may be bought forbids this video, or nobody can tell whether it does; `field` names the cap."""

    advice = "Nothing was sent, nothing was charged. The same batch with a higher cap goes on where this one stopped."


class ConfigurationError(VideoError, ValueError):
    """The key, the base URL, an option or the environment is wrong."""

    advice = "Nothing was bought."
    advice_for_bought = (
        "The job is kept: do not submit it again. Put right the base URL, the proxy or the option, then follow it with "
        "session.job(id), or with session.resume() where there is a ledger."
    )


class AuthenticationError(VideoError):
    """The gateway does not accept the key (401)."""

    advice = "Check AIHUBMIX_API_KEY: the key may be mistyped, expired or deleted. Jobs already bought are kept."


class PermissionDenied(VideoError):
    """The key is known but may not do this (403)."""

    advice = "Check in the console that the key is enabled, and allowed for this model and address."


class InsufficientBalance(VideoError):
    """The account's balance does not cover the job."""

    advice = "Top up the account, then submit again. Jobs already bought are not affected."


class RequestRefused(VideoError):
    """The gateway or the vendor refused the request for good."""

    advice = "The same request would be refused again: change it as the message says."


class RateLimited(VideoError):
    """Too many requests, or too many jobs at once.

    Attributes:
        retry_after: Seconds the gateway asked to wait, or None if it did not say.
        limit: ``"rate"`` when requests came too fast, ``"concurrency"`` when too many jobs were running.
    """

    retryable = True
    advice = "Lower rate or max_in_flight, or try again later."

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        limit: Literal["rate", "concurrency"] = "rate",
        **known: Unpack[Known],
    ) -> None:
        super().__init__(message, **known)
        self.retry_after = retry_after
        self.limit = limit


class ModelUnavailable(VideoError):
    """No channel of the gateway serves this model, or not for this key."""

    advice = "Check the model's name with `aihubmix-video models` and in the console."


class GatewayError(VideoError):
    """The gateway failed (5xx) on a request that is safe to repeat."""

    retryable = True
    advice = "Try again later."


class ConnectionFailed(VideoError):
    """Nobody answered; nothing was bought.

    Attributes:
        sent: Whether the request had left this machine; then only its answer is missing.
        body: The beginning of the answer, if one had begun.
    """

    retryable = True
    advice = "Check the network, the proxy and the base URL, then try again."

    def __init__(self, message: str, *, sent: bool = False, body: bytes = b"", **known: Unpack[Known]) -> None:
        super().__init__(message, **known)
        self.sent = sent
        self.body = body


class MalformedReply(VideoError):
    """The gateway's answer says nothing that can be used.

    Attributes:
        body: The beginning of the answer, as received.
    """

    retryable = True
    advice = "If this persists, report it with the request id."

    def __init__(self, message: str, *, body: bytes = b"", **known: Unpack[Known]) -> None:
        super().__init__(message, **known)
        self.body = body


class SubmitUncertain(VideoError):
    """The create was sent and its outcome cannot be known: the job may have been bought.

    It is never sent again by itself.

    Attributes:
        body: The beginning of the answer, if there was one.
    """

    charged = "unknown"
    advice = (
        "Do not submit it again before checking the console. With a ledger, say what you found: session.decide(...), or "
        "`aihubmix-video resume DIR`. Without one: if the job is there, follow it by its id (session.job(id), or "
        "`aihubmix-video download ID`); only if it is not, submit again."
    )

    def __init__(self, message: str, *, body: bytes = b"", **known: Unpack[Known]) -> None:
        super().__init__(message, **known)
        self.body = body


class JobFailed(VideoError):
    """The vendor could not generate the video."""

    advice = "Failed generations are generally not charged; check the console."


class ContentRefused(JobFailed):
    """Moderation refused the prompt, a reference or the finished video.

    Attributes:
        stage: ``"request"`` when refused before generation, ``"output"`` when the finished video was refused.
    """

    advice = "Change the prompt or the reference; a refused output may pass on another try."

    def __init__(
        self, message: str, *, stage: Literal["request", "output"] = "request", **known: Unpack[Known]
    ) -> None:
        super().__init__(message, **known)
        self.stage = stage


class JobNotFound(VideoError):
    """There is no such job: the gateway does not know the id, or the session does not know the key."""

    advice = "Is it the whole id or key, and the same API key, base URL and ledger as at submit?"


class JobExpired(VideoError):
    """The video was finished, but its link has expired."""

    charged = "yes"
    advice = "The gateway keeps videos for a limited time only; it can only be generated again."


class WaitTimeout(VideoError):
    """The job was not finished within the deadline; it lives on at the gateway."""

    charged = "yes"
    retryable = True
    advice = (
        "Do not submit it again: keep waiting with session.job(id), or with session.resume() where there is a ledger."
    )


class DownloadFailed(VideoError):
    """The video is finished and paid for, but its file could not be brought whole."""

    charged = "yes"
    retryable = True
    advice = "Do not submit it again: fetch it with session.job(id).save(path), or with session.resume() where there is a ledger."


class LedgerError(VideoError):
    """The durable record of jobs could not be written or read."""

    advice = "Nothing more is bought until this is put right."


class LedgerInUse(LedgerError):
    """Another process is working with the record; one at a time may.

    Attributes:
        holder_pid: The number of that process on its machine, where it is known.
        held_here: Whether it is this very process; containers often give the same number to processes of their own.
    """

    advice = ""
    holder_pid: int | None = None
    held_here: bool = False


class SessionClosed(VideoError):
    """The session is not open, or it no longer follows the job."""

    advice = (
        "Open a session with `async with VideoSession() as session:`; a job that was bought is followed again "
        "with session.job(id)."
    )
