"""The file that names the clients of the front: TOML, one table for each, with the hash of its token."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from aihubmix_video.errors import ConfigurationError, InvalidRequest, shown
from aihubmix_video.openai_front.api_client import ApiClient, check_clients
from aihubmix_video.pricing.caps import Caps

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["clients_in", "clients_of"]

MAX_BYTES: Final = 1 << 20
CAPS: Final = ("max_videos", "max_seconds", "max_spend")
FIELDS: Final = ("token_sha256", "rate", *CAPS)


def clients_in(path: Path) -> tuple[ApiClient, ...]:
    """Read the clients of a file.

    Raises:
        ConfigurationError: The file cannot be read, or something in it cannot be used.
    """
    name = shown(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{name} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{name} is larger than {MAX_BYTES} bytes.")
    try:
        return clients_of(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} is not UTF-8 text.") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{name}: {error.message}") from None


def clients_of(text: str) -> tuple[ApiClient, ...]:
    """Read the clients of a TOML text.

    Raises:
        ConfigurationError: Something in it cannot be used.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"must be TOML: {error}.") from None
    return check_clients(_client(name, table) for name, table in tables.items())


def _client(name: str, table: object) -> ApiClient:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{shown(name)} must be a table: [NAME], and token_sha256 below it.")
    odd = ", ".join(shown(field) for field in table if field not in FIELDS)
    if odd:
        raise ConfigurationError(f"client {shown(name)}: {odd} is not known; the fields are {', '.join(FIELDS)}.")
    try:
        caps = Caps(**{field: table.get(field) for field in CAPS})
    except InvalidRequest as error:
        raise ConfigurationError(f"client {shown(name)}: {error.message}.") from None
    return ApiClient(name=name, token_sha256=table.get("token_sha256", ""), caps=caps, rate=table.get("rate"))
