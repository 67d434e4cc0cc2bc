"""Which reference URLs may be passed on when they come from strangers.

Nobody here fetches them; the gateway or the vendor does. But a server that passes on whatever it is given lends its name and
account to whoever wants to reach somewhere from there. So what can be seen of a URL without asking anybody is judged: its
scheme, and whether its host is one of the public internet. Names are not looked up: what a name means to us need not be what
it means to the vendor, and may be something else a second later. Who needs more certainty allows certain hosts only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs

from aihubmix_video.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aihubmix_video.types.request import VideoRequest

__all__ = ["UrlPolicy", "is_public_host"]

REFERENCES: Final = ("input_reference", "image", "image_tail", "image_list", "video_list", "content", "extra_body")
"""The fields in which a URL may stand."""

LOCAL_SUFFIXES: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "onion", "arpa"}
)
"""Last labels of names that mean something only within a network, or to this machine."""

EMBEDDING: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""IPv6 addresses whose last four bytes are an IPv4 address (NAT64, and the old IPv4-compatible form)."""

URL: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
LONGEST_NAME: Final = 253


@attrs.frozen(kw_only=True)
class UrlPolicy:
    """What may be passed on.

    Attributes:
        schemes: Of the URL: ``http``, ``https`` and ``data``, or some of them.
        hosts: Names of hosts; ``*.example.com`` stands for every name below ``example.com``. None for every public one.
        private: Whether hosts that are not public may be named, such as on a closed network of one's own.
    """

    schemes: frozenset[str] = frozenset({"https", "http", "data"})
    hosts: tuple[str, ...] | None = None
    private: bool = False

    def problems(self, request: VideoRequest) -> list[Problem]:
        """Find every reference that may not be passed on; what is no URL is for others to judge."""
        return [
            problem
            for field in REFERENCES
            for where, text in _texts(field, getattr(request, field))
            if (problem := self._judged(where, text)) is not None
        ]

    def _judged(self, where: str, text: str) -> Problem | None:
        found = URL.match(text)
        if found is None:
            return None
        scheme = found[1].lower()
        if scheme not in self.schemes:
            allowed = sorted(self.schemes)
            return Problem.of(where, text, f"{scheme}: URLs are not taken here", allowed=allowed)
        return None if scheme == "data" else self._judged_host(where, text)

    def _judged_host(self, where: str, url: str) -> Problem | None:
        try:
            parts = urlsplit(url.strip())
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return Problem.of(where, url, "is no valid URL")
        if parts.username is not None or parts.password is not None or "\\" in url:
            return Problem.of(where, "…", "must hold neither a user name nor a backslash")
        if self.hosts is not None and not any(_covers(pattern, host) for pattern in self.hosts):
            return Problem.of(where, url, "names a host that is not allowed here", allowed=self.hosts)
        if not self.private and not is_public_host(host):
            return Problem.of(where, url, "names no host of the public internet")
        return None


def _texts(where: str, value: object) -> Iterator[tuple[str, str]]:
    """Find every text in a value, however deep, and say where it is."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(f"{where}.{name}", item)
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _texts(f"{where}[{place}]", item)


def _covers(pattern: str, host: str) -> bool:
    """Whether a host is one of those that a pattern stands for."""
    wanted, given = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if wanted.startswith("*."):
        return given.endswith(wanted[1:]) and len(given) > len(wanted[1:])
    return given == wanted


def is_public_host(host: str) -> bool:
    """Say whether a URL's host is an address or a name of the public internet, in whatever spelling.

    Args:
        host: As `urllib.parse.urlsplit` gives it: without port, brackets and credentials.
    """
    name = host.lower().removesuffix(".")
    if not name.isascii() or "%" in name:  # look-alike letters, zones, and names that somebody else would decode
        return False
    if ":" in name:
        return _is_public_v6(name)
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]):  # then it is taken for an IPv4 address (URL standard, "ends in a number")
        return _is_public_v4(name)
    proper = len(name) <= LONGEST_NAME and all(LABEL.fullmatch(label) for label in labels)
    return proper and len(labels) > 1 and labels[-1] not in LOCAL_SUFFIXES


def _is_public_v4(text: str) -> bool:
    """Judge four plain numbers. Whoever writes ``0177.0.0.1``, ``127.1`` or ``2130706433`` hides something.

    Besides, they mean different machines to different readers: ``010.8.8.8`` is public in octal, and private in decimal.
    """
    try:
        return _is_public(IPv4Address(text))
    except ValueError:
        return False


def _is_public_v6(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return isinstance(address, IPv6Address) and all(map(_is_public, _meant(address)))


def _meant(address: IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """Give every address that is reached by this one: itself, unless it only stands for an IPv4 address, and that."""
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    inner += [IPv4Address(int(address) & 0xFFFFFFFF) for network in EMBEDDING if address in network]
    found = [each for each in inner if each is not None]
    yield from found or [address]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
