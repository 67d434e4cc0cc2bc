"""The account that a ledger belongs to: the gateway, and a digest of the key."""

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
    """Return a function that returns the secret, so that no repr and no traceback shows it."""
    return lambda: secret


def digest(salt: bytes, reveal: Callable[[], str]) -> str:
    """Return a digest that distinguishes a key from others, and from which the key cannot be recovered."""
    return hashlib.scrypt(reveal().encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=DIGEST_BYTES).hex()


def bind(connection: sqlite3.Connection, base_url: str, digest: str, *, new_key: bool) -> tuple[str, str]:
    """Bind the ledger to an account unless it is bound to another; return the base URL and key digest it is bound to.

    While nothing may have been bought with it, a ledger can be bound to any account. With *new_key*, a ledger of the
    same gateway is bound to the new key.
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
