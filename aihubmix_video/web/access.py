"""Who may see a page that is served, and what a browser may do with it.

Three attacks are prevented. A foreign page makes the browser send requests: only the page's own origin may change anything. The
host name of a foreign page suddenly resolves to this machine (DNS rebinding): a server on loopback answers only to the names of
this machine. Other people reach the port: a server that is not on loopback needs a token.
"""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import attrs

from aihubmix_video.references.addresses import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COOKIE", "OPEN", "POLICY", "TOKEN_AT_LEAST", "AccessPolicy", "Verdict", "token_problem"]

COOKIE = "aihubmix_board"
OPEN = frozenset({"/healthz", "/login", "/login.js", "/theme.js", "/page.css", "/icon.svg"})
"""Paths that are served without a token: what is needed to sign in, and to see whether the server works."""
TOKEN_AT_LEAST = 16
"""Characters that a token must have; shorter ones can be guessed over the network."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the served pages may load (Content-Security-Policy): what this server has, and nothing from elsewhere."""

Verdict = Literal["pass", "wrong host", "foreign", "no token"]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def token_problem(token: str) -> str | None:
    """Return what is wrong with a token, as a clause; None if nothing is."""
    if len(token) < TOKEN_AT_LEAST:
        return f"has {len(token)} characters; at least {TOKEN_AT_LEAST} are needed"
    if not token.isascii() or not token.isprintable() or " " in token:
        return "must be printable ASCII without spaces"
    return None


@attrs.frozen(kw_only=True)
class AccessPolicy:
    """What a request must show.

    Attributes:
        hosts: The names under which this server is reached, without ports; None for any.
        token: The token that a client needs; None if none is needed.
    """

    hosts: frozenset[str] | None = None
    token: str | None = attrs.field(default=None, repr=False)

    @classmethod
    def of(cls, host: str, token: str | None) -> AccessPolicy:
        """Return the policy of a server that listens on *host*."""
        names = frozenset({"localhost", "127.0.0.1", "[::1]", host}) if is_loopback(host) else None
        return cls(hosts=names, token=token)

    def judge(self, method: str, path: str, headers: Mapping[str, str]) -> Verdict:
        """Return the verdict on a request; names of *headers* are in lower case."""
        if self.hosts is not None and _name(headers.get("host", "")) not in self.hosts:
            return "wrong host"
        if method not in SAFE and not _is_own(headers):
            return "foreign"
        return "pass" if path in OPEN or self._is_known(headers) else "no token"

    def opens_to(self, token: object) -> bool:
        """Return whether *token* is the right one, in a time that does not depend on how much of it is right."""
        return self.token is not None and isinstance(token, str) and _same(token, self.token)

    @property
    def cookie(self) -> str:
        """The cookie by which a browser stays signed in; the token cannot be computed from it."""
        return hmac.new((self.token or "").encode(), b"aihubmix-video board", hashlib.sha256).hexdigest()

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        if self.token is None:
            return True
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.opens_to(bearer.strip()):
            return True
        return _same(_cookie(headers.get("cookie", "")), self.cookie)


def _name(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def _is_own(headers: Mapping[str, str]) -> bool:
    """Return whether a request that changes something comes from our own page, or not from a browser."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    return headers.get("sec-fetch-site", "none") in {"same-origin", "none"}


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())
