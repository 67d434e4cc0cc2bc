"""What each answer to a create means for money, by what really arrived at the gateway.

Nothing is simulated but time: where a client might send a create again later, the test waits ten minutes of the loop's time.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import warnings
from asyncio.subprocess import PIPE
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from aihubmix_video import VideoSession, errors
from aihubmix_video.sandbox import Fault, Sandbox
from tests.loopback.scripted import FIN, RST, SILENCE, End, ScriptedServer, head, whole
from tests.loopback.sessions import AT_ONCE, WAN, opened, seen, times

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aihubmix_video.errors import Charged
    from aihubmix_video.sandbox.faults import Match

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

LATER = 600.0
"""Seconds after which whatever would be sent again has been."""

CHILD = Path(__file__).parents[1] / "children" / "tls_child.py"


async def buy(session: VideoSession) -> str:
    """Buy one job, and return its id."""
    return (await session.videos.create("a cat", **WAN)).id


async def fail(buying: Awaitable[object]) -> errors.VideoError:
    """Return the error that a purchase ends in, once nothing can follow any more."""
    with pytest.raises(errors.VideoError) as caught:
        await buying
    await asyncio.sleep(LATER)
    return caught.value


def origin(server: ScriptedServer) -> str:
    """Yield the base URL of a scripted server."""
    return server.url.removesuffix("/video")


def named(*rows: tuple[Any, ...]) -> list[Any]:
    """Return test parameters from rows whose first field is the name."""
    return [pytest.param(*row[1:], id=row[0].replace(" ", "-")) for row in rows]


# Bought, perhaps.

BODY = b'{"id":"video_0123456789","status":"queued"}'
CREATE: Match = {"route": "create"}

UNKNOWN = named(
    ("reset after the body", Fault.reset(**CREATE)),
    ("FIN after the body", Fault.close(**CREATE)),
    ("silence", Fault.silence(**CREATE)),
    ("one byte at a time for ever", Fault.drip(1, every=20.0, **CREATE)),
    ("interim answers for ever", Fault.endless("interim", every=5.0, **CREATE)),
    ("headers for ever", Fault.endless("headers", every=5.0, **CREATE)),
    ("cut with a length", Fault.cut(20, **CREATE)),
    ("cut by reset", Fault.cut(20, ending="reset", **CREATE)),
    ("cut in chunks", Fault.cut(20, framing="chunked", **CREATE)),
    ("cut without a length", Fault.cut(20, framing="none", **CREATE)),
    ("cut into silence", Fault.cut(20, ending="silence", **CREATE)),
    ("bad chunk", Fault.chunked("bad", **CREATE)),
    ("two lengths", Fault.length("5, 6", **CREATE)),
    ("huge header", Fault.huge_header(**CREATE)),
    ("longer than 1 MiB", Fault.huge_body(2 << 20, **CREATE)),
    ("empty 200", Fault.empty(**CREATE)),
    ("204", Fault.empty(204, **CREATE)),
    ("HTML 200", Fault.html(200, **CREATE)),
    ("half a JSON", Fault.status(200, BODY[:20], **CREATE)),
    ("a list", Fault.status(200, b'["video_1"]', **CREATE)),
    ("no id", Fault.edit({"id": ...}, **CREATE)),
    ("id null", Fault.edit({"id": None}, **CREATE)),
    ("id a fraction", Fault.edit({"id": 12345.5}, **CREATE)),
    ("id a list", Fault.edit({"id": ["video_1"]}, **CREATE)),
    ("id empty", Fault.edit({"id": ""}, **CREATE)),
    ("id of dots", Fault.edit({"id": ".."}, **CREATE)),
    ("id with NUL", Fault.edit({"id": "video\x00"}, **CREATE)),
    ("deep JSON", Fault.status(200, b'{"id":' + b"[" * 100_000, **CREATE)),
    ("long number", Fault.status(200, b'{"id":' + b"1" * 5_000 + b"}", **CREATE)),
    ("408", Fault.status(408, **CREATE)),
    *((f"{code}", Fault.status(code, **CREATE)) for code in (500, 502, 503, 504, 520, 524)),
    *((f"{code} HTML", Fault.html(code, **CREATE)) for code in (500, 502, 503, 504, 520, 524)),
    ("504 empty", Fault.empty(504, **CREATE)),
)


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_a_create_that_may_be_bought_is_sent_once_and_told_as_uncertain(fault: Fault):
    """It was bought and its response lost, so sending it again would buy a second one."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(fault)
        error = await fail(buy(session))
        assert errors.SubmitUncertain is type(error)
        assert "unknown" == error.charged
        assert not error.retryable
        assert error.job_key
        assert "Do not submit it again before checking the console" in str(error)
        assert 1 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


async def test_an_id_that_is_a_number_is_bought_under_its_digits():
    """Gateways with a numbered table answer so; to call that uncertain would stop a batch that works."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.edit({"id": 12345678}, **CREATE))
        video = await session.videos.create("a cat", **WAN)
        assert ("12345678", 1) == (video.id, sandbox.billed)


async def test_an_uncertain_create_repeats_the_gateways_words():
    """They may say what the user needs to know, and are all that is known."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(200, {"note": "come to the office"}, **CREATE))
        error = await fail(buy(session))
        assert isinstance(error, errors.SubmitUncertain)
        assert "come to the office" in str(error)


async def test_what_an_uncertain_answer_said_is_kept():
    """Half a response may show the id that the user needs to find the job."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.status(200, BODY[:30], **CREATE))
        error = await fail(buy(session))
        assert isinstance(error, errors.SubmitUncertain)
        assert BODY[:30] == error.body


@pytest.mark.parametrize("ending", [FIN, RST, SILENCE])
async def test_of_an_answer_that_was_cut_on_the_way_the_beginning_is_kept(ending: End):
    """The id is at the beginning of most responses, so the part that arrived is all that leads to a paid job."""
    begun = head(200, content_length=len(BODY)) + BODY[:30]
    async with ScriptedServer([begun, 1.0, ending]) as server:
        async with VideoSession("sk-none", base_url=origin(server), trust_env=False) as session:
            error = await fail(buy(session))
        assert isinstance(error, errors.SubmitUncertain)
        assert BODY[:30] == error.body
        assert 1 == len(server.requests)


async def test_of_an_answer_without_end_the_beginning_is_kept():
    """A response that is too long must not lose the id that it began with."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.huge_body(2 << 20, **CREATE))
        error = await fail(buy(session))
        assert isinstance(error, errors.SubmitUncertain)
        assert error.body.startswith(b'{"id":"xxx')


async def test_a_create_never_leaves_over_a_kept_connection():
    """Servers close idle connections just as the next request arrives; clients that resend then pay twice, others never know."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.close(reused=True, times=None, **CREATE))
        bought = {await buy(session) for _ in range(200)}
        await asyncio.sleep(LATER)
        assert 200 == sandbox.billed == seen(sandbox)["create"] == len(bought)


# Bought, as the response says.

BOUGHT = named(
    ("error beside the id", Fault.edit({"error": {"message": "slow today", "code": "odd"}}, **CREATE), None),
    ("two ids", Fault.edit({"id": "video_first", "data": {"id": "video_second"}}, **CREATE), "video_first"),
    ("chunked", Fault.chunked("good", **CREATE), None),
    ("late", Fault.wait(170.0, **CREATE), None),
)


@pytest.mark.parametrize(("fault", "video_id"), BOUGHT)
async def test_a_create_answered_with_an_id_is_bought(fault: Fault, video_id: str | None):
    """Whatever else the response has, the id is the only thing that leads to what was paid for."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(fault)
        got = await buy(session)
        await asyncio.sleep(LATER)
        assert (video_id or next(iter(sandbox.jobs))) == got
        assert 1 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


# Refused.

GATEWAY_ERROR = {"error": {"message": "insufficient_user_quota: top up", "code": "insufficient_user_quota"}}
MODERATED = {"error": {"message": "Your request was blocked by our moderation system.", "code": "moderation_blocked"}}

REFUSED = named(
    ("400", Fault.status(400, **CREATE), errors.RequestRefused, "change it as the message says"),
    ("400 that is too long to read", Fault.status(400, "x" * (2 << 20), **CREATE), errors.RequestRefused, "change it"),
    ("401", Fault.status(401, **CREATE), errors.AuthenticationError, "Check AIHUBMIX_API_KEY"),
    ("402", Fault.status(402, **CREATE), errors.InsufficientBalance, "Top up the account"),
    ("403", Fault.status(403, **CREATE), errors.PermissionDenied, "Check in the console"),
    ("403 balance", Fault.status(403, GATEWAY_ERROR, **CREATE), errors.InsufficientBalance, "Top up the account"),
    ("404", Fault.status(404, **CREATE), errors.RequestRefused, "change it"),
    ("405", Fault.status(405, **CREATE), errors.RequestRefused, "change it"),
    ("413", Fault.status(413, **CREATE), errors.RequestRefused, "change it"),
    ("413 HTML", Fault.html(413, **CREATE), errors.RequestRefused, "change it"),
    ("415", Fault.status(415, **CREATE), errors.RequestRefused, "change it"),
    ("422", Fault.status(422, **CREATE), errors.RequestRefused, "change it"),
    ("429 balance", Fault.status(429, GATEWAY_ERROR, **CREATE), errors.InsufficientBalance, "Top up"),
    ("501", Fault.status(501, **CREATE), errors.RequestRefused, "change it"),
    ("moderation", Fault.status(400, MODERATED, **CREATE), errors.ContentRefused, "Change the prompt"),
    ("no channel 500", Fault.no_channel(**CREATE), errors.ModelUnavailable, "aihubmix-video models"),
    ("no channel 503", Fault.no_channel(503, **CREATE), errors.ModelUnavailable, "aihubmix-video models"),
    (
        "200 with an error",
        Fault.status(200, MODERATED, after_processing=False, **CREATE),
        errors.ContentRefused,
        "Change the prompt",
    ),
    (
        "200 with an error of no known words",
        Fault.status(200, {"error": "no"}, after_processing=False, **CREATE),
        errors.VideoError,
        "",
    ),
)


@pytest.mark.parametrize(("fault", "kind", "advice"), REFUSED)
async def test_a_refused_create_is_final_and_free(fault: Fault, kind: type[errors.VideoError], advice: str):
    """An explicit refusal means that nothing was bought, and that a retry would be refused too."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(fault)
        error = await fail(buy(session))
        assert isinstance(error, kind)
        assert not isinstance(error, errors.SubmitUncertain)
        assert "no" == error.charged
        assert not error.retryable
        assert advice in str(error)
        assert str(error) != error.message, "it says what to do"
        assert 0 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirected_create_is_not_followed(code: int):
    """If followed, a 307 would buy from another server, and a 301 would become a GET whose 200 looks like success."""
    async with ScriptedServer(whole(BODY)) as elsewhere, Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.redirect(elsewhere.url, code, **CREATE))
        error = await fail(buy(session))
        assert isinstance(error, errors.ConfigurationError)
        assert "no" == error.charged
        assert "to the host 127.0.0.1; the base URL is wrong" in str(error)
        assert [] == elsewhere.requests
        assert 0 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


# Refused for now.

BUSY = named(
    ("429", Fault.busy(**CREATE), 0.0),
    ("429 with Retry-After", Fault.busy(retry_after="40", **CREATE), 40.0),
    ("429 with Retry-After 0", Fault.busy(retry_after="0", **CREATE), 0.0),
    ("429 with a word as Retry-After", Fault.busy(retry_after="soon", **CREATE), 0.0),
    ("503 naming a rate limit", Fault.busy(503, **CREATE), 0.0),
)


@pytest.mark.parametrize(("fault", "wait"), BUSY)
async def test_a_create_that_came_too_fast_is_sent_again_and_bought_once(fault: Fault, wait: float):
    """Nothing was bought the first time, and the gateway said so. It also said when to retry."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(fault)
        assert await buy(session) in sandbox.jobs
        await asyncio.sleep(LATER)
        assert 1 == sandbox.billed
        assert {"create": 2} == seen(sandbox)
        first, second = times(sandbox, "create")
        assert wait <= second - first < 130


async def test_a_create_that_is_always_too_fast_ends_unbought():
    """No request is retried for ever. The error says that the gateway's rate was exceeded, and nothing was charged."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        sandbox.faults.add(Fault.busy(times=None, **CREATE))
        error = await fail(buy(session))
        assert isinstance(error, errors.RateLimited)
        assert "no" == error.charged
        assert "try again later" in str(error)
        assert 0 == sandbox.billed
        assert seen(sandbox)["create"] <= 10


# Not sent.


async def test_a_refused_connection_is_tried_again_until_the_gateway_is_up():
    """What was never sent cannot have been bought, so an outage of seconds must not cause an error."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        await sandbox.down()
        buying = asyncio.create_task(buy(session))
        await asyncio.sleep(5.0)
        assert not buying.done()
        await sandbox.up()
        assert await buying in sandbox.jobs
        await asyncio.sleep(LATER)
        assert 1 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


async def test_a_gateway_that_stays_down_is_told_as_such():
    """After a few attempts the error says where it failed, and that nothing was bought."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox) as session:
        await sandbox.down()
        error = await fail(buy(session))
        assert isinstance(error, errors.ConnectionFailed)
        assert not error.sent
        assert ("no", True) == (error.charged, error.retryable)
        assert f"127.0.0.1:{sandbox.port}: no connection could be made: the connection was refused" in str(error)
        assert "Check the network, the proxy and the base URL" in str(error)
        await sandbox.up()
        await asyncio.sleep(LATER)
        assert {} == seen(sandbox)
        assert 0 == sandbox.billed


async def test_a_black_hole_is_given_up_on_and_tried_again_later():
    """A firewall that drops packets sends no response. Only the connect timeout ends the wait, and nothing was sent."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as queue:
        for _ in range(4):  # more than the backlog takes; further connections are not answered
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        async with VideoSession("sk-none", base_url=url, trust_env=False) as session:
            error = await fail(buy(session))
        assert isinstance(error, errors.ConnectionFailed)
        assert ("no", False, True) == (error.charged, error.sent, error.retryable)
        assert "no connection within 15 s" in str(error)


async def test_a_host_with_a_dead_address_is_reached_at_its_other():
    """If localhost is also ::1, no server listens there. A second address must not mean a second create."""
    async with Sandbox(**AT_ONCE) as sandbox, opened(sandbox, base_url=f"http://localhost:{sandbox.port}") as session:
        assert await buy(session) in sandbox.jobs
        assert {"create": 1} == seen(sandbox)


async def test_a_host_that_does_not_resolve_is_named():
    """A mistyped base URL is the likely cause, so the host must be in the message."""
    async with VideoSession("sk-none", base_url="https://nowhere.invalid", trust_env=False) as session:
        error = await fail(buy(session))
        assert isinstance(error, errors.ConnectionFailed)
        assert not error.sent
        assert "no" == error.charged
        assert "nowhere.invalid:443: the host name nowhere.invalid cannot be resolved" in str(error)


@pytest.mark.parametrize("name", ["127.0.0.1", "example.org"])
async def test_a_gateway_of_unknown_certificate_gets_nothing(name: str):
    """An untrusted certificate may be an attacker's: neither key nor request is sent, and a retry would not help."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(name).configure_cert(context)
    async with Sandbox(**AT_ONCE, ssl=context) as sandbox, opened(sandbox) as session:
        error = await fail(buy(session))
        assert isinstance(error, errors.ConnectionFailed)
        assert not error.sent
        assert ("no", False) == (error.charged, error.retryable)
        assert "its TLS certificate is not trusted: no authority that this machine knows has signed it" in str(error)
        assert {} == seen(sandbox)
        assert 0 == sandbox.billed


@pytest.mark.looptime(False)  # the child lives in real time
@pytest.mark.parametrize(
    ("name", "expires", "outcome"),
    [
        ("127.0.0.1", None, "bought"),
        ("example.org", None, "it is for another address"),
        ("127.0.0.1", datetime(2020, 1, 1, tzinfo=UTC), "it has expired"),
    ],
    ids=["its own", "another's", "expired"],
)
async def test_a_trusted_certificate_counts_for_its_own_host_and_time_only(
    name: str, expires: datetime | None, outcome: str, tmp_path: Path
):
    """Otherwise any site's certificate, or a stolen expired one, would do. The child trusts the test's authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=expires).configure_cert(context)
    environ = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    async with Sandbox(**AT_ONCE, ssl=context) as sandbox:
        child = await asyncio.create_subprocess_exec(
            sys.executable, CHILD, sandbox.url, sandbox.api_key, stdout=PIPE, env=environ
        )
        told, _ = await child.communicate()
        assert outcome in told.decode()
        assert int(outcome == "bought") == sandbox.billed == len(sandbox.log)


async def test_a_gateway_that_speaks_old_tls_only_gets_nothing():
    """TLS 1.1 is broken, so a server that supports nothing newer cannot be trusted with the key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library warns of them, too
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with Sandbox(**AT_ONCE, ssl=context) as sandbox, opened(sandbox) as session:
        error = await fail(buy(session))
        assert isinstance(error, errors.ConnectionFailed)
        assert ("no", False) == (error.charged, error.sent)
        assert "connection could be made" in str(error)  # it may reset the connection instead of sending an alert
        assert {} == seen(sandbox)


async def test_plain_text_behind_https_is_no_tls():
    """A proxy that answers http on the TLS port is a wrong address, and must see nothing of the request."""
    async with ScriptedServer([head(400), RST]) as plain:
        url = origin(plain).replace("http:", "https:")
        async with VideoSession("sk-none", base_url=url, trust_env=False) as session:
            error = await fail(buy(session))
        assert isinstance(error, errors.ConnectionFailed)
        assert ("no", False) == (error.charged, error.sent)
        assert [] == plain.requests


# Closing while creates are under way.


async def leaving(sandbox: Sandbox, fault: Fault) -> asyncio.Task[str]:
    """Close a session a second after a create left that meets *fault*."""
    sandbox.faults.add(fault)
    async with opened(sandbox) as session:
        buying = asyncio.create_task(buy(session))
        await asyncio.sleep(1.0)
        assert not buying.done()
    return buying


async def test_a_create_under_way_learns_its_id_while_the_session_closes():
    """It is paid for, so waiting a few seconds is better than losing its id."""
    async with Sandbox(**AT_ONCE) as sandbox:
        buying = await leaving(sandbox, Fault.wait(4.0, **CREATE))
        assert await buying in sandbox.jobs
        assert 1 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


@pytest.mark.parametrize("fault", [Fault.wait(60.0, **CREATE), Fault.silence(**CREATE)], ids=["late", "never"])
async def test_a_create_not_answered_within_the_grace_is_uncertain(fault: Fault):
    """Closing must end, and what it leaves behind may have been bought."""
    async with Sandbox(**AT_ONCE) as sandbox:
        error = await fail(await leaving(sandbox, fault))
        assert isinstance(error, errors.SubmitUncertain)
        assert "unknown" == error.charged
        assert "closed before the create was answered" in str(error)
        assert "Do not submit it again" in str(error)
        assert 1 == sandbox.billed
        assert {"create": 1} == seen(sandbox)


@pytest.mark.parametrize("last", [buy, lambda session: session.submit("a cat", **WAN)], ids=["create", "submit"])
async def test_a_create_still_queued_when_the_session_closes_is_not_bought(
    last: Callable[[VideoSession], Awaitable[object]],
):
    """Nothing new is bought while closing, and the error says that it was not charged."""
    charged: Charged = "no"
    async with Sandbox(**AT_ONCE) as sandbox:
        async with opened(sandbox, rate=0.01, burst=1) as session:
            await buy(session)
            queued = asyncio.ensure_future(last(session))
            await asyncio.sleep(1.0)
        error = await fail(queued)
        assert isinstance(error, errors.SessionClosed)
        assert charged == error.charged
        assert 1 == sandbox.billed
        assert {"create": 1} == seen(sandbox)
