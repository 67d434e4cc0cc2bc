"""Status requests go past the HTTP library's client; they must mean on the wire, and bring back, what they would through it."""

from __future__ import annotations

import asyncio
import gzip
import os
import ssl
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from aihubmix_video.errors import ConnectionFailed, MalformedReply, VideoError
from aihubmix_video.http.client import MAX_RESPONSE_BYTES, HttpClient, SendHook
from aihubmix_video.http.rate_gate import RateGate
from aihubmix_video.protocol.response import Response
from aihubmix_video.sandbox import Sandbox
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.settings import Secret, Settings
from tests.loopback.proxy import tunnelling
from tests.loopback.scripted import FIN, RST, SILENCE, End, Script, ScriptedServer, chunked, head, whole
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOB = b'{"id": "video_1", "status": "in_progress"}'
VIDEO_ID = "video_1/a b?é"
CHILD = Path(__file__).parents[1] / "children" / "tunnel_child.py"

ANSWERS: dict[str, Script] = {
    "with a length": whole(JOB),
    "in chunks": [head(transfer_encoding="chunked") + chunked(JOB[:9], JOB[9:]), b"0\r\n\r\n"],
    "byte by byte": [head(content_length=len(JOB)), *(JOB[at : at + 1] for at in range(len(JOB)))],
    "up to the end of the connection": [head() + JOB, FIN],
    "after informational answers": [head(102), head(103, link="</x>"), *whole(JOB)],
    "compressed unasked": whole(gzip.compress(JOB), content_encoding="gzip"),
    "without a body": [head(204)],
    "with an empty body": whole(b""),
    "an error": whole(b'{"error": "no"}', 500, retry_after="3"),
    "a redirect": whole(b"", 307, location="https://elsewhere.example/"),
    "switching protocols": [head(101, upgrade="websocket", connection="upgrade"), FIN],
    "with a cookie": whole(JOB, set_cookie="a=b"),
    "quoting the key": whole(b"Bearer sk-0123456789-test"),
    "of the greatest length": whole(b"x" * MAX_RESPONSE_BYTES),
    "longer than may be": whole(b"x" * (MAX_RESPONSE_BYTES + 1)),
    "longer than may be, without a length": [head() + b"x" * (2 * MAX_RESPONSE_BYTES), FIN],
    "cut in the body": [head(content_length=len(JOB)) + JOB[:9], FIN],
    "reset in the body": [head(content_length=len(JOB)) + JOB[:9], 0.1, RST],
    "cut in the head": [b"HTTP/1.1 200 OK\r\nContent-", FIN],
    "bad chunks": [head(transfer_encoding="chunked") + b"zz\r\n", FIN],
    "not HTTP": [b"SSH-2.0-OpenSSH_9.6\r\n", FIN],
    "two lengths": [head(content_length="5, 6") + JOB, FIN],
    "a huge header": [head(x_filler="x" * 100_000) + JOB, FIN],
    "nothing": [FIN],
    "a reset": [RST],
    "silence": [SILENCE],
    "silence in the body": [head(content_length=len(JOB)) + JOB[:9], SILENCE],
}


@asynccontextmanager
async def transported(server: ScriptedServer) -> AsyncIterator[HttpClient]:
    """Open a transport to the server that need not wait for its rate."""
    settings = Settings(api_key=Secret("sk-0123456789-test"), base_url=server.url.removesuffix("/video"))
    client = HttpClient(settings, RateGate(RateLimit.of_rate(1000.0, 1000)))
    client.open()
    try:
        yield client
    finally:
        await client.aclose()


async def asked(client: HttpClient, *, past_the_client: bool = True) -> tuple[object, ...]:
    """Ask once, and tell all that can be learnt of what came back."""
    send_hook = SendHook()
    if not past_the_client:
        client._direct = None
    try:
        reply = await client.send("GET", VIDEO_ID, seconds=5.0, send_hook=send_hook)
    except VideoError as error:
        text = str(error).replace(f":{client._base.port}: ", ": ")  # of each server its own
        return type(error), text, error.retryable, getattr(error, "body", None), send_hook.left
    assert isinstance(reply, Response)
    return reply.status, sorted(reply.headers.items()), reply.body, send_hook.left


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_understood_as_through_the_client(name: str):
    """Two ways to ask must not have two opinions; whatever is sent back, and however."""
    outcomes, requests = [], []
    for past_the_client in (True, False):
        async with ScriptedServer(ANSWERS[name]) as server, transported(server) as client:
            outcomes.append(await asked(client, past_the_client=past_the_client))
            requests.append([(each.method, each.path, each.headers) for each in server.requests])
    assert outcomes[1] == outcomes[0]
    ports = [headers.pop("host").rpartition(":")[0] for ((_, _, headers),) in requests]  # type: ignore[attr-defined]
    assert ["127.0.0.1", "127.0.0.1"] == ports
    assert requests[1] == requests[0]
    assert "GET" == requests[0][0][0]
    assert "/v1/videos/video_1%2Fa%20b%3F%C3%A9" == requests[0][0][1]


async def test_a_whole_answer_leaves_its_connection_to_the_next_request():
    """A connection per poll would cost a TLS handshake each."""
    async with ScriptedServer(whole(JOB)) as server, transported(server) as client:
        answers = [await asked(client) for _ in range(5)]
        assert [200] * 5 == [status for status, *_ in answers]
        assert 1 == server.connections


@pytest.mark.parametrize("name", ["longer than may be", "two lengths", "silence in the body", "cut in the body"])
async def test_what_is_left_of_a_broken_answer_is_never_taken_for_the_next_one(name: str):
    """The rest of a body, read as an answer about another job, would be believed."""
    async with ScriptedServer(ANSWERS[name], whole(JOB)) as server, transported(server) as client:
        assert await asked(client) != await asked(client)
        assert JOB == (await asked(client))[2]
        assert 2 == server.connections


@pytest.mark.parametrize("ending", [FIN, RST])
async def test_a_connection_that_breaks_is_told_and_not_asked_again(ending: End):
    """The library's client repeats a GET by itself, outside of any rate; here one call is one request."""
    async with ScriptedServer(whole(JOB), [ending]) as server, transported(server) as client:
        await asked(client)
        kind, text, retryable, _, left = await asked(client)
        assert (ConnectionFailed, True, True) == (kind, retryable, left)
        assert "the connection was closed or reset before an answer came" in str(text)
        assert 2 == len(server.requests)


async def test_a_connection_that_went_while_its_request_waited_for_its_turn_is_not_written_to():
    """A request may wait at the gate for longer than a server keeps an idle connection."""
    async with ScriptedServer([*whole(JOB), 1.0, FIN]) as server, transported(server) as client:
        await asked(client)
        client._gate = RateGate(RateLimit.of_rate(0.5).spend(asyncio.get_running_loop().time()))
        assert ConnectionFailed == (await asked(client))[0]
        assert 1 == len(server.requests)


async def test_a_stray_answer_before_the_request_is_not_taken_for_its_own():
    """Some servers say 408 on an idle connection and close it; that is no word about the job."""
    stray = head(408, content_length=0)
    async with ScriptedServer([*whole(JOB), 1.0, stray, 10.0]) as server, transported(server) as client:
        await asked(client)
        client._gate = RateGate(RateLimit.of_rate(0.5).spend(asyncio.get_running_loop().time()))
        assert ConnectionFailed == (await asked(client))[0]
        assert 1 == len(server.requests)


async def test_the_answer_to_a_malformed_one_is_malformed():
    """A scripted table of which no entry fails would prove little."""
    async with ScriptedServer(ANSWERS["not HTTP"]) as server, transported(server) as client:
        assert MalformedReply == (await asked(client))[0]


@pytest.mark.looptime(False)  # the other process lives in real time
async def test_it_asks_over_tls_and_through_a_proxy_like_the_client(tmp_path: Path):
    """The proxy's password is for the proxy alone, the key for the gateway alone, and one tunnel serves many requests."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with Sandbox(**AT_ONCE, ssl=context, keep_headers=True) as sandbox, tunnelling(sandbox.port) as (port, asked):
        told = await _told(sandbox, f"http://user:word@127.0.0.1:{port}", tmp_path / "ca.pem")
        assert ["404 False"] * 4 == told
        assert 1 == len(asked)
        assert asked[0].startswith(b"CONNECT 127.0.0.1:")
        assert b"Proxy-Authorization: Basic dXNlcjp3b3Jk" in asked[0]
        assert sandbox.api_key.encode() not in asked[0]
        for logged in sandbox.log:
            assert logged.authorized
            assert "proxy-authorization" not in {name.lower() for name, _ in logged.headers}


async def _told(sandbox: Sandbox, proxy: str, authorities: Path) -> list[str]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, CHILD, sandbox.url, sandbox.api_key, "video_1", proxy),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "SSL_CERT_FILE": str(authorities)},
    )
    out, _ = await child.communicate()
    return out.decode().split("\n")[:-1]


class OtherInsides:
    """What a later release of the library may look like from here."""

    async def get(self, segment: str, *_: object) -> tuple[int, dict[str, str]]:
        """Fail as a call with the wrong arguments does."""
        raise TypeError(segment)


async def test_a_library_with_other_insides_is_used_by_its_client():
    """The way past the client depends on what no release promises; nobody may lose a job because it changed."""
    async with ScriptedServer(whole(JOB)) as server, transported(server) as client:
        expected = await asked(client)
        client._direct = OtherInsides()  # type: ignore[assignment]  # that is what is tried
        assert [expected, expected] == [await asked(client), await asked(client)]
        assert client._direct is None
