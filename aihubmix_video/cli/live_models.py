"""What the gateway's model list says, printed: ``models --live``."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import attrs
from rich.text import Text

from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.table_format import new_table
from aihubmix_video.cli.text_format import safe, span_text, usd_text
from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.session.session import VideoSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rich.table import Table

    from aihubmix_video.capabilities import CapabilitySet
    from aihubmix_video.catalog import Catalog, Difference, LiveModel
    from aihubmix_video.cli.command_options import SessionOptions
    from aihubmix_video.cli.console import Screen

__all__ = ["print_live_models", "read_catalog"]

NOT_SENT = "no-key-is-needed"
"""Stands for a key where there is none: the list is public, and no key is sent for it."""


async def print_live_models(
    session: SessionOptions, screen: Screen, prices_to: Path | None = None, name: str | None = None
) -> ExitCode:
    """Read the gateway's model list, and print it with what differs from the tables.

    Args:
        session: How the gateway is reached.
        screen: Where it is printed.
        prices_to: A file for the prices, as ``--prices`` reads it.
        name: Only this model.
    """
    catalog, tables = await read_catalog(session), session.tables()
    models = [each for each in catalog.models if name in {None, each.model}]
    drift = [each for each in catalog.drift(tables) if name in {None, each.model}]
    if screen.json:
        screen.objects(live_objects(catalog, models, drift, tables))
    else:
        screen.table(live_table(models, tables))
        if drift:
            screen.table("")
            screen.table(drift_table(drift))
        age = span_text(catalog.age(time.time()))
        screen.say(f"{len(models)} models, {len(drift)} differences from the tables; {catalog.source}, read {age} ago.")
    if catalog.unread:
        screen.warn(f"{catalog.unread} rows of the list could not be read.")
    if prices_to is not None:
        write_prices(catalog, prices_to)
        screen.say(
            f"{len(catalog.prices())} prices were written to {prices_to}; --prices {prices_to} counts with them."
        )
    return ExitCode.DONE


async def read_catalog(session: SessionOptions) -> Catalog:
    """Return the gateway's model list; it is public, so this works without a key.

    Raises:
        VideoError: The list cannot be read.
    """
    options = session.given(os.environ, needs_key=False)
    if "AIHUBMIX_API_KEY" not in os.environ:
        options.setdefault("api_key", NOT_SENT)
    async with VideoSession(**options) as opened:  # type: ignore[arg-type]  # the session checks its options itself
        return await opened.catalog()


def live_table(models: Iterable[LiveModel], tables: CapabilitySet) -> Table:
    """Return the models of the list, and whether each has a table."""
    table = new_table("model", "table", "takes", "list price", "retired")
    for each in models:
        table.add_row(
            Text(safe(each.model, 80), "bold"),
            "no" if tables.find(each.model) is None else "yes",
            safe(" ".join(each.input_modalities), 60),
            _price(each),
            "yes" if each.retired else "",
        )
    return table


def _price(model: LiveModel) -> str:
    if model.price is None:
        return ""
    per_second, per_video = model.price.per_second, model.price.per_video
    return f"{usd_text(per_second)}/s" if per_second is not None else f"{usd_text(per_video)}/video"


def drift_table(drift: Iterable[Difference]) -> Table:
    """Return what differs from the tables."""
    table = new_table("differs", "model", "gateway", "table", "what to do")
    for each in drift:
        table.add_row(each.kind, *(Text(safe(text)) for text in (each.model, each.live, each.table, each.advice)))
    return table


def live_objects(
    catalog: Catalog, models: Iterable[LiveModel], drift: Iterable[Difference], tables: CapabilitySet
) -> Iterator[dict[str, object]]:
    """Yield the list as ``--json`` prints it: the models, the differences, and where and when they were read."""
    for model in models:
        yield {"kind": "model", **attrs.asdict(model), "has_table": tables.find(model.model) is not None}
    for each in drift:
        yield {
            "kind": "difference",
            **attrs.asdict(each, filter=lambda field, _: field.name != "kind"),
            "differs": each.kind,
        }
    yield {"kind": "source", "url": catalog.source, "read_at": catalog.read_at, "unread": catalog.unread}


def write_prices(catalog: Catalog, path: Path) -> None:
    """Write the prices per second to a new file, as ``--prices`` reads them.

    Raises:
        ConfigurationError: The file exists, or cannot be written.
    """
    text = json.dumps(catalog.prices(), indent=2, sort_keys=True, ensure_ascii=False)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except FileExistsError:
        raise ConfigurationError(f"--prices-to {shown(str(path))} exists already; name a new file.") from None
    except OSError as error:
        raise ConfigurationError(f"--prices-to {shown(str(path))} cannot be written: {error.strerror}.") from None
