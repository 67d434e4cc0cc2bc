"""The user's own prices, from a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aihubmix_video.batch_file.json_values import read_json
from aihubmix_video.errors import ConfigurationError, InvalidRequest, shown
from aihubmix_video.pricing.list_prices import check_prices

if TYPE_CHECKING:
    from pathlib import Path

    from aihubmix_video.errors import Problem

__all__ = ["prices_in"]

MAX_BYTES = 1 << 20


def prices_in(path: Path) -> dict[str, float]:
    """Return USD per second by model, from a JSON object.

    Raises:
        ConfigurationError: The file cannot be read, or a price is not a possible one.
    """
    name = f"--prices {shown(str(path))}"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{name} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{name} is larger than {MAX_BYTES} bytes.")
    return _checked(name, _read(name, data))


def _read(name: str, data: bytes) -> object:
    problems: list[Problem] = []
    try:
        value = read_json(data.decode("utf-8-sig"), problems)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{name}:{error.lineno}:{error.colno}: must be JSON: {error.msg}.") from None
    if problems:
        raise ConfigurationError(f"{name}: {problems[0]}.")
    return value


def _checked(name: str, value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ConfigurationError(f'{name} must be a JSON object such as {{"wan2.6-t2v": 0.05}}, in USD per second.')
    try:
        check_prices(value)
    except InvalidRequest as error:
        raise ConfigurationError(f"{name}: {error.message}.") from None
    return value
