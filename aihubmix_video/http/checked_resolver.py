"""Name look-ups whose results are judged before anything connects to them.

A redirect is judged when it is read, but the connection looks the name up again, and its owner may answer differently then. So
the addresses that are connected to are judged here once more.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver

from aihubmix_video.references.addresses import is_never_contacted, is_public_address

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiohttp.abc import ResolveResult

__all__ = ["AddressRefusedError", "CheckedResolver"]


class AddressRefusedError(OSError):
    """A name resolves only to addresses that are not contacted."""


class CheckedResolver(AbstractResolver):
    """Looks names up as the HTTP library does, and drops the addresses that are not contacted.

    Args:
        own: Hosts that the user chose, such as the gateway and the proxy: they may be on a private network.
        local: Whether the gateway is on this machine; then any host may be on a private network.
    """

    def __init__(self, own: Collection[str], *, local: bool) -> None:
        self._own = frozenset(own)
        self._local = local
        self._resolver = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of *host* that may be contacted.

        Raises:
            AddressRefusedError: There is none among those that it has.
        """
        found = await self._resolver.resolve(host, port, family)
        allowed = [each for each in found if self._may_contact(host, each["host"])]
        if found and not allowed:
            raise AddressRefusedError
        return allowed

    async def close(self) -> None:
        """Close the library's resolver."""
        await self._resolver.close()

    def _may_contact(self, host: str, address: str) -> bool:
        if is_never_contacted(address):
            return False
        return self._local or host in self._own or is_public_address(address)
