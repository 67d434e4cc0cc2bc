"""What a batch file asks for, added up: the plan that is shown before anything is bought."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import attrs
from rich.text import Text

from aihubmix_video.batch_file import BadRow, Row
from aihubmix_video.capabilities import Validate, find_problems
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.result_tables import new_table
from aihubmix_video.cli.text_format import safe, usd_text
from aihubmix_video.pricing.list_prices import list_price, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.table import Table

    from aihubmix_video.cli.console import Screen

__all__ = ["Load", "Plan", "plan_objects", "plan_of", "plan_table", "show_plan", "tell_bad"]

KEPT_PROBLEMS = 1000
LIST_PRICES = "List prices are what vendors publish, not what the account is billed; --prices FILE gives your own."


@attrs.define(kw_only=True)
class Load:
    """What some rows add up to.

    Attributes:
        videos: How many.
        seconds: Their lengths together, as far as they are known.
        open_ended: Videos whose length the model chooses, or is not known.
        usd: Their list prices together, as far as they are known.
        unpriced: Videos whose list price is not known.
    """

    videos: int = 0
    seconds: int = 0
    open_ended: int = 0
    usd: float = 0.0
    unpriced: int = 0

    def add(self, seconds: int | None, usd: float | None) -> None:
        """Count one more video."""
        self.videos += 1
        self.seconds += seconds or 0
        self.open_ended += seconds is None
        self.usd = math.fsum((self.usd, usd or 0.0))
        self.unpriced += usd is None


@attrs.define(kw_only=True)
class Plan:
    """What a batch file asks for.

    Attributes:
        loads: By model.
        total: All good rows.
        bad: The bad rows, the first thousand of them.
        bad_count: How many there are.
        warnings: What may be sent but is doubtful, each once, with how often.
    """

    loads: dict[str, Load] = attrs.field(factory=dict)
    total: Load = attrs.field(factory=Load)
    bad: list[BadRow] = attrs.field(factory=list)
    bad_count: int = 0
    warnings: Counter[str] = attrs.field(factory=Counter)


def plan_of(rows: Iterable[Row | BadRow], validate: Validate, prices: Mapping[str, float] | None = None) -> Plan:
    """Add up judged rows; *prices* are the user's own, in USD per second by model."""
    plan = Plan()
    for row in rows:
        if isinstance(row, BadRow):
            plan.bad_count += 1
            plan.bad.extend([row] if plan.bad_count <= KEPT_PROBLEMS else [])
            continue
        seconds, usd = seconds_of(row.request), list_price(row.request, prices)
        for load in (plan.loads.setdefault(row.request.model, Load()), plan.total):
            load.add(seconds, usd)
        plan.warnings.update(find_problems(row.request, validate=validate).warnings)
    return plan


def show_plan(plan: Plan, screen: Screen) -> ExitCode:
    """Tell what a batch file asks for, and everything that is wrong with it."""
    if screen.json:
        screen.objects(plan_objects(plan))
    else:
        if plan.loads:
            screen.table(plan_table(plan))
        tell_bad(plan, screen)
    for text, times in plan.warnings.items():
        screen.warn(f"{text} ({times} rows)" if times > 1 else text)
    if plan.total.videos > plan.total.unpriced:
        screen.say(LIST_PRICES)
    screen.say("Nothing was sent.")
    return ExitCode.BAD_INPUT if plan.bad_count else ExitCode.DONE


def tell_bad(plan: Plan, screen: Screen) -> None:
    """Tell the bad rows, one line each."""
    for bad in plan.bad:
        screen.error(str(bad))
    if plan.bad_count > len(plan.bad):
        screen.error(f"and {plan.bad_count - len(plan.bad)} more rows with problems")


def plan_table(plan: Plan) -> Table:
    """Draw what a batch file asks for, by model."""
    table = new_table("model", "videos", "total", "list price", "note")
    for model, load in plan.loads.items():
        name = Text(safe(model, 60), "bold")
        table.add_row(name, str(load.videos), f"{load.seconds} s", _price(load), _note(load))
    if len(plan.loads) > 1:
        total = plan.total
        table.add_row("together", str(total.videos), f"{total.seconds} s", _price(total), _note(total))
    return table


def _price(load: Load) -> str:
    return "" if load.unpriced == load.videos else usd_text(load.usd)


def _note(load: Load) -> str:
    facts = (
        f"{load.open_ended} of a length not known beforehand" if load.open_ended else "",
        f"{load.unpriced} without a known price" if load.unpriced else "",
    )
    return ", ".join(filter(None, facts))


def plan_objects(plan: Plan) -> Iterator[dict[str, object]]:
    """Give a plan as ``--json`` prints it: the problems, the models, the total."""
    for bad in plan.bad:
        for problem in bad.problems:
            yield {
                "kind": "problem",
                "file": bad.source,
                "row": bad.number,
                "line": bad.line,
                "column": bad.column,
                **attrs.asdict(problem),
            }
    for model, load in plan.loads.items():
        yield {"kind": "model", "model": model, **_load_object(load)}
    yield {"kind": "total", **_load_object(plan.total), "bad_rows": plan.bad_count}


def _load_object(load: Load) -> dict[str, object]:
    return {**attrs.asdict(load), "usd": round(load.usd, 6) if load.unpriced < load.videos else None}
