"""Where a content request may be redirected to.

Pure: the URL's text is judged. The addresses that its host resolves to are judged at the edge, by `judge_addresses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from aihubmix_video.errors import DownloadFailed, shown
from aihubmix_video.references.addresses import is_address, is_never_contacted, is_public_address, is_public_host

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MAX_HOPS", "REDIRECTS", "judge_addresses", "next_hop", "same_origin"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 3

FORBIDDEN = "a link-local address or a cloud metadata service; such an address is never contacted"
PRIVATE = "a private address; that is not followed"


def next_hop(current: str, location: str | None, *, local: bool) -> str:
    """Return the absolute URL that a redirect of a content request leads to.

    Args:
        current: The URL that answered with the redirect.
        location: The ``Location`` header of that answer.
        local: Whether the gateway itself is on this machine. Only then are plain http and addresses that are not public
            followed. Link-local addresses are never followed.

    Raises:
        DownloadFailed: No video of the gateway can lie there.
    """
    if not location:
        raise DownloadFailed("the gateway redirected the content without naming a URL")
    try:
        target = urljoin(current, location)
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        raise DownloadFailed("the gateway redirected the content to something that is not a URL") from None
    where = shown(f"{parts.scheme}://{parts.hostname or ''}")  # the rest of it may hold a secret of the storage's
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise DownloadFailed(f"the gateway redirected the content to {where}; only https is followed")
    if not parts.hostname or parts.username is not None:
        raise DownloadFailed(
            f"the gateway redirected the content to {where}, with a login or no host; it is not followed"
        )
    if (
        not (parts.hostname.isascii() and parts.hostname.isprintable()) or "%" in parts.hostname
    ):  # readers differ in what they make of such a host
        raise DownloadFailed(
            f"the gateway redirected the content to {where}, which is not a plain host; it is not followed"
        )
    if is_never_contacted(parts.hostname):
        raise DownloadFailed(f"the gateway redirected the content to {where}, {FORBIDDEN}")
    if not local and is_address(parts.hostname) and not is_public_host(parts.hostname):
        raise DownloadFailed(f"the gateway redirected the content to {where}, {PRIVATE}")
    return target


def judge_addresses(host: str, addresses: Iterable[str], *, local: bool) -> str | None:
    """Return why a redirect to *host* is not followed, as a clause; None if it is.

    Args:
        host: The host that the content was redirected to.
        addresses: All that it resolves to.
        local: Whether the gateway itself is on this machine.
    """
    found = tuple(addresses)
    if any(map(is_never_contacted, found)):
        return f"the content was redirected to {shown(host)}, {FORBIDDEN}"
    if not local and not all(map(is_public_address, found)):
        return f"the content was redirected to {shown(host)}, {PRIVATE}"
    return None


def same_origin(one: str, other: str) -> bool:
    """Return whether two URLs share scheme, host and port, so that the key may be sent to both."""
    first, second = urlsplit(one), urlsplit(other)
    default = {"http": 80, "https": 443}
    return (first.scheme, first.hostname, first.port or default.get(first.scheme)) == (
        second.scheme,
        second.hostname,
        second.port or default.get(second.scheme),
    )
