"""Odd heads of responses: what proxies really send is read, and of what no parser reads the id is not lost."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from aihubmix_video import VideoSession, errors
from aihubmix_video.cli.ledger_location import uncertain_lines
from aihubmix_video.http.response_head import MAX_HEAD_BYTES, RAW_BYTES, RawResponse
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.proxy import tunnelling
from tests.loopback.scripted import FIN, RST, SILENCE, Script, ScriptedServer
from tests.loopback.sessions import AT_ONCE, WAN, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CHILD = Path(__file__).parents[1] / "children" / "tls_child.py"
BODY = b'{"id":"video_0123456789","status":"queued"}'
LONG = b"X-Long: " + b"x" * 9000 + b"\r\n"
MANY = b"".join(b"X-%d: a\r\n" % number for number in range(200))


def answered(headers: bytes = b"", status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """Make an answer with these raw header lines."""
    return status + b"\r\nContent-Length: %d\r\n" % len(BODY) + headers + b"\r\n" + BODY


UNDERSTOOD = {
    "a header of 9 KB": answered(LONG),
    "a header of 200 KB": answered(b"X: " + b"x" * 200_000 + b"\r\n"),
    "a long name": answered(b"X-" + b"n" * 9000 + b": 1\r\n"),
    "200 headers": answered(MANY),
    "a reason of 9 KB": answered(status=b"HTTP/1.1 200 " + b"x" * 9000),
    "a folded header": answered(b"X: a\r\n  b\r\n"),
    "control characters": answered(b"X: a\x01b\x7f\r\n"),
    "UTF-8 in a header": answered("X: 视频\r\n".encode()),
    "Latin-1 in a header": answered(b"X: \xe9\xff\r\n"),
    "no reason phrase": answered(status=b"HTTP/1.1 200"),
    "an empty reason phrase": answered(status=b"HTTP/1.1 200 "),
    "HTTP/1.0": answered(status=b"HTTP/1.0 200 OK"),
    "line feeds alone": answered().replace(b"\r\n", b"\n"),
    "two types": answered(b"Content-Type: a/b\r\nContent-Type: c/d\r\n"),
    "informational answers with long headers": b"HTTP/1.1 103 Early Hints\r\n" + LONG * 20 + b"\r\n" + answered(LONG),
}

REFUSED: dict[str, Sequence[bytes | float]] = {
    "a head over the limit": [answered(b"X: " + b"x" * (MAX_HEAD_BYTES + 1000) + b"\r\n")],
    "many lines over the limit": [answered(b"".join(b"X%d: %s\r\n" % (n, b"x" * 1000) for n in range(900)))],
    "2,000 headers": [answered(MANY * 10)],
    "two equal lengths": [answered(b"Content-Length: %d\r\n" % len(BODY))],
    "two different lengths": [answered(b"Content-Length: 5\r\n")],
    "a length that is too short": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + BODY],
    "length and chunks": [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY)
    ],
    "an empty length": [b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n" + BODY],
    "a bad chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY],
    "NUL": [answered(b"X: a\x00b\r\n")],
    "UTF-8 in a name": [answered("视: 1\r\n".encode())],
    "a line without a colon": [answered(b"garbage\r\n")],
    "a space before the colon": [answered(b"X : 1\r\n")],
    "an unknown protocol": [answered(status=b"ICY 200 OK")],
    "no head at all": [BODY],
    "another encoding than declared": [answered(b"Content-Encoding: gzip\r\n")],
    "a body that comes after the bad head": [answered(b"garbage\r\n")[:60], 0.5, answered(b"garbage\r\n")[60:]],
    "a body in pieces after the bad head": [b"garbage\r\n\r\n", *(BODY[at : at + 5] for at in range(0, len(BODY), 5))],
}


async def bought(script: Script, *, later: float = 300.0, **options: object) -> tuple[str, int]:
    """Buy one video at a server that answers with *script*; gives its id and how many requests were sent.

    Nothing may follow within *later* seconds.
    """
    async with ScriptedServer(script) as server:
        url = server.url.removesuffix("/video")
        async with VideoSession("sk-0123456789-test", base_url=url, trust_env=False, **options) as session:  # type: ignore[arg-type]
            try:
                return (await session.videos.create("a cat", **WAN)).id, len(server.requests)
            finally:
                await asyncio.sleep(later)
                assert 1 == len(server.requests)


@pytest.mark.parametrize("name", UNDERSTOOD)
async def test_what_proxies_send_is_bought_and_kept(name: str):
    """The library's own limits lost the id of a paid job for a header of 8,191 bytes, or for 129 of them."""
    assert ("video_0123456789", 1) == await bought([UNDERSTOOD[name]])


@pytest.mark.parametrize("end", [FIN, RST, SILENCE])
@pytest.mark.parametrize("name", REFUSED)
async def test_of_what_no_parser_reads_the_id_is_offered(name: str, end: object):
    """The job may be bought, and the only trace of it stands in bytes that were thrown away."""
    with pytest.raises(errors.SubmitUncertain) as caught:
        await bought([*REFUSED[name], 0.1, end])  # type: ignore[list-item]
    error = caught.value
    assert BODY[:30] in error.body
    assert "The id video_0123456789 stands in the answer" in error.message
    assert "`aihubmix-video download video_0123456789`" in error.message
    assert "unknown" == error.charged


@pytest.mark.looptime(False)  # the ledger's thread lives in real time
async def test_the_offer_names_the_job_of_the_ledger_and_is_still_there_later(tmp_path: Path):
    """Whoever decides about it does so in another process: the bytes and the command must outlive this one."""
    with pytest.raises(errors.SubmitUncertain) as caught:
        await bought([answered(b"garbage\r\n"), 0.1, FIN], later=0.0, ledger=tmp_path / "jobs.db")
    key = caught.value.job_key
    assert f"`aihubmix-video resume DIR --attach {key}=video_0123456789`" in str(caught.value)
    async with aclosing(await SqliteLedger.open(tmp_path / "jobs.db")) as ledger:
        entry = await ledger.entry(key or "")
    assert entry is not None
    assert BODY in entry.error_body
    assert f"out --attach {key}=video_0123456789" in "\n".join(uncertain_lines([entry], "out"))


async def test_a_key_that_a_refused_answer_quotes_is_not_kept():
    """The bytes go to the disk and into reports; gateways quote the key."""
    quoting = answered(b"garbage\r\nX-Auth: Bearer sk-0123456789-test\r\nY: sk-" + b"a" * 48 + b"\r\n")
    with pytest.raises(errors.SubmitUncertain) as caught:
        await bought([quoting, 0.1, FIN])
    assert BODY in caught.value.body
    assert b"sk-01234" not in caught.value.body
    assert b"aaaa" not in caught.value.body


async def test_a_refused_answer_without_end_is_let_go_of():
    """A server that goes on sending must not hold the create, nor fill the memory."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with pytest.raises(errors.SubmitUncertain) as caught:
        await bought([BODY, *(b"x" * 65536, 0.5) * 100])
    assert loop.time() - begun < 300.0 + 10.0
    assert b"video_0123456789" in caught.value.body


@pytest.mark.parametrize("route", ["retrieve", "content"])
@pytest.mark.parametrize(
    "headers", [{"X-Long": "x" * 9000}, {f"X-{number}": "a" for number in range(200)}], ids=["long", "many"]
)
async def test_such_a_header_on_every_poll_and_content_answer_is_nothing_to_stop_at(
    route: str, headers: dict[str, str], tmp_path: Path
):
    """A proxy that adds it adds it to each answer, and a paid video was never fetched."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault(name="headers", headers=tuple(headers.items()), route=route, times=None))
        video = await session.generate("a cat", **WAN, to=tmp_path / "cat.mp4")
        assert 50_000 == video.bytes_written
        assert 3 == len(sandbox.log)


@pytest.mark.looptime(False)  # the child lives in real time
@pytest.mark.parametrize("tunnel", [False, True], ids=["direct", "proxy"])
async def test_it_holds_over_tls_and_through_a_proxy_too(*, tunnel: bool, tmp_path: Path):
    """There the response comes over another of the library's objects, and the proxy's own answer before it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with Sandbox(**AT_ONCE, ssl=context) as sandbox, tunnelling(sandbox.port) as (port, _):
        sandbox.faults.add(Fault(name="two lengths", headers=(("Content-Length", "5, 6"),), route="create"))
        environ = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        if tunnel:
            environ["HTTPS_PROXY"] = f"http://127.0.0.1:{port}"
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, CHILD, sandbox.url, sandbox.api_key), stdout=asyncio.subprocess.PIPE, env=environ
        )
        told, _ = await child.communicate()
        assert f"The id {next(iter(sandbox.jobs))} stands in the answer" in told.decode()
        assert 1 == sandbox.billed


async def test_raw_bytes_are_bounded():
    """One create must not hold more than it says, however much comes."""
    raw = RawResponse()
    for number in range(100):
        raw.update(b"%04d" % number * 2000)
    assert RAW_BYTES == len(bytes(raw))
    assert bytes(raw).startswith(b"0000")
    assert bytes(raw).endswith(b"0099")
    raw.clear()
    assert b"" == bytes(raw)
