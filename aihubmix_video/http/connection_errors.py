"""Why no answer came, in our own words: which host and port, and the cause.

The texts of the HTTP library, the event loop and the system differ between releases, and some hold URLs or headers. So none of
them is passed on; they are recognised by type and number.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from aihubmix_video.errors import ConnectionFailed, MalformedReply, VideoError
from aihubmix_video.http.checked_resolver import AddressRefusedError
from aihubmix_video.protocol.sanitize import plain

if TYPE_CHECKING:
    from yarl import URL

__all__ = ["CONNECT_SECONDS", "RepeatRefusedError", "failure", "reason"]

CONNECT_SECONDS: Final = 15.0
"""Limit of connecting, for TCP and TLS each."""
PROXY_REFUSALS: Final = frozenset({403, 407})
"""Forbidden, or wrong credentials: asking again changes nothing."""

CAUSES: Final = {
    errno.ECONNREFUSED: "the connection was refused, so no server listens on that port or a firewall rejects it",
    **dict.fromkeys((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN), "there is no route to it"),
    errno.EADDRNOTAVAIL: "this machine has no address from which to reach it",
    errno.ETIMEDOUT: "it did not answer in time",
    **dict.fromkeys((errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE), "the connection was reset"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "this machine or its firewall does not allow the connection"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "too many files are open; raise the limit (`ulimit -n`)"),
}
"""Why a connection could not be made, by the system's number."""

NAME_CAUSES: Final = {
    socket.EAI_NONAME: ": there is no such name",
    socket.EAI_AGAIN: ": no name server answered",
}
CERTIFICATE_CAUSES: Final = {
    9: "it is not valid yet; check this machine's clock",
    10: "it has expired",
    **dict.fromkeys((18, 19, 20, 21), "no authority that this machine knows has signed it"),
    23: "it has been revoked",
    62: "it is for another host",
    64: "it is for another address",
}
"""What is wrong with a certificate, by OpenSSL's number (X509_V_ERR_…)."""


class RepeatRefusedError(Exception):
    """The library was about to send a request a second time by itself."""


def failure(exc: Exception, url: URL, *, sent: bool, body: bytes = b"") -> VideoError:
    """Return our own error for one of the library's, with nothing of its own attached.

    Args:
        exc: What was raised.
        url: What was asked for; only its host and port are shown.
        sent: Whether any byte of the request may have left.
        body: What had come of the answer.
    """
    if isinstance(exc, VideoError):
        return exc
    not_http = isinstance(exc, (aiohttp.ClientResponseError, HttpProcessingError))
    if not_http and not isinstance(exc, aiohttp.ClientHttpProxyError):
        return MalformedReply("the answer is not HTTP", body=body, charged="unknown" if sent else "no")
    where = plain(f"{url.host_subcomponent}:{url.port}")
    return ConnectionFailed(f"{where}: {reason(exc)}.", sent=sent, body=body, retryable=not _is_permanent(exc))


def _is_permanent(exc: Exception) -> bool:
    match exc:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | aiohttp.InvalidURL():
            return True
        case aiohttp.ClientConnectorDNSError(os_error=error):
            return isinstance(error, AddressRefusedError)
        case aiohttp.ClientHttpProxyError(status=status):
            return status in PROXY_REFUSALS
    return False


def reason(exc: Exception) -> str:
    """Return what went wrong on the way, without URLs, headers or the library's own words."""
    match exc:
        case aiohttp.ClientConnectorCertificateError():
            return f"its TLS certificate is not trusted: {_certificate_cause(exc.certificate_error)}"
        case aiohttp.ClientConnectorError():
            return _no_connection(exc)
        case aiohttp.ClientHttpProxyError(status=status):
            return f"the proxy refused the connection (HTTP {status})"
        case aiohttp.ConnectionTimeoutError():
            return f"no connection within {CONNECT_SECONDS:g} s"
        case TimeoutError():
            return "no whole answer in time"
        case aiohttp.ClientPayloadError():
            return "the answer was cut"
        case aiohttp.InvalidURL():
            return "the host is not written as a URL's"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | RepeatRefusedError():
            return "the connection was closed or reset before an answer came"  # which of the two, the library may hide
        case _:
            return f"the connection failed ({type(exc).__name__})"


def _no_connection(exc: aiohttp.ClientConnectorError) -> str:
    host = plain(str(exc.host))  # the proxy's, where that is what was connected to
    match exc:
        case aiohttp.ClientConnectorDNSError(os_error=AddressRefusedError()):
            return f"the host name {host} leads only to addresses that are not contacted (link-local or private)"
        case aiohttp.ClientConnectorDNSError(os_error=error):
            return f"the host name {host} cannot be resolved{NAME_CAUSES.get(error.errno or 0, '')}"
        case aiohttp.ClientConnectorSSLError():
            return "no TLS connection could be made: the port does not speak TLS, or only a version that is too old"
        case aiohttp.ClientProxyConnectionError(os_error=error):
            return f"the proxy {host}:{exc.port} cannot be reached: {_cause(error)}"
    return f"no connection could be made: {_cause(exc.os_error)}"


def _cause(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return CAUSES[errno.ETIMEDOUT]
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return CAUSES.get(error.errno or 0, f"the system's reason was {name}")


def _certificate_cause(error: Exception) -> str:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    return CERTIFICATE_CAUSES.get(code, f"it cannot be verified (OpenSSL's code {code})")
