"""Every kind of fault, as a client on the other end of the socket sees it."""

from __future__ import annotations

import asyncio
from json import dumps

import pytest

from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.sandboxes import NOW, REQUEST, client, create, raw

FILM = NOW["content"]


@pytest.mark.parametrize(
    ("fault", "starts", "ends", "how", "billed"),
    [
        (Fault.reset(), b"", b"", "RST", 1),
        (Fault.reset(unread=True), b"", b"", "RST", 0),
        (Fault.close(), b"", b"", "FIN", 1),
        (Fault.close(unread=True), b"", b"", "FIN", 0),
        (Fault.silence(), b"", b"", "open", 1),
        (Fault.status(500), b"HTTP/1.1 500 ", b'"type": "error"}', "open", 1),
        (Fault.status(524, after_processing=False), b"HTTP/1.1 524 ", b"}", "open", 0),
        (Fault.status(200, {"error": "no"}, after_processing=False), b"HTTP/1.1 200 ", b'{"error": "no"}', "open", 0),
        (Fault.status(200, '{"id": "\\u0000"}'), b"HTTP/1.1 200 ", b'{"id": "\\u0000"}', "open", 1),
        (Fault.html(502), b"HTTP/1.1 502 ", b"</html>\n", "open", 1),
        (Fault.busy(retry_after="-5"), b"HTTP/1.1 429 ", b"}", "open", 0),
        (Fault.redirect("https://example.com/", 307), b"HTTP/1.1 307 ", b"\r\n\r\n", "open", 0),
        (Fault.empty(204), b"HTTP/1.1 204 ", b"\r\n\r\n", "open", 1),
        (Fault.cut(20), b"HTTP/1.1 200 ", b'{"id":"eyJtb2RlbCI6I', "FIN", 1),
        (Fault.cut(20, ending="reset"), b"HTTP/1.1 200 ", b'{"id":"eyJtb2RlbCI6I', "RST", 1),
        (Fault.cut(20, ending="silence"), b"HTTP/1.1 200 ", b'{"id":"eyJtb2RlbCI6I', "open", 1),
        (Fault.cut(20, framing="none"), b"HTTP/1.1 200 ", b'{"id":"eyJtb2RlbCI6I', "FIN", 1),
        (Fault.chunked("bad"), b"HTTP/1.1 200 ", b"xyz\r\n", "FIN", 1),
        (Fault.chunked("missing"), b"HTTP/1.1 200 ", b"}\r\n", "FIN", 1),
        (Fault.length("5, 6"), b"HTTP/1.1 200 ", b"}", "FIN", 1),
        (Fault.edit({"id": None}), b"HTTP/1.1 200 ", b"}", "open", 1),
        (Fault.add_headers({"Set-Cookie": "a={n}"}), b"HTTP/1.1 200 ", b"}", "open", 1),
        (Fault.wait(0.05), b"HTTP/1.1 200 ", b"}", "open", 1),
        (Fault.drip(50, 0.001, head=True), b"HTTP/1.1 200 ", b"}", "open", 1),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_a_create_breaks_in_this_way_and_is_bought_or_not(
    fault: Fault, starts: bytes, ends: bytes, how: str, billed: int
):
    """One row per outcome a create can have; what was bought is known here, whatever the client learned."""
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(fault)

        # An open end cannot be waited for: it is what is left when everything has come.
        within, until = (0.3 if fault.name == "silence" else 5.0, ends) if how == "open" else (5.0, b"")
        came, ending = await raw(sandbox, within=within, until=until)

        assert (starts, how) == (came[: len(starts)], ending)
        assert came.endswith(ends)
        assert (billed, billed) == (sandbox.billed, len(sandbox.jobs))
        assert [fault.name] == [logged.fault for logged in sandbox.log]


@pytest.mark.parametrize(
    ("fault", "repeated"),
    [
        (Fault.endless("interim", every=0.001), b"HTTP/1.1 102 Processing\r\n\r\n"),
        (Fault.endless("headers", every=0.001), b"X-Sandbox-More: and more\r\n"),
    ],
)
async def test_an_answer_can_go_on_for_ever_without_a_body(fault: Fault, repeated: bytes):
    """Per-read timeouts never notice."""
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(fault)

        came, ending = await raw(sandbox, enough=500)

        assert "open" == ending
        assert 10 < came.count(repeated)


async def test_a_connection_can_close_as_its_next_request_arrives():
    """The race that makes HTTP libraries send a create twice."""
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(Fault.close(route="create", reused=True))
        reader, writer = await asyncio.open_connection(sandbox.host, sandbox.port)
        body = dumps(REQUEST)
        request = (
            f"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {sandbox.api_key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        writer.write(request.encode())
        first = await reader.readuntil(b'"error":null}')
        writer.write(request.encode())
        second = await reader.read()
        writer.close()
        await writer.wait_closed()

        assert first.startswith(b"HTTP/1.1 200 ")
        assert b"" == second
        assert 2 == sandbox.billed


async def test_a_sequence_of_faults_plays_out_in_order():
    """Status goes backwards, progress is not a number, then all is well."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        video_id = await create(session, model="sora-2", seconds="4")
        sandbox.faults.add(
            Fault.edit({"status": "in_progress", "progress": 3}, route="retrieve"),
            Fault.status(404, route="retrieve", skip=1),
            Fault.edit({"expires_at": 3.2e18, "data": {"id": "other"}}, route="retrieve"),
        )
        seen = []
        for _ in range(4):
            async with session.get(f"v1/videos/{video_id}") as answer:
                seen.append((answer.status, (await answer.json()).get("status")))

        assert [(200, "in_progress"), (200, "completed"), (404, None), (200, "completed")] == seen


async def test_a_delete_that_goes_unanswered_still_deletes():
    """As a create that goes unanswered still buys."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        sandbox.faults.add(Fault.reset(route="delete"))
        assert (b"", "RST") == await raw(sandbox, "DELETE", f"/v1/videos/{video_id}")
        async with session.get(f"v1/videos/{video_id}") as answer:
            assert 404 == answer.status


async def film(
    sandbox: Sandbox, fault: Fault, asked: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Download a film under a fault with a client that forgives what can be forgiven."""
    async with client(sandbox) as session:
        video_id = await create(session)
        sandbox.faults.add(fault)
        async with session.get(f"v1/videos/{video_id}/content", headers=asked or {}) as answer:
            return answer.status, dict(answer.headers), await answer.read()


@pytest.mark.parametrize(
    ("fault", "asked", "status", "content_range", "body"),
    [
        (Fault.range("ignored"), {"Range": "bytes=900-"}, 200, None, FILM),
        (Fault.range("unasked"), {}, 206, "bytes 0-999/1000", FILM),
        (Fault.range("wrong_start"), {"Range": "bytes=900-"}, 206, "bytes 899-999/1000", FILM[899:]),
        (Fault.range("unsatisfiable"), {"Range": "bytes=900-"}, 416, "bytes */1000", b""),
        (Fault.empty(200), {}, 200, None, b""),
        (Fault.html(200), {}, 200, None, None),
        (Fault.status(425), {}, 425, None, None),
        (Fault.drip(100, 0.001), {}, 200, None, FILM),
        (Fault.chunked(), {}, 200, None, FILM),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_a_download_goes_wrong_in_this_way(
    fault: Fault, asked: dict[str, str], status: int, content_range: str | None, body: bytes | None
):
    """What a downloader must not save as a film, or must not splice."""
    async with Sandbox(**NOW) as sandbox:
        got_status, headers, got = await film(sandbox, fault, asked)

    assert (status, content_range) == (got_status, headers.get("Content-Range"))
    assert body in {None, got}


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("framing", ["length", "none"])
async def test_a_download_is_cut_after_exactly_so_many_bytes(ending: str, framing: str):
    """With a length the cut can be seen, without one it cannot; RST must not overtake the bytes before it."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        sandbox.faults.add(Fault.cut(345, ending=ending, framing=framing, route="content"))

        came, how = await raw(sandbox, "GET", f"/v1/videos/{video_id}/content")

        head, _, body = came.partition(b"\r\n\r\n")
        assert FILM[:345] == body
        assert ("FIN" if ending == "close" else "RST") == how
        assert ("length" == framing) == (b"Content-Length: 1000" in head)


async def test_validators_and_films_can_flip_between_requests():
    """A resume under another ETag, or another film under the same one."""
    async with Sandbox(generation=0.0, render=False) as sandbox, client(sandbox) as session:
        video_id = await create(session)

        async def fetch() -> tuple[str, bytes]:
            async with session.get(f"v1/videos/{video_id}/content") as answer:
                return answer.headers["ETag"], await answer.read()

        plain = await fetch()
        sandbox.faults.add(Fault.etag(times=2), Fault.swap("same_etag"), Fault.swap("new_etag"))
        again, flipped, same_tag, new_tag = [await fetch() for _ in range(4)]

        assert plain == again
        assert (plain[0] != flipped[0], plain[1]) == (True, flipped[1])
        assert (plain[0], len(plain[1])) == (same_tag[0], len(same_tag[1]))
        assert plain[1] != same_tag[1]
        assert plain[0] != new_tag[0]
        assert same_tag[1] == new_tag[1]
        assert plain == await fetch()


async def test_a_body_can_be_endless():
    """No length, no end; only a cap stops it."""
    async with Sandbox(**NOW) as sandbox, client(sandbox) as session:
        video_id = await create(session)
        sandbox.faults.add(Fault.endless("body", route="content"))

        came, how = await raw(sandbox, "GET", f"/v1/videos/{video_id}/content", enough=10_000_000)

        assert (True, "open") == (len(came) >= 10_000_000, how)


@pytest.mark.parametrize(
    ("fault", "size"), [(Fault.huge_body(3_000_000), 3_000_000), (Fault.huge_header(1_000_000), 1_000_000)]
)
async def test_bodies_and_headers_can_be_huge(fault: Fault, size: int):
    """Caps are there to be met."""
    async with Sandbox(**NOW) as sandbox:
        sandbox.faults.add(fault)

        came, _ = await raw(sandbox, enough=size)

        assert size <= len(came) < size + 1000
