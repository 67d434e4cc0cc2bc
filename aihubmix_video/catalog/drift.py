"""What the gateway's model list says that the capability tables do not."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.capabilities.field_rules import Mode, closest
from aihubmix_video.pricing.list_prices import LIST_PRICES, ListPrice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aihubmix_video.capabilities import Capability
    from aihubmix_video.catalog.model_list import LiveModel

__all__ = ["Difference", "DriftKind", "drift_of"]

PRICE_TOLERANCE = 0.005  # USD per second: the lists are rounded to cents


class DriftKind(StrEnum):
    """How the gateway's list differs from the tables."""

    NEW = "new"
    """The gateway lists a model that has no table: its requests are sent unchecked."""
    GONE = "gone"
    """A model has a table, and the gateway does not list it."""
    RETIRED = "retired"
    """A model has a table, and the gateway marks it as retired."""
    INPUTS = "inputs"
    """The table and the gateway differ on whether a model takes images."""
    PRICE = "price"
    """The gateway's price is not the list price."""


@attrs.frozen(kw_only=True)
class Difference:
    """One way in which the gateway's list differs from the tables.

    Attributes:
        kind: What differs.
        model: Of which model.
        live: What the gateway says, in words.
        table: What the tables say, in words.
        advice: What to do.
    """

    kind: DriftKind
    model: str
    live: str
    table: str
    advice: str


def drift_of(
    live: Iterable[LiveModel], tables: Iterable[Capability], prices: Mapping[str, ListPrice] = LIST_PRICES
) -> tuple[Difference, ...]:
    """Return every difference: first of the models that have a table, in the tables' order, then the new ones by name."""
    listed = {each.model: each for each in live}
    known = {each.model: each for each in tables}
    found = [each for table in known.values() for each in _of_table(table, listed.get(table.model), prices)]
    new = sorted(listed.keys() - known.keys())
    return (*found, *(_new(listed[model], known) for model in new))


def _of_table(table: Capability, live: LiveModel | None, prices: Mapping[str, ListPrice]) -> Iterator[Difference]:
    if live is None:
        yield Difference(
            kind=DriftKind.GONE,
            model=table.model,
            live="not listed",
            table="has a table",
            advice="expect creates to be refused; choose another model",
        )
        return
    if live.retired:
        yield Difference(
            kind=DriftKind.RETIRED,
            model=table.model,
            live="marked as retired",
            table="has a table",
            advice="choose another model before it is gone",
        )
    if live.input_modalities:
        yield from _inputs(table, live)
    yield from _price(table, live, prices.get(table.model))


def _inputs(table: Capability, live: LiveModel) -> Iterator[Difference]:
    listed, ours = "image" in live.input_modalities, table.modes != (Mode.TEXT,)
    if listed != ours:
        yield Difference(
            kind=DriftKind.INPUTS,
            model=table.model,
            live=f"takes {', '.join(live.input_modalities)}",
            table="takes images" if ours else "takes text alone",
            advice="the table may be out of date; validate='off' sends what you ask for",
        )


def _price(table: Capability, live: LiveModel, listed: ListPrice | None) -> Iterator[Difference]:
    usd = None if live.price is None else live.price.per_second
    if usd is None:
        return
    ours = () if listed is None else (listed.usd, *listed.sizes.values())
    if not any(abs(usd - each) <= PRICE_TOLERANCE for each in ours):
        yield Difference(
            kind=DriftKind.PRICE,
            model=table.model,
            live=f"${usd:g} per second",
            table=f"${listed.usd:g} per second" if listed is not None else "no list price",
            advice="`models --live --prices-to FILE` writes it for --prices",
        )


def _new(live: LiveModel, known: Mapping[str, Capability]) -> Difference:
    nearest = closest(live.model, tuple(known))
    return Difference(
        kind=DriftKind.NEW,
        model=live.model,
        live="listed, retired" if live.retired else "listed",
        table=f"no table; nearest {nearest}" if nearest else "no table",
        advice="its requests are sent unchecked",
    )
