"""Whose jobs a ledger holds: the gateway, and a digest of the key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from aihubmix_video.ledger import sqlite_queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = ["bind", "digest", "hidden"]

DIGEST_BYTES: Final = 8


def hidden(secret: str) -> Callable[[], str]:
    """Wrap a secret in something that shows nothing of it."""
    return lambda: secret


def digest(salt: bytes, reveal: Callable[[], str]) -> str:
    """Make something of a key by which it can be told from others, and not be found."""
    return hashlib.scrypt(reveal().encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=DIGEST_BYTES).hex()


def bind(connection: sqlite3.Connection, base_url: str, digest: str, *, new_key: bool) -> tuple[str, str]:
    """Note whose the ledger is, and say whose it is.

    It is nobody's as long as nothing may have been bought with it, and a gateway's own may have a new key.
    """
    url, kept = (sqlite_queries.fact(connection, name) for name in ("base_url", "api_key_digest"))
    if (url, kept) == (base_url.encode(), digest.encode()):
        return base_url, digest
    same = url is not None and url.decode() == base_url
    if url is None or kept is None or (new_key and same) or not sqlite_queries.any_bought(connection):
        sqlite_queries.set_fact(connection, "base_url", base_url)
        sqlite_queries.set_fact(connection, "api_key_digest", digest)
        return base_url, digest
    return url.decode(), kept.decode()
