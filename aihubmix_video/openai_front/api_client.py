"""The clients of the front: who each is by its token, and what it may buy."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import ConfigurationError, InvalidRequest, VideoError, shown
from aihubmix_video.pricing.caps import Caps
from aihubmix_video.web.access import token_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ApiClient", "UnknownToken", "check_clients", "client_of", "token_hash"]

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
HASH: Final = re.compile(r"[0-9a-f]{64}")


class UnknownToken(VideoError):
    """The client's token is missing, or belongs to no client.

    Answered with 401.
    """


def token_hash(token: str) -> str:
    """Return the sha256 of a token, in hex; tokens are long and random, so nothing slower is needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


@attrs.frozen(kw_only=True)
class ApiClient:
    """One client and what it may buy.

    Attributes:
        name: Names the client; it is the owner of its jobs. 1 to 64 letters, digits and ``._@-``.
        token_sha256: The sha256 of its token, in hex; see `of`.
        caps: What it may buy in any 24 hours.
        rate: New videos per minute; None for no limit but that of the session.

    Raises:
        ConfigurationError: A value cannot be used.
    """

    name: str
    token_sha256: str = attrs.field(repr=False)
    caps: Caps = attrs.field(factory=Caps)
    rate: float | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ConfigurationError(f"client {shown(self.name)}: a name has 1 to 64 letters, digits and ._@-")
        if not isinstance(self.token_sha256, str) or not HASH.fullmatch(self.token_sha256):
            raise ConfigurationError(f"client {self.name}: token_sha256 must be 64 hex digits in lower case.")
        rate = self.rate
        is_number = isinstance(rate, (int, float)) and not isinstance(rate, bool) and 0 < rate < math.inf
        if rate is not None and not is_number:
            raise ConfigurationError(f"client {self.name}: rate={shown(rate)}: give new videos per minute, above 0.")

    @classmethod
    def of(  # a name, a token, and each of what is limited
        cls,
        name: str,
        token: str,
        *,
        max_videos: int | None = None,
        max_seconds: float | None = None,
        max_spend: float | None = None,
        rate: float | None = None,
    ) -> ApiClient:
        """Return the client with this token, of which only the hash is kept; the caps are those of any 24 hours.

        Args:
            name: Names the client.
            token: At least 16 printable ASCII characters.
            max_videos: Videos.
            max_seconds: Seconds of video together.
            max_spend: USD by list price.
            rate: New videos per minute.

        Raises:
            ConfigurationError: A value cannot be used.
        """
        problem = token_problem(token)
        if problem is not None:
            raise ConfigurationError(f"client {shown(name)}: the token {problem}.")
        try:
            caps = Caps(max_videos=max_videos, max_seconds=max_seconds, max_spend=max_spend)
        except InvalidRequest as error:
            raise ConfigurationError(f"client {shown(name)}: {error.message}.") from None
        return cls(name=name, token_sha256=token_hash(token), caps=caps, rate=rate)


def check_clients(clients: Iterable[ApiClient]) -> tuple[ApiClient, ...]:
    """Return the clients, of whom no two have the same name or token.

    Raises:
        ConfigurationError: There are none, or two are alike.
    """
    known = tuple(clients)
    if not known:
        raise ConfigurationError("clients: there are none, so no one could be served; give at least one.")
    for field in ("name", "token_sha256"):
        values = [getattr(client, field) for client in known]
        if len(set(values)) < len(values):
            alike = ", ".join(client.name for client in known if values.count(getattr(client, field)) > 1)
            raise ConfigurationError(f"clients {alike} have the same {'name' if field == 'name' else 'token'}.")
    return known


def client_of(clients: Sequence[ApiClient], authorization: str) -> ApiClient:
    """Return whose token an ``Authorization`` header holds, in a time that does not depend on how much of one is right.

    Raises:
        UnknownToken: It holds none, or nobody's.
    """
    scheme, _, token = authorization.partition(" ")
    given = token_hash(token.strip())
    # All are compared, however early one fits.
    found = [client for client in clients if hmac.compare_digest(client.token_sha256, given)]
    if scheme.lower() != "bearer" or not token.strip():
        raise UnknownToken("give the token of a client of this server as `Authorization: Bearer TOKEN`")
    if not found:
        raise UnknownToken("the token is not one of a client of this server")
    return found[0]
