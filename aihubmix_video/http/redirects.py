"""Where a content request may be sent on to. Pure; whether a name leads to a private address is checked at the edge."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from aihubmix_video.errors import DownloadFailed, shown

__all__ = ["MAX_HOPS", "REDIRECTS", "is_public", "next_hop", "same_origin"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 3


def next_hop(current: str, location: str | None, *, local: bool) -> str:
    """Judge a redirect of a content request.

    Args:
        current: The URL that answered with it.
        location: Its ``Location`` header.
        local: Whether the gateway itself is on this machine; only then may plain http and private addresses follow.

    Returns:
        The absolute URL to ask next.

    Raises:
        DownloadFailed: It leads where no video of the gateway's can lie.
    """
    if not location:
        raise DownloadFailed("the gateway redirected the content without saying where")
    try:
        target = urljoin(current, location)
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        raise DownloadFailed("the gateway redirected the content to something that is no URL") from None
    where = shown(f"{parts.scheme}://{parts.hostname or ''}")  # the rest of it may hold a secret of the storage's
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise DownloadFailed(f"the gateway redirected the content to {where}; only https is followed")
    if not parts.hostname or parts.username is not None:
        raise DownloadFailed(
            f"the gateway redirected the content to {where}, with a login or no host; it is not followed"
        )
    return target


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs share scheme, host and port, so that the key may go to both."""
    first, second = urlsplit(one), urlsplit(other)
    default = {"http": 80, "https": 443}
    return (first.scheme, first.hostname, first.port or default.get(first.scheme)) == (
        second.scheme,
        second.hostname,
        second.port or default.get(second.scheme),
    )


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet's."""
    try:
        return ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return False
