"""Why no answer came, in our own words."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from aihubmix_video.errors import ConnectionFailed, DownloadFailed, MalformedReply
from aihubmix_video.http.checked_resolver import AddressRefusedError
from aihubmix_video.http.connection_errors import CAUSES, RepeatRefusedError, failure, reason

KEY = ConnectionKey("gateway.test", 443, True, True, None, None, None)
PROXY = ConnectionKey("proxy.test", 3128, False, True, None, None, None)
RAW = re.compile(r"Errno|Connect call|ssl:|Cannot connect|\[|0x|Multiple exceptions|_ssl\.c")


def certificate(code: int) -> aiohttp.ClientConnectorCertificateError:
    """Make the library's error for a certificate that OpenSSL refuses."""
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)")
    error.verify_code, error.verify_message = code, "raw [words]"
    return aiohttp.ClientConnectorCertificateError(KEY, error)


@pytest.mark.parametrize(
    ("error", "said", "retryable"),
    [
        (errno.ECONNREFUSED, "the connection was refused", True),
        (errno.EHOSTUNREACH, "there is no route to it", True),
        (errno.ENETUNREACH, "there is no route to it", True),
        (errno.ETIMEDOUT, "it did not answer in time", True),
        (errno.ECONNRESET, "the connection was reset", True),
        (errno.EACCES, "its firewall does not allow the connection", True),
        (errno.EMFILE, "too many files are open", True),
        (errno.EXDEV, "the system's reason was EXDEV", True),
        (None, "the system's reason was OSError", True),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "cannot be resolved: there is no such name.",
            True,
        ),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "cannot be resolved: no name server answered.", True),
        (socket.gaierror(socket.EAI_FAIL, "Non-recoverable"), "the host name gateway.test cannot be resolved.", True),
        (AddressRefusedError(), "leads only to addresses that are not contacted", False),
        (certificate(10), "its TLS certificate is not trusted: it has expired.", False),
        (certificate(18), "is not trusted: no authority that this machine knows has signed it.", False),
        (certificate(62), "is not trusted: it is for another host.", False),
        (certificate(4242), "is not trusted: it cannot be verified (OpenSSL's code 4242).", False),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "[SSL: X] x")), "no TLS connection could be made", False),
        (
            aiohttp.ClientProxyConnectionError(
                PROXY, OSError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.9', 3128)")
            ),
            "the proxy proxy.test:3128 cannot be reached: the connection was refused",
            True,
        ),
        (
            aiohttp.ConnectionTimeoutError("Connection timeout to host https://gateway.test/v1"),
            "no connection within 15 s.",
            True,
        ),
        (aiohttp.SocketTimeoutError("Timeout on reading data from socket"), "no whole answer in time.", True),
        (
            aiohttp.ClientOSError(errno.ECONNRESET, "[Errno 104] reset"),
            "the connection was closed or reset before an answer came.",
            True,
        ),
        (aiohttp.ServerDisconnectedError(), "the connection was closed or reset before an answer came.", True),
        (RepeatRefusedError(), "the connection was closed or reset before an answer came.", True),
        (aiohttp.InvalidUrlClientError("127.1", "is not canonical"), "the host is not written as a URL's.", False),
        (ValueError("https://gateway.test/secret"), "the connection failed (ValueError).", True),
    ],
    ids=str,
)
def test_each_cause_is_told_with_host_and_port(error: Exception | int | None, said: str, retryable: bool):  # noqa: FBT001
    """A user mends a refused port, a missing route, a wrong name and a bad certificate in different places."""
    if isinstance(error, socket.gaierror | AddressRefusedError):
        error = aiohttp.ClientConnectorDNSError(KEY, error)
    elif not isinstance(error, Exception):
        raw = "Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 1)"
        system = OSError(error, raw) if error is not None else OSError(raw)
        error = aiohttp.ClientConnectorError(KEY, system)

    told = failure(error, URL("https://user:word@gateway.test/v1/videos?secret"), sent=False)

    assert isinstance(told, ConnectionFailed)
    assert str(told).startswith("gateway.test:443: ")
    assert said in str(told)
    assert (False, retryable) == (told.sent, told.retryable)
    assert not RAW.search(str(told))
    assert not re.search("word|secret|raw", str(told))


@pytest.mark.parametrize("number", CAUSES)
def test_the_system_s_own_text_is_not_passed_on(number: int):
    """It depends on the platform, and on the language of the system."""
    told = reason(aiohttp.ClientConnectorError(KEY, OSError(number, os.strerror(number))))

    assert os.strerror(number) not in told


@pytest.mark.parametrize(
    ("url", "where"),
    [("http://127.0.0.1:8080/v1", "127.0.0.1:8080"), ("http://[::1]/v1", "[::1]:80"), ("https://a.b", "a.b:443")],
)
def test_host_and_port_are_written_as_in_a_url(url: str, where: str):
    """So that they can be compared with the base URL and tried with other programs."""
    assert str(failure(aiohttp.ServerDisconnectedError(), URL(url), sent=True)).startswith(f"{where}: ")


def test_an_error_of_ours_is_passed_on_as_it_is():
    """It says all there is to say."""
    ours = DownloadFailed("x")

    assert ours is failure(ours, URL("https://gateway.test"), sent=True)


def test_an_answer_that_is_not_http_is_malformed():
    """A server did answer, so the network is not to blame; if the request left, nobody knows what it did."""
    error = aiohttp.http_exceptions.BadStatusLine("SSH-2.0")

    told = failure(error, URL("https://gateway.test"), sent=True)

    assert isinstance(told, MalformedReply)
    assert "unknown" == told.charged
