from __future__ import annotations

import gzip
import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import attrs
import pytest

from aihubmix_video.download.attempt_result import Broken, Cut, Declined, NotReady, Saved
from aihubmix_video.download.download import Disk, Download
from aihubmix_video.download.resume import MAX_FRUITLESS
from aihubmix_video.download.write_buffer import DownloadLimits
from aihubmix_video.errors import VideoError
from tests.loopback.scripted import FIN, RST, SILENCE, ScriptedServer, chunked, head, part, whole
from tests.loopback.sources import source
from tests.pure.films import FTYP, box, film, fragmented

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from aihubmix_video.download.attempt_result import ContentSource, Outcome
    from tests.loopback.scripted import Request, Script

FILM = film(b"0123456789abcdef" * 4096)
OTHER = film(b"fedcba9876543210" * 4096)
HALF = len(FILM) // 2
SHORT = film(b"m" * 40)
DRIPS = [step for at in range(0, len(SHORT), 16) for step in (SHORT[at : at + 16], 0.1)]  # never idle, yet too slow
QUICK = DownloadLimits(response=0.3, idle=0.3, slowest=1000.0, grace=0.3, reserve=0)


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    """Threads that end with the test."""
    disk = Disk()
    yield disk
    await disk.aclose()


@asynccontextmanager
async def serving(*scripts: Script) -> AsyncIterator[tuple[ScriptedServer, ContentSource]]:
    """Serve the scripts, one per request."""
    async with ScriptedServer(*scripts) as server, aiohttp.ClientSession() as session:
        session._retry_connection = False  # one attempt is one request
        yield server, source(session, server.url)


async def attempts(download: Download, *scripts: Script) -> tuple[list[Outcome], list[Request]]:
    """Make one attempt per script; gives what came of each, and what was asked."""
    async with serving(*scripts) as (server, content):
        return [await download.attempt(content) for _ in scripts], server.requests


def listing(folder: Path) -> list[Path]:
    """What lies in *folder*."""
    return sorted(folder.iterdir())


def saved(target: Path, body: bytes, *, verified: bool = True) -> Saved:
    """Say what a download of *body* comes to."""
    return Saved(path=target, bytes_written=len(body), sha256=hashlib.sha256(body).hexdigest(), verified=verified)


def ranges(requests: Sequence[Request]) -> list[str | None]:
    """Say which part each request asked for."""
    return [request.headers.get("range") for request in requests]


CUT_WITH_LENGTH = [head(content_length=len(FILM)) + FILM[:HALF], FIN]
CUTS = [
    pytest.param(CUT_WITH_LENGTH, id="D1-cut-with-length"),
    pytest.param([head(connection="close") + FILM[:HALF], FIN], id="cut-without-length"),
    pytest.param([head(content_length=len(FILM)) + FILM[:HALF], 0.02, RST], id="N11-reset-in-body"),
    pytest.param([head(content_length=len(FILM)), FIN], id="no-body-at-all"),
    pytest.param([RST], id="reset-instead-of-an-answer"),
    pytest.param([head(transfer_encoding="chunked") + b"xyz\r\n" + FILM, FIN], id="N13-bad-chunk-size"),
    pytest.param([head(transfer_encoding="chunked") + chunked(FILM), FIN], id="N13-no-terminator"),
    pytest.param([head(transfer_encoding="chunked") + b"fffff\r\n" + FILM, FIN], id="N13-chunk-cut"),
    pytest.param([SILENCE], id="L1-no-answer"),
    pytest.param([b"HTTP/1.1 200 O", SILENCE], id="L1-half-a-status-line"),
    pytest.param([head(content_length=len(FILM)) + FILM[:HALF], 5.0, FILM[HALF:]], id="L1-stops-for-long"),
    pytest.param([head(content_length=len(SHORT)), *DRIPS], id="N14-drips"),
    pytest.param([head(206, content_length=HALF) + FILM[:HALF]], id="S12-206-without-range"),
    pytest.param(part(FILM, 0, upto=HALF), id="S12-206-unasked-from-the-start"),
    pytest.param(part(FILM, HALF), id="S12-206-unasked-from-the-middle"),
    pytest.param(
        [head(206, content_range=f"bytes 0-{HALF - 1}/*", content_length=HALF) + FILM[:HALF]],
        id="S12-206-of-unknown-total",
    ),
    pytest.param(
        whole(b"--x\r\n\r\n" + FILM[:HALF], status=206, content_type="multipart/byteranges; boundary=x"),
        id="S12-multipart",
    ),
    pytest.param(whole(b"", status=416, content_range=f"bytes */{len(FILM)}"), id="S12-416-unasked"),
    pytest.param(whole(b""), id="S12-empty-200"),
    pytest.param([head(connection="close"), FIN], id="S12-empty-200-without-length"),
    pytest.param(whole(FILM, content_encoding="gzip"), id="encoded"),
    pytest.param([head(content_length="-1") + FILM, FIN], id="S17-negative-length"),
    pytest.param([head(content_length="5, 6") + FILM, FIN], id="S17-two-lengths"),
]


@pytest.mark.parametrize("script", CUTS)
async def test_a_transfer_that_goes_wrong_is_cut_and_the_next_one_is_right(script: Script, tmp_path: Path, disk: Disk):
    """A fault of the network costs an attempt. It costs neither the file nor an exception, and no wait is endless."""
    target = tmp_path / "film.mp4"
    download = Download(target, disk=disk, limits=QUICK)

    async with serving(script, whole(FILM)) as (_, content):
        first = await download.attempt(content)
        between = listing(tmp_path)
        second = await download.attempt(content)

    assert isinstance(first, Cut)
    assert 0 == first.received
    assert [] == between  # no version was named, so nothing may be continued
    assert saved(target, FILM) == second
    assert FILM == target.read_bytes()
    assert [target] == listing(tmp_path)


PAGE = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        pytest.param(Broken, whole(PAGE, content_type="text/html"), id="D2-page"),
        pytest.param(Broken, whole(PAGE, content_type="video/mp4"), id="D2-page-that-says-video"),
        pytest.param(Broken, whole(b"", status=204), id="S12-204"),
        pytest.param(Broken, whole(FTYP + box(b"mdat", b"x" * 500)), id="D2-no-index"),
        pytest.param(Broken, whole(FILM[:HALF]), id="D2-short-with-a-matching-length"),
        pytest.param(Broken, whole(FILM + b"trailing"), id="D2-more-behind-it"),
        pytest.param(Declined, whole(b'{"error": {"message": "no such video"}}'), id="error-200"),
        pytest.param(Declined, whole(b'{"error": {"message": "gone"}}', status=410), id="410"),
        pytest.param(Declined, whole(PAGE, status=502), id="502"),
        pytest.param(Declined, [head(500, content_length=5000) + b'{"error', FIN], id="500-cut"),
        pytest.param(NotReady, whole(b'{"error": {"message": "video is not ready yet"}}', status=400), id="too-early"),
    ],
)
async def test_an_answer_that_is_no_video_never_becomes_a_file(
    kind: type[Outcome], script: Script, tmp_path: Path, disk: Disk
):
    """What is stored is decided by the bytes: labels have been wrong both ways."""
    target = tmp_path / "film.mp4"
    download = Download(target, disk=disk, limits=QUICK)

    async with serving([*script, FIN], whole(FILM, content_type="application/json")) as (_, content):
        outcome = await download.attempt(content)
        between = listing(tmp_path)
        again = await download.attempt(content)

    assert isinstance(outcome, kind)
    assert target not in between
    assert all(path.suffix == ".part" for path in between)
    assert saved(target, FILM) == again
    assert [target] == listing(tmp_path)


async def test_a_body_in_good_chunks_is_whole(tmp_path: Path, disk: Disk):
    """Its terminator and its boxes prove it, without a length."""
    target = tmp_path / "film.mp4"
    body = head(transfer_encoding="chunked") + chunked(FILM[:7], FILM[7:HALF], FILM[HALF:]) + b"0\r\n\r\n"

    outcomes, _ = await attempts(Download(target, disk=disk), [body])

    assert [saved(target, FILM)] == outcomes


@pytest.mark.parametrize("verified", [True, False])
async def test_a_shape_that_hides_cuts_is_verified_by_its_length_only(verified: bool, tmp_path: Path, disk: Disk):  # noqa: FBT001  # a parameter
    """A film in fragments without a closing index could end anywhere."""
    target, body = tmp_path / "film.mp4", fragmented()
    script = whole(body) if verified else [head(connection="close") + body, FIN]

    outcomes, _ = await attempts(
        Download(target, disk=disk, seconds=5.0), *([script] if verified else [script, script])
    )

    assert saved(target, body, verified=verified) == attrs.evolve(outcomes[-1], unverified=None)
    assert verified == (len(outcomes) == 1)  # what is not proved gets a second look
    assert [target] == listing(tmp_path)


# What is odd is looked at twice, and never thrown away.

WEBM = b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(range(256)) * 20
ODD = [
    pytest.param(FILM + b"trailing", ".mp4", id="more-behind-it"),
    pytest.param(FILM[:HALF], ".mp4", id="short-with-a-matching-length"),
    pytest.param(WEBM, ".webm", id="webm"),
    pytest.param(bytes(range(256)) * 30, ".mp4", id="unknown"),
    pytest.param(gzip.compress(FILM), ".gz", id="gzip-that-nobody-asked-for"),
]


@pytest.mark.parametrize(("body", "suffix"), ODD)
async def test_the_same_odd_bytes_twice_are_what_the_gateway_has(body: bytes, suffix: str, tmp_path: Path, disk: Disk):
    """They are paid for, and no third look would bring others: kept, not called verified, and named for what they are."""
    target = tmp_path / "film.mp4"

    outcomes, _ = await attempts(Download(target, disk=disk), whole(body), whole(body))

    first, second = outcomes
    assert isinstance(first, Broken)
    assert isinstance(second, Saved)
    assert not second.verified
    assert second.unverified
    assert target.with_suffix(suffix) == second.path
    assert body == second.path.read_bytes()
    assert [second.path] == listing(tmp_path)


async def test_other_odd_bytes_are_looked_at_again_until_two_agree(tmp_path: Path, disk: Disk):
    """A cut somewhere else each time is a fault of the line, and no version of the file."""
    target, bodies = tmp_path / "film.mp4", (FILM + b"1", FILM + b"22", FILM + b"22")

    outcomes, _ = await attempts(Download(target, disk=disk), *map(whole, bodies))

    assert [Broken, Broken, Saved] == list(map(type, outcomes))
    assert FILM + b"22" == target.read_bytes()
    assert [target] == listing(tmp_path)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([whole(b'{"error": {"message": "expired"}}', status=404)], id="the-link-is-gone"),
        pytest.param([[head(content_length=5000) + FILM[:10], FIN]] * 2, id="cut-twice"),
        pytest.param([[FIN]] * 2, id="no-answer-twice"),
    ],
)
async def test_where_a_second_look_fails_the_first_is_kept(after: list[Script], tmp_path: Path, disk: Disk):
    """A paid video is never thrown away."""
    target = tmp_path / "film.mp4"
    download, kept = Download(target, disk=disk), None

    async with serving(whole(FILM + b"trailing"), *after) as (_, content):
        for _ in range(1 + len(after)):
            try:
                kept = await download.attempt(content)
            except VideoError:
                kept = None

    assert isinstance(kept, Saved)
    assert not kept.verified
    assert FILM + b"trailing" == target.read_bytes()
    assert [target] == listing(tmp_path)


async def test_fragments_that_play_too_short_are_not_stored(tmp_path: Path, disk: Disk):
    """Without a length the playing time is what tells a cut."""
    script = [head(connection="close") + fragmented((0.0, 1.0)), FIN]

    outcomes, _ = await attempts(Download(tmp_path / "film.mp4", disk=disk, seconds=5.0), script)

    assert [Cut] == list(map(type, outcomes))
    assert [] == listing(tmp_path)


# Continuing.


CUT = [head(content_length=len(FILM), etag='"a"') + FILM[:HALF], 0.02, FIN]


async def test_a_cut_download_goes_on_where_it_ended(tmp_path: Path, disk: Disk):
    """The server named the version and proves that the rest belongs to it; what came is not fetched twice."""
    target = tmp_path / "film.mp4"
    told: list[tuple[int, int | None]] = []
    download = Download(target, disk=disk, on_progress=lambda done, total: told.append((done, total)))

    async with serving(CUT, part(FILM, HALF, etag='"a"')) as (server, content):
        first = await download.attempt(content)
        held = download.part
        second = await download.attempt(content)

    assert isinstance(first, Cut)
    assert HALF == first.received
    assert held is not None
    assert held.parent == tmp_path
    assert saved(target, FILM) == second
    assert [None, f"bytes={HALF}-"] == ranges(server.requests)
    assert '"a"' == server.requests[1].headers["if-range"]
    assert FILM == target.read_bytes()
    assert [target] == listing(tmp_path)
    assert [(HALF, len(FILM)), (len(FILM), len(FILM))] == told


DATES = {"last_modified": "Mon, 01 Jun 2026 10:00:00 GMT", "date": "Mon, 01 Jun 2026 10:00:09 GMT"}


async def test_a_date_older_than_its_answer_names_a_version_too(tmp_path: Path, disk: Disk):
    """RFC 9110, section 8.8.2.2: within one second a file may change twice, so the same second would not do."""
    target = tmp_path / "film.mp4"
    first = [head(content_length=len(FILM), **DATES) + FILM[:HALF], 0.02, FIN]

    outcomes, requests = await attempts(Download(target, disk=disk), first, part(FILM, HALF, **DATES))

    assert saved(target, FILM) == outcomes[-1]
    assert [None, f"bytes={HALF}-"] == ranges(requests)
    assert DATES["last_modified"] == requests[1].headers["if-range"]


async def test_many_cuts_are_one_file(tmp_path: Path, disk: Disk):
    """Each attempt brings its share, however often the connection breaks."""
    target = tmp_path / "film.mp4"
    step = len(FILM) // 6
    tails = [
        [
            head(
                206, content_range=f"bytes {at}-{len(FILM) - 1}/{len(FILM)}", content_length=len(FILM) - at, etag='"a"'
            )
            + FILM[at : at + step],
            0.1,
            FIN,
        ]
        for at in range(step, len(FILM) - step, step)
    ]
    last = step * (len(tails) + 1)
    scripts = [
        [head(content_length=len(FILM), etag='"a"') + FILM[:step], 0.1, FIN],
        *tails,
        part(FILM, last, etag='"a"'),
    ]

    outcomes, requests = await attempts(Download(target, disk=disk), *scripts)

    assert saved(target, FILM) == outcomes[-1]
    assert [None, *(f"bytes={at}-" for at in range(step, last + 1, step))] == ranges(requests)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param({}, id="D3-none"),
        pytest.param({"etag": 'W/"a"'}, id="D3-weak"),
        pytest.param({"etag": "a"}, id="D3-no-quotes"),
        pytest.param({"etag": 'W/"a"', **DATES}, id="D3-weak-with-a-date"),
        pytest.param({"last_modified": DATES["date"], "date": DATES["date"]}, id="D3-date-of-the-same-second"),
    ],
)
async def test_without_a_strong_name_everything_is_fetched_again(names: dict[str, str], tmp_path: Path, disk: Disk):
    """Nothing would prove that both halves are of one version."""
    target = tmp_path / "film.mp4"
    cut = [head(content_length=len(FILM), **names) + FILM[:HALF], 0.02, FIN]

    outcomes, requests = await attempts(Download(target, disk=disk), cut, whole(FILM, **names))

    assert saved(target, FILM) == outcomes[-1]
    assert [None, None] == ranges(requests)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(part(OTHER, HALF, etag='"b"'), id="S14-206-of-another-version"),
        pytest.param(part(OTHER, HALF), id="S14-206-without-its-name"),
        pytest.param(part(OTHER, HALF - 10, etag='"a"'), id="S12-starts-too-early"),
        pytest.param(part(OTHER, HALF + 10, etag='"a"'), id="S12-starts-too-late"),
        pytest.param(
            [
                head(206, content_range=f"bytes {HALF}-{len(FILM) - 1}/*", content_length=len(FILM) - HALF, etag='"a"')
                + OTHER[HALF:]
            ],
            id="S12-total-not-told",
        ),
        pytest.param(
            [head(206, content_range=f"bytes {HALF}-{len(FILM) - 1}/{len(FILM) + 1}", etag='"a"') + OTHER[HALF:], FIN],
            id="S12-another-total",
        ),
        pytest.param(
            [
                head(206, content_range=f"bytes {HALF}-{len(FILM) - 1}/{len(FILM)}", content_length=9, etag='"a"')
                + OTHER[HALF : HALF + 9]
            ],
            id="S12-another-length",
        ),
        pytest.param(whole(b"", status=416, content_range=f"bytes */{len(FILM)}"), id="S12-416"),
        pytest.param(
            whole(
                b"--x\r\n\r\n" + OTHER[HALF:], status=206, content_type="multipart/byteranges; boundary=x", etag='"a"'
            ),
            id="S12-multipart",
        ),
    ],
)
async def test_a_continuation_that_proves_nothing_begins_anew(answer: Script, tmp_path: Path, disk: Disk):
    """The rest on offer is of another version of the same length: one byte of it in the file would be a splice."""
    target = tmp_path / "film.mp4"

    outcomes, requests = await attempts(Download(target, disk=disk), CUT, answer, whole(OTHER, etag='"b"'))

    assert [Cut, Cut, Saved] == list(map(type, outcomes))
    assert saved(target, OTHER) == outcomes[-1]
    assert [None, f"bytes={HALF}-", None] == ranges(requests)
    assert OTHER == target.read_bytes()
    assert [target] == listing(tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(whole(OTHER, etag='"b"'), id="S12-200"),
        pytest.param(whole(OTHER, etag='"a"'), id="S12-200-under-the-same-name"),
        pytest.param(part(OTHER, 0, etag='"b"'), id="S12-206-of-everything"),
    ],
)
async def test_everything_instead_of_the_rest_is_taken_from_its_beginning(answer: Script, tmp_path: Path, disk: Disk):
    """Servers that know no ranges, or have a new version, answer with the whole: that is as good."""
    target = tmp_path / "film.mp4"

    outcomes, requests = await attempts(Download(target, disk=disk), CUT, answer)

    assert saved(target, OTHER) == outcomes[-1]
    assert [None, f"bytes={HALF}-"] == ranges(requests)
    assert OTHER == target.read_bytes()


async def test_a_name_that_changes_with_every_answer_is_given_up(tmp_path: Path, disk: Disk):
    """S13: two servers behind one address name their copies differently. Asking for ranges in vain has an end."""
    target = tmp_path / "film.mp4"
    cut = [[head(content_length=len(FILM), etag=f'"{name}"') + FILM[:HALF], 0.1, FIN] for name in "ab" * 4]

    outcomes, requests = await attempts(Download(target, disk=disk), *cut, whole(FILM, etag='"a"'))

    assert saved(target, FILM) == outcomes[-1]
    asked = [f"bytes={HALF}-"] * MAX_FRUITLESS
    assert [None, *asked, *[None] * (len(cut) - MAX_FRUITLESS)] == ranges(requests)


RANGE = {"content_range": f"bytes {HALF}-{len(FILM) - 1}/{len(FILM)}", "etag": '"a"'}


async def test_the_connection_may_end_as_it_likes_once_all_bytes_are_there(tmp_path: Path, disk: Disk):
    """The total is met and the boxes are whole: that the last chunk's end is missing takes nothing away."""
    target = tmp_path / "film.mp4"
    unended = [head(206, transfer_encoding="chunked", **RANGE) + chunked(FILM[HALF:]), 0.02, FIN]

    outcomes, _ = await attempts(Download(target, disk=disk), CUT, unended)

    assert saved(target, FILM) == outcomes[-1]


# Too much.


async def test_an_endless_body_is_ended(tmp_path: Path, disk: Disk):
    """S17: it is given up at the cap, long before the disk is full, and nothing of it stays."""
    start = head(connection="close") + FTYP + box(b"mdat", size=0)
    limits = DownloadLimits(max_bytes=1 << 20, reserve=0)

    outcomes, _ = await attempts(
        Download(tmp_path / "film.mp4", disk=disk, limits=limits), [start, *[bytes(1 << 16)] * 100, SILENCE]
    )

    assert [Broken(reason="is longer than 1048576 bytes", retry=False)] == outcomes
    assert [] == listing(tmp_path)


@pytest.mark.parametrize("length", ["1000000000000000", "9" * 19])
async def test_an_absurd_length_is_refused_before_a_byte_is_written(length: str, tmp_path: Path, disk: Disk):
    """S17: no video is that long, and a retry would bring the same."""
    outcomes, _ = await attempts(
        Download(tmp_path / "film.mp4", disk=disk), [head(content_length=length) + FILM, SILENCE]
    )

    assert [Broken(reason=f"would have {length} bytes", retry=False)] == outcomes
    assert [] == listing(tmp_path)


async def test_a_length_beside_chunks_is_not_believed(tmp_path: Path, disk: Disk):
    """S17: RFC 9112, section 6.3, gives chunks the last word; whatever the client makes of it, only a whole film stays."""
    target = tmp_path / "film.mp4"
    both = head(content_length=10, transfer_encoding="chunked") + chunked(FILM) + b"0\r\n\r\n"

    outcomes, _ = await attempts(Download(target, disk=disk), [both, FIN], whole(FILM))

    assert saved(target, FILM) == outcomes[-1]
