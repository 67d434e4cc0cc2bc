"""The command ``plan``: what a batch file asks for, and what is wrong with it, before anything is bought."""

from __future__ import annotations

from functools import partial
from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter
from rich.text import Text

from aihubmix_video.cli.batch_plan import plan_of, print_bad_rows
from aihubmix_video.cli.command_options import CAPS, FieldOptions, OutputOptions, RowsOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.open_batch_file import judged, opened
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.cli.table_format import new_table
from aihubmix_video.cli.text_format import safe, usd_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from aihubmix_video.cli.batch_plan import Load, Plan

__all__ = ["plan"]

LIST_PRICES = "List prices are what vendors publish, not what the account is billed; --prices FILE gives your own."


def plan(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    prices: Annotated[Path | None, Parameter(group=CAPS)] = None,
    rows: RowsOptions = RowsOptions(),
    fields: FieldOptions = FieldOptions(),
    session: SessionOptions = SessionOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Check a batch file: every problem at once, and the videos, seconds and money it asks for. Sends nothing.

    Args:
        file: As for batch.
        prices: JSON file of your own prices in USD per second, such as {"wan2.6-t2v": 0.05}.
        rows: How the file is read.
        fields: For rows that do not give them.
        session: Of these only --validate and --capabilities matter here.
        how: What is printed.
    """
    validate, capabilities = session.validate or "known", session.tables()
    with opened(file, rows.format, rows.defaults(fields), rows.ignored()) as source:
        own = None if prices is None else prices_in(prices)
        judge = partial(capabilities.judge, validate=validate)
        found = plan_of(judged(source.rows(), source.source, judge), validate, own, capabilities)
    return print_plan(found, Screen.of_options(how))


def print_plan(plan: Plan, screen: Screen) -> ExitCode:
    """Print what a batch file asks for, and everything that is wrong with it."""
    if screen.json:
        screen.objects(plan_objects(plan))
    else:
        if plan.loads:
            screen.table(plan_table(plan))
        print_bad_rows(plan, screen)
    for text, times in plan.warnings.items():
        screen.warn(f"{text} ({times} rows)" if times > 1 else text)
    if plan.total.videos > plan.total.unpriced:
        screen.say(LIST_PRICES)
    screen.say("Nothing was sent.")
    return ExitCode.BAD_INPUT if plan.bad_count else ExitCode.DONE


def plan_table(plan: Plan) -> Table:
    """Return a table of what a batch file asks for, by model."""
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
    """Yield a plan as ``--json`` prints it: the problems, the models, the total."""
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
