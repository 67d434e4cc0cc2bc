"""What this package assumes of the gateway, claim by claim, and what a transcript says of each.

A claim is *refuted* if any exchange speaks against it, *confirmed* if some speak for it, and otherwise *not seen*. Sources: "page" is
the AIHubMix video guide, updated 2026-06-01; "notes" are field observations, 2026, which others made.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.doctor.transcript import Exchange, SavedVideo, fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aihubmix_video.doctor.transcript import Transcript

__all__ = ["CLAIMS", "Claim", "ClaimResult", "Reading", "readings"]

STATUS_WORDS = {"queued", "in_progress", "completed", "failed"}
SECONDS_OFF, PIXELS_OFF = 0.75, 16  # encoders round lengths to frames, and sides to blocks
USD_OFF = 0.02


class ClaimResult(StrEnum):
    """What was seen of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    NOT_SEEN = "not seen"


@attrs.frozen
class Claim:
    """One assumption.

    Attributes:
        name: By which reports of different days are compared.
        text: What is assumed.
        source: Who says so.
        look: Yields, for each piece of evidence, whether it agrees and what it was.
    """

    name: str
    text: str
    source: str
    look: Callable[[Transcript], Iterator[tuple[bool, str]]]


@attrs.frozen(kw_only=True)
class Reading:
    """What a transcript says of one claim."""

    name: str
    text: str
    source: str
    verdict: ClaimResult
    seen: str


def readings(transcript: Transcript) -> tuple[Reading, ...]:
    """Return what a transcript says of every claim."""
    return tuple(_reading(claim, transcript) for claim in CLAIMS)


def _reading(claim: Claim, transcript: Transcript) -> Reading:
    found = tuple(claim.look(transcript))
    against = [what for agrees, what in found if not agrees]
    verdict = ClaimResult.REFUTED if against else ClaimResult.CONFIRMED if found else ClaimResult.NOT_SEEN
    seen = "; ".join(dict.fromkeys(against or [what for _, what in found]))
    return Reading(name=claim.name, text=claim.text, source=claim.source, verdict=verdict, seen=seen[:400])


# How claims look.


def _each(kind: str, holds: Callable[[Exchange], bool | None], show: Callable[[Exchange], object]) -> Claims:
    """Look at every exchange of a kind; None says that it does not speak of the claim."""

    def look(transcript: Transcript) -> Iterator[tuple[bool, str]]:
        for exchange in transcript.exchanges:
            if exchange.kind == kind and (agrees := holds(exchange)) is not None:
                yield agrees, f"{exchange.model} {show(exchange)}".strip()

    return look


def _files(holds: Callable[[SavedVideo], bool | None], show: Callable[[SavedVideo], object]) -> Claims:
    def look(transcript: Transcript) -> Iterator[tuple[bool, str]]:
        for saved in transcript.saved:
            if (agrees := holds(saved)) is not None:
                yield agrees, f"{saved.model} {show(saved)}"

    return look


if TYPE_CHECKING:
    Claims = Callable[[Transcript], Iterator[tuple[bool, str]]]


def _status(exchange: Exchange) -> object:
    return exchange.status


def _word(exchange: Exchange) -> object:
    return fields(exchange.answer).get("status")


def _is_ok(exchange: Exchange) -> bool:
    return 200 <= exchange.status < 300


def _known_word(exchange: Exchange) -> bool | None:
    return _word(exchange) in STATUS_WORDS if _is_ok(exchange) else None


def _has_id(exchange: Exchange) -> bool | None:
    value = fields(exchange.answer).get("id")
    return (isinstance(value, str) and value.isalnum() and len(value) <= 512) if _is_ok(exchange) else None


def _id_shown(exchange: Exchange) -> str:
    value = fields(exchange.answer).get("id")
    return f"id of {len(value)} characters" if isinstance(value, str) else f"id {value!r}"


def _url_is_its_own(exchange: Exchange) -> bool | None:
    if _word(exchange) != "completed":
        return None
    url = fields(exchange.answer).get("url")
    return url is None or (isinstance(url, str) and "/v1/videos/" in url)


def _progress(exchange: Exchange) -> bool | None:
    """Only of a running Sora job the page says that it tells its progress."""
    running = exchange.model.startswith("sora") and _word(exchange) == "in_progress"
    return "progress" in fields(exchange.answer) if running else None


def _when_whole(holds: Callable[[Exchange], bool]) -> Callable[[Exchange], bool | None]:
    return lambda exchange: holds(exchange) if _is_ok(exchange) else None


def _deleted(exchange: Exchange) -> bool:
    return exchange.status == 501 if exchange.model.startswith("kling") else _is_ok(exchange)


def _envelope(transcript: Transcript) -> Iterator[tuple[bool, str]]:
    for exchange in transcript.exchanges:
        if exchange.status >= 400:
            error = fields(exchange.answer).get("error")
            yield (
                isinstance(error, dict) and isinstance(error.get("message"), str),
                f"{exchange.kind} {exchange.status}",
            )


def _request_ids(transcript: Transcript) -> Iterator[tuple[bool, str]]:
    for exchange in transcript.exchanges:
        there = "x-request-id" in exchange.headers
        yield there, exchange.kind


def _billed(transcript: Transcript) -> Iterator[tuple[bool, str]]:
    prices = [saved.price for saved in transcript.saved]
    if transcript.billed is not None and prices and None not in prices:
        expected = sum(filter(None, prices))
        yield abs(transcript.billed - expected) <= USD_OFF, f"${transcript.billed:.2f} billed, ${expected:.2f} by price"


def _same_pixels(saved: SavedVideo) -> bool | None:
    if saved.asked_pixels is None or saved.pixels is None:
        return None
    return all(abs(a - b) <= PIXELS_OFF for a, b in zip(saved.asked_pixels, saved.pixels, strict=True))


def _same_seconds(saved: SavedVideo) -> bool | None:
    if saved.asked_seconds is None or saved.seconds is None:
        return None
    return abs(saved.asked_seconds - saved.seconds) <= SECONDS_OFF


CLAIMS: tuple[Claim, ...] = (
    Claim("list.public", "the model list answers without a key", "notes 7.2", _each("model list", _is_ok, _status)),
    Claim("ids.public", "/v1/models answers without a key", "notes 7.1", _each("model ids", _is_ok, _status)),
    Claim(
        "key.missing",
        "without a key a job's state is refused with 401",
        "notes 5.2",
        _each("unknown id without key", lambda each: each.status == 401, _status),
    ),
    Claim(
        "id.unknown",
        "an id that no job has is 404",
        "inference, notes 11",
        _each("unknown id", lambda each: each.status == 404, _status),
    ),
    Claim(
        "create.status",
        "a create is answered with 200",
        "page",
        _each("create", lambda each: each.status == 200, _status),
    ),
    Claim("create.id", "an id is letters and digits, up to 512", "notes 1.1", _each("create", _has_id, _id_shown)),
    Claim("create.word", "a new job is queued or in_progress", "page", _each("create", _known_word, _word)),
    Claim(
        "create.time",
        "a new job tells when it was created",
        "page",
        _each(
            "create",
            _when_whole(lambda each: not {"created", "created_at"}.isdisjoint(fields(each.answer))),
            lambda each: sorted(fields(each.answer)),
        ),
    ),
    Claim("poll.word", "a status is one of the page's four words", "page", _each("poll", _known_word, _word)),
    Claim(
        "poll.progress",
        "Sora tells its progress",
        "page",
        _each("poll", _progress, lambda each: sorted(fields(each.answer))),
    ),
    Claim(
        "poll.url",
        "a finished job's url is its content endpoint, or null",
        "page",
        _each("poll", _url_is_its_own, lambda each: fields(each.answer).get("url")),
    ),
    Claim(
        "content.early",
        "content asked for too early is refused with a 4xx",
        "notes 4",
        _each("early content", lambda each: None if each.form == "mp4" else 400 <= each.status < 500, _status),
    ),
    Claim(
        "content.key",
        "content needs the key: 401 without",
        "notes 4",
        _each("content without key", lambda each: each.status == 401, _status),
    ),
    Claim(
        "content.mp4",
        "content is an MP4 file",
        "page",
        _each("content", _when_whole(lambda each: each.form == "mp4"), lambda each: each.form),
    ),
    Claim(
        "content.type",
        "content is called video/mp4",
        "page; notes 4 say JSON for Veo",
        _each(
            "content",
            _when_whole(lambda each: each.headers.get("content-type", "").startswith("video/mp4")),
            lambda each: each.headers.get("content-type"),
        ),
    ),
    Claim(
        "content.ranges",
        "a range of the content can be asked for: 206",
        "inference, notes 4",
        _each("content", _when_whole(lambda each: each.status == 206), _status),
    ),
    Claim(
        "content.etag",
        "content has an ETag, by which a download resumes",
        "inference, notes 4",
        _each("content", _when_whole(lambda each: "etag" in each.headers), lambda each: sorted(each.headers)),
    ),
    Claim(
        "file.whole",
        "every file can be proved whole",
        "page",
        _files(lambda each: each.verified, lambda each: f"{each.size} B"),
    ),
    Claim(
        "file.seconds",
        "a finished job tells the length that was ordered",
        "page",
        _files(_same_seconds, lambda each: f"{each.seconds:g} s, ordered {each.asked_seconds:g} s"),
    ),
    Claim(
        "file.pixels",
        "a finished job tells the size and frame that were ordered",
        "page; notes 2.5 doubt it for Seedance",
        _files(_same_pixels, lambda each: f"{each.pixels}, ordered {each.asked_pixels}"),
    ),
    Claim("delete.status", "a job is deleted with a 2xx, of Kling 501", "page", _each("delete", _deleted, _status)),
    Claim(
        "delete.gone",
        "a deleted job is 404",
        "inference",
        _each("after delete", lambda each: each.status == 404, _status),
    ),
    Claim("error.envelope", "an error is {error: {message}}", "notes 5.1", _envelope),
    Claim("header.request", "every answer has an X-Request-Id", "notes 3.4", _request_ids),
    Claim("price.billed", "what is billed is the price that was counted with", "list prices", _billed),
)
