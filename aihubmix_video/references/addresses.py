"""One answer to "is this address public?", "is it loopback?" and "may it be contacted at all?".

Pure: a host is judged by its text, and names are not looked up. What a name resolves to is judged at the edge, with the same
functions.

Many IPv6 addresses stand for an IPv4 address, so that one is judged too. And one IPv4 address has many spellings: the C library
reads ``127.1``, ``0x7f.1``, ``0177.0.0.1`` and ``2130706433`` as 127.0.0.1. A spelling that different readers understand
differently is never public and never loopback; whether it may be contacted is judged by every reading.

Sources: the IANA special-purpose address registries, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 4291 (mapped and
compatible addresses), and the URL standard ("ends in a number").
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["is_address", "is_loopback", "is_never_contacted", "is_public_address", "is_public_host"]

LOCAL_SUFFIXES: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "onion", "arpa"}
)
"""Last labels of names that mean something only within a network, or to this machine."""

NEVER_CONTACTED_NAMES: Final = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
"""Names of the metadata services of clouds, which hand out credentials to any client that asks from the right machine."""
NEVER_CONTACTED_V4: Final = (
    IPv4Network("169.254.0.0/16"),  # link-local, and the metadata services of most clouds
    IPv4Network("100.100.100.200/32"),  # Alibaba Cloud's
    IPv4Network("168.63.129.16/32"),  # Azure's; of the public range, but the machine's own host answers
    IPv4Network("192.0.0.192/32"),  # Oracle Cloud's
)
NEVER_CONTACTED_V6: Final = (
    IPv6Network("fe80::/10"),  # link-local
    IPv6Network("fd00:ec2::/32"),  # the metadata service of AWS
    IPv6Network("fd20:ce::/32"),  # of Google Cloud
)

NOT_PUBLIC_V4: Final = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, withdrawn
)
"""Beside what the standard library calls not global; releases of Python differ in the first of these."""
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
NOT_PUBLIC_V6: Final = (
    IPv6Network("2001::/23"),  # IETF protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, withdrawn
    IPv6Network("3fff::/20"),  # documentation
)

NAT64: Final = IPv6Network("64:ff9b::/96")
LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
COMPATIBLE: Final = IPv6Network("::/96")
NAT64_BYTES: Final = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))
"""Where the IPv4 address may stand below `LOCAL_NAT64`: for prefixes of 48, 56, 64 and 96 bits (RFC 6052, section 2.2)."""

LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
OCTAL: Final = re.compile(r"0[0-7]+", re.ASCII)
LONGEST_NAME: Final = 253
LONGEST_NUMBER: Final = 40
"""Digits beyond which no number is read; no spelling of an address that anyone means has as many."""
IDEOGRAPHIC_DOTS: Final = str.maketrans({"\u3002": ".", "\uff61": "."})
"""What IDNA reads as a dot, beside those that NFKC makes one."""


def is_public_host(host: str) -> bool:
    """Return whether a URL's host is an address or a name of the public internet.

    A name counts as public by its form alone: it has a dot and does not end in a label of local use.

    Args:
        host: As `urllib.parse.urlsplit` returns it: without port and credentials.
    """
    name = host.lower().removesuffix(".")
    if not name.isascii() or "%" in name:  # look-alike letters, zones, and names that somebody else would decode
        return False
    if is_address(name):
        return is_public_address(name)
    labels = name.split(".")
    proper = len(name) <= LONGEST_NAME and all(LABEL.fullmatch(label) for label in labels)
    return proper and len(labels) > 1 and labels[-1] not in LOCAL_SUFFIXES and not is_never_contacted(name)


def is_public_address(text: str) -> bool:
    """Return whether *text* is a plainly written IP address of the public internet.

    An IPv4-mapped or NAT64 address is as public as the IPv4 address in it: networks without IPv4 reach every IPv4 host by such
    an address. Every other form that holds an IPv4 address has been withdrawn or is of local use, so it is never public.
    """
    address = _plain(text)
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in NAT64):
        address = IPv4Address(int(address) & 0xFFFFFFFF)
    return address is not None and _is_public(address)


def is_loopback(host: str) -> bool:
    """Return whether *host* plainly names this machine itself, whatever reads it.

    Args:
        host: With or without the brackets of an IPv6 address.
    """
    if host.lower() == "localhost":
        return True
    address = _plain(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:  # the system connects to the IPv4 address
        address = address.ipv4_mapped
    return address is not None and address.is_loopback


def is_never_contacted(host: str) -> bool:
    """Return whether *host* is link-local or the metadata service of a cloud, in whatever spelling.

    No gateway and no video lies there. What does answer there may hand out the machine's own credentials.
    """
    name = unicodedata.normalize("NFKC", unquote(host)).translate(IDEOGRAPHIC_DOTS).lower().rstrip(".")
    if name in NEVER_CONTACTED_NAMES:
        return True
    return any(_is_never_contacted(meant) for address in _readings(name) for meant in (address, *_embedded(address)))


def is_address(host: str) -> bool:
    """Return whether URL readers take *host* for an IP address, well written or not, and look up no name."""
    return ":" in host or NUMBER.fullmatch(host.lower().removesuffix(".").rpartition(".")[2]) is not None


# One address.


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved or _is_never_contacted(address):
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    return address in GLOBAL_UNICAST and not any(address in network for network in NOT_PUBLIC_V6)


def _is_never_contacted(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in NEVER_CONTACTED_V4)
    return any(address in network for network in NEVER_CONTACTED_V6)


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """Find every IPv4 address that an IPv6 address may stand for."""
    if isinstance(address, IPv4Address):
        return
    yield from (each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if each is not None)
    if address in NAT64 or address in COMPATIBLE:
        yield IPv4Address(address.packed[12:])
    if address in LOCAL_NAT64:
        yield from (IPv4Address(bytes(address.packed[place] for place in places)) for places in NAT64_BYTES)


# Spellings.


def _plain(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address that every reader understands alike; None for anything else, zones included."""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        return (IPv6Address if ":" in text else IPv4Address)(text) if "%" not in text else None
    except ValueError:
        return None


def _readings(host: str) -> Iterator[IPv4Address | IPv6Address]:
    """Find every address that some reader may take *host* for."""
    if ":" in host:
        address = _plain(host.strip("[]").partition("%")[0])
        if address is not None:
            yield address
        return
    numbers = host.split(".")
    if len(numbers) <= 4 and all(NUMBER.fullmatch(each) and len(each) <= LONGEST_NUMBER for each in numbers):
        for octal in (True, False):  # ``010`` is 8 to the C library, and 10 to others
            address = _joined([_number(each, octal=octal) for each in numbers])
            if address is not None:
                yield address


def _number(digits: str, *, octal: bool) -> int:
    if digits.startswith("0x"):
        return int(digits[2:] or "0", 16)
    return int(digits, 8 if octal and OCTAL.fullmatch(digits) else 10)


def _joined(numbers: list[int]) -> IPv4Address | None:
    """Put one to four numbers together as the C library does: the last one fills all the bytes that are left."""
    *first, last = numbers
    room = 8 * (4 - len(first))
    if any(number > 0xFF for number in first) or last >= 1 << room:
        return None
    return IPv4Address(int.from_bytes(bytes(first)) << room | last)
