"""Files of model tables: read beside those of the package, and written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.capabilities.registry import BUILT_IN, CapabilitySet
from aihubmix_video.errors import ConfigurationError, shown

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from aihubmix_video.capabilities.capability import Capability

__all__ = ["dump", "load", "plain_models"]

MAX_BYTES = 4 * 1024 * 1024
MOST_MISTAKES = 20
"""Mistakes that one message names; the others are counted."""


def load(path: str | os.PathLike[str], *, known: CapabilitySet = BUILT_IN) -> CapabilitySet:
    """Read a TOML or JSON file of model tables.

    Args:
        path: A file whose name ends with ``.toml`` or ``.json``. It holds a list, ``models``. Each table has the attributes of
            `Capability`, or says by ``like`` which table it extends and then only what differs.
        known: The tables that it adds to, and that ``like`` may name. A table for a model that is there replaces it.

    Returns:
        All of them, those of the file last.

    Raises:
        ConfigurationError: The file cannot be read, or something in it is wrong; the message names every place.
    """
    from aihubmix_video.capabilities.table_converter import TableMistakes, structured  # noqa: PLC0415  # loads cattrs

    file = Path(path)
    try:
        return structured(_read(file), known)
    except TableMistakes as error:
        lines = [f"{file}: {mistake}." for mistake in error.mistakes[:MOST_MISTAKES]]
        more = len(error.mistakes) - len(lines)
        raise ConfigurationError("\n".join([*lines, *([f"and {more} more mistakes."] if more else [])])) from None


def dump(tables: Iterable[Capability], path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write model tables to a file that `load` reads; each is written whole.

    Args:
        tables: A `CapabilitySet`, or some tables of it.
        path: The file; its name ends with ``.json``, or with ``.toml``, which needs the extra ``toml``.
        overwrite: Replace an existing file.

    Raises:
        ConfigurationError: The file exists, or cannot be written.
    """
    from aihubmix_video.capabilities.table_converter import plain_tables  # noqa: PLC0415  # loads cattrs

    file = Path(path)
    data = plain_tables(tables)
    text = _toml(data) if _suffix(file) == ".toml" else json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    try:
        with file.open("w" if overwrite else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{file} exists; give another name, or overwrite=True.") from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from None


def plain_models(tables: CapabilitySet) -> list[Mapping[str, object]]:
    """Return those of *tables* that the package has not, as the plain data of a file; `Sandbox` takes them as ``models``."""
    own = [table for table in tables if BUILT_IN.find(table.model) is not table]
    if not own:
        return []
    from aihubmix_video.capabilities.table_converter import plain_tables  # noqa: PLC0415  # loads cattrs

    return plain_tables(own)["models"]


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix not in {".toml", ".json"}:
        raise ConfigurationError(f"{shown(str(file))}: the name must end with .toml or .json.")
    return suffix


def _read(file: Path) -> object:
    suffix = _suffix(file)
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{file} is larger than {MAX_BYTES // 2**20} MiB; it cannot be a file of tables.")
    try:
        text = data.decode("utf-8-sig")
        return tomllib.loads(text) if suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file} is not {suffix[1:].upper()}: {error}.") from None


def _toml(data: Mapping[str, object]) -> str:
    try:
        import tomli_w  # noqa: PLC0415  # optional (extra `toml`)
    except ImportError:
        raise ConfigurationError(
            "writing TOML needs the extra `toml`: pip install 'aihubmix-video[toml]'; or give a name that ends with .json."
        ) from None
    return tomli_w.dumps(data)
