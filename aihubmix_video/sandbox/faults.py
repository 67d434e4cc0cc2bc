"""Faults: values that say which requests go wrong and how.

    sandbox.faults.add(Fault.status(503, route="retrieve", times=3), Fault.cut(1000, route="content"))

Every constructor takes the fields of `Match` too. Of several faults the first that matches wins; one request meets one
fault. A fault that leaves a create without a clear answer strikes *after* the job was made, unless it is told otherwise:
that is the case that costs money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

import attrs

from aihubmix_video.sandbox.canned_responses import NOTHING, CannedResponse, gateway_error
from aihubmix_video.sandbox.response_plan import WHOLE, ResponsePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.sandbox.http_format import Quirk
    from aihubmix_video.sandbox.routing import Route

BUSY = "Rate limited by provider - contact support for higher concurrency"
NO_CHANNEL = "no_valid_channel_error: incorrect model ID or no permission"


class Match(TypedDict, total=False):
    """Which requests a fault strikes; see `Fault` for the meaning and the defaults of each."""

    route: Route | None
    model: str | None
    video_id: str | None
    reused: bool | None
    skip: int
    times: int | None
    probability: float | None
    lasting: float | None
    delay: float
    unread: bool
    after_processing: bool


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        name: What the log calls it.
        route: Strikes this endpoint only: ``"create"``, ``"retrieve"``, ``"content"`` or ``"delete"``.
        model: Strikes this model only.
        video_id: Strikes this job only.
        reused: Strikes only connections that have (True) or have not (False) carried a request before.
        skip: Matching requests to let pass first.
        times: How many requests it strikes; None for every one.
        probability: Strikes each matching request with this probability, drawn from the sandbox's seed.
        lasting: Ends so many seconds after it first struck.
        delay: Seconds to wait before anything of the answer is sent.
        unread: Strikes before the body of the request is read, so nothing can have been bought.
        after_processing: Whether the gateway does its work first, so that a create is bought and a delete deletes.
        answer: What to send in place of the gateway's own answer.
        fields: What to change in the gateway's JSON; `...` as value removes the field.
        headers: What to add; ``{n}`` becomes the number of the strike, from 0.
        quirk: How to treat ranges of a film wrongly.
        other_film: Serve another film of the same length: ``"same_etag"``, ``"new_etag"``, or ``"flip"`` for two in turn.
        flip_etag: Give the same film two ETags in turn.
        delivery: How the answer leaves.
    """

    name: str = "fault"
    route: Route | None = None
    model: str | None = None
    video_id: str | None = None
    reused: bool | None = None
    skip: int = 0
    times: int | None = 1
    probability: float | None = None
    lasting: float | None = None
    delay: float = 0.0
    unread: bool = False
    after_processing: bool = True
    answer: CannedResponse | None = None
    fields: Mapping[str, object] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    quirk: Quirk | None = None
    other_film: Literal["same_etag", "new_etag", "flip"] | None = None
    flip_etag: bool = False
    delivery: ResponsePlan = WHOLE

    @property
    def forestalls(self) -> bool:
        """Whether the gateway does not get to work at all."""
        return self.answer is not None and (self.unread or not self.after_processing)

    @classmethod
    def status(
        cls,
        code: int,
        body: bytes | str | Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **match: Unpack[Match],
    ) -> Fault:
        """Answer with *code* and *body*; without a body, with the gateway's own envelope of errors.

        Where the status leaves open what became of a create (408, 5xx, and 2xx), the job is made; where it is a plain
        refusal (3xx, 4xx, 501), it is not. ``after_processing`` decides otherwise.
        """
        match.setdefault("after_processing", code in {200, 201, 202, 204, 408} or (code >= 500 and code != 501))
        answer = CannedResponse.of(code, body, content_type=content_type, headers=headers)
        return cls(name=f"status {code}", answer=answer, **match)

    @classmethod
    def busy(cls, code: int = 429, *, retry_after: str | None = None, **match: Unpack[Match]) -> Fault:
        """Refuse for too many requests, as 429 or as the 503 that names a rate limit; nothing is bought."""
        match.setdefault("after_processing", False)
        message = BUSY if code == 503 else "Too many requests; please try again later."
        headers = None if retry_after is None else {"Retry-After": retry_after}
        return cls(
            name=f"busy {code}", answer=CannedResponse.of(code, gateway_error(message), headers=headers), **match
        )

    @classmethod
    def no_channel(cls, code: int = 500, **match: Unpack[Match]) -> Fault:
        """Refuse a known model as if no channel served it; nothing is bought."""
        match.setdefault("after_processing", False)
        return cls(name="no channel", answer=CannedResponse.of(code, gateway_error(NO_CHANNEL)), **match)

    @classmethod
    def html(cls, code: int = 502, **match: Unpack[Match]) -> Fault:
        """Answer with a CDN's page; ``html(200)`` is the page that others save as a film."""
        page = f"<!DOCTYPE html>\n<html><head><title>{code}</title></head><body><h1>Error {code}</h1></body></html>\n"
        return cls.status(code, page, content_type="text/html; charset=UTF-8", **match)

    @classmethod
    def empty(cls, code: int = 200, **match: Unpack[Match]) -> Fault:
        """Answer with nothing in it: an empty 200, or 204."""
        return cls.status(code, b"", **match)

    @classmethod
    def redirect(cls, location: str, code: int = 302, **match: Unpack[Match]) -> Fault:
        """Send the client elsewhere; nothing is bought."""
        return cls.status(code, b"", headers={"Location": location}, **match)

    @classmethod
    def edit(cls, fields: Mapping[str, object], **match: Unpack[Match]) -> Fault:
        """Change fields of the gateway's JSON: another status, a NaN, a second id; ``...`` removes a field."""
        return cls(name="edit", fields=fields, **match)

    @classmethod
    def add_headers(cls, headers: Mapping[str, str], **match: Unpack[Match]) -> Fault:
        """Add headers, such as ``{"Set-Cookie": "poll={n}"}`` or a Date an hour off."""
        return cls(name="headers", headers=tuple(headers.items()), **match)

    @classmethod
    def huge_header(cls, size: int = 2**20, **match: Unpack[Match]) -> Fault:
        """Add one header of *size* bytes."""
        return cls(name="huge header", headers=(("X-Sandbox-Huge", "x" * size),), **match)

    @classmethod
    def huge_body(cls, size: int = 50 * 2**20, **match: Unpack[Match]) -> Fault:
        """Answer with valid JSON of *size* bytes."""
        return cls.status(200, b'{"id":"' + b"x" * (size - 9) + b'"}', **match)

    @classmethod
    def wait(cls, seconds: float, **match: Unpack[Match]) -> Fault:
        """Answer rightly, but late."""
        match["delay"] = seconds
        return cls(name="wait", **match)

    @classmethod
    def silence(cls, **match: Unpack[Match]) -> Fault:
        """Never answer."""
        return cls(name="silence", answer=NOTHING, delivery=ResponsePlan(ending="silence"), **match)

    @classmethod
    def reset(cls, **match: Unpack[Match]) -> Fault:
        """Answer with RST."""
        return cls(name="reset", answer=NOTHING, delivery=ResponsePlan(ending="reset"), **match)

    @classmethod
    def close(cls, **match: Unpack[Match]) -> Fault:
        """Answer with FIN; with ``reused=True``, a keep-alive connection that closes as the next request arrives."""
        return cls(name="close", answer=NOTHING, delivery=ResponsePlan(ending="close"), **match)

    @classmethod
    def cut(
        cls,
        after: int,
        *,
        ending: Literal["close", "reset", "silence"] = "close",
        framing: Literal["length", "chunked", "none"] = "length",
        **match: Unpack[Match],
    ) -> Fault:
        """Stop after *after* bytes of the body: with the right Content-Length, chunked, or with neither."""
        return cls(name="cut", delivery=ResponsePlan(stop=after, ending=ending, framing=framing), **match)

    @classmethod
    def drip(cls, size: int = 1, every: float = 0.9, *, head: bool = False, **match: Unpack[Match]) -> Fault:
        """Send *size* bytes of the body every *every* seconds; with *head*, the headers so too."""
        return cls(name="drip", delivery=ResponsePlan(pieces=size, every=every, slow_head=head), **match)

    @classmethod
    def chunked(
        cls, tail: Literal["good", "missing", "bad"] = "good", *, stop: int | None = None, **match: Unpack[Match]
    ) -> Fault:
        """Send the body in chunks that end well, not at all, or in a chunk size that is not a number."""
        ending: Literal["keep", "close"] = "keep" if tail == "good" else "close"
        delivery = ResponsePlan(framing="chunked", tail=tail, stop=stop, ending=ending)
        return cls(name=f"chunked, {tail} end", delivery=delivery, **match)

    @classmethod
    def length(cls, claim: str, *, chunked: bool = False, **match: Unpack[Match]) -> Fault:
        """Claim another Content-Length, such as ``"1000000000000000"``, ``"-1"`` or ``"5, 6"``, then close."""
        framing: Literal["length", "chunked"] = "chunked" if chunked else "length"
        delivery = ResponsePlan(length=claim, framing=framing, ending="close")
        return cls(name=f"length {claim}", delivery=delivery, **match)

    @classmethod
    def endless(
        cls,
        what: Literal["interim", "headers", "body"],
        *,
        every: float = 0.2,
        framing: Literal["length", "chunked", "none"] = "none",
        interim: int = 102,
        **match: Unpack[Match],
    ) -> Fault:
        """Never come to an end: 1xx answers, header lines, or the body of a film."""
        return cls(
            name=f"endless {what}",
            delivery=ResponsePlan(endless=what, every=every, framing=framing, interim=interim),
            **match,
        )

    @classmethod
    def range(cls, quirk: Quirk, **match: Unpack[Match]) -> Fault:
        """Get ranges of a film wrong; `Quirk` lists the ways."""
        match.setdefault("route", "content")
        return cls(name=f"range {quirk}", quirk=quirk, **match)

    @classmethod
    def etag(cls, **match: Unpack[Match]) -> Fault:
        """Serve one film under two ETags in turn."""
        match.setdefault("route", "content")
        match.setdefault("times", None)
        return cls(name="etag", flip_etag=True, **match)

    @classmethod
    def swap(cls, how: Literal["same_etag", "new_etag", "flip"] = "new_etag", **match: Unpack[Match]) -> Fault:
        """Serve another film of the same length; ``"flip"`` serves two in turn, each with its own ETag."""
        match.setdefault("route", "content")
        return cls(name=f"swap {how}", other_film=how, **match)
