"""``doctor --live`` and ``doctor --replay``: a contract run, and its report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
from rich.text import Text

from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.output_paths import make_folder
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.cli.table_format import new_table
from aihubmix_video.cli.text_format import safe, usd_text
from aihubmix_video.doctor.claims import ClaimResult, readings
from aihubmix_video.doctor.contract_run import ContractRun
from aihubmix_video.doctor.orders import REQUESTS, choose
from aihubmix_video.doctor.transcript import from_json, to_json
from aihubmix_video.errors import ConfigurationError, VideoError, shown
from aihubmix_video.session.session import VideoSession

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aihubmix_video.cli.console import Screen
    from aihubmix_video.cli.runner import Runner
    from aihubmix_video.doctor.orders import Orders
    from aihubmix_video.doctor.transcript import Transcript

__all__ = ["LiveRun", "print_report", "replayed"]

LEDGER_NAME = ".aihubmix-doctor.db"
MOST_BYTES = 32 << 20
SHORT = 60
"""Characters of what confirmed a claim; `--json` has the whole."""
STYLES = {ClaimResult.CONFIRMED: "green", ClaimResult.REFUTED: "bold red", ClaimResult.NOT_SEEN: "dim"}


@attrs.frozen(kw_only=True)
class LiveRun:
    """A contract run as it was ordered.

    Attributes:
        max_spend: USD that may be spent by price, at most.
        folder: Where videos, and the ledger of the run, are kept.
        models: Only these models; empty for one of every family.
        prices: File of prices in USD per second.
        samples: File for the transcript.
    """

    max_spend: float
    folder: Path
    models: tuple[str, ...] = ()
    prices: Path | None = None
    samples: Path | None = None

    def check(self) -> None:
        """Refuse what cannot be run, before anything is bought.

        Raises:
            ConfigurationError: The cap is not a sum of money, a model is not one of the suite's, or the samples' file exists.
        """
        if not (math.isfinite(self.max_spend) and self.max_spend >= 0):
            raise ConfigurationError(f"--max-spend {self.max_spend}: give USD as a number from 0 up.")
        known = [each.model for each in REQUESTS]
        if wrong := next((each for each in self.models if each not in known), None):
            raise ConfigurationError(f"--model {shown(wrong)}: the suite buys of {', '.join(known)}.")
        if self.samples is not None and self.samples.exists():
            raise ConfigurationError(f"--samples {shown(str(self.samples))} exists already; name a new file.")

    async def run(self, runner: Runner) -> ExitCode:
        """Buy, record, and print the report; 1 if a claim is refuted or an order failed."""
        screen = runner.screen
        make_folder(self.folder)
        async with runner.reached() as options:
            if not runner.sandbox.sandbox:
                options["ledger"] = self.folder / LEDGER_NAME
            async with VideoSession(**options) as session:  # type: ignore[arg-type]  # the session checks its options itself
                orders = choose(
                    self.max_spend,
                    prices=await self._prices(session, screen),
                    models=frozenset(self.models),
                    free=runner.sandbox.sandbox,
                )
                _print_orders(orders, screen)
                transcript = await ContractRun(session, self.folder.absolute(), screen.say).run(orders.bought)
        if self.samples is not None:
            self.samples.write_text(to_json(transcript), encoding="utf-8")
            screen.say(f"The transcript is in {self.samples}; `doctor --replay {self.samples}` judges it again.")
        code = print_report(transcript, screen)
        return ExitCode.FAILED if len(transcript.saved) < len(orders.bought) else code

    async def _prices(self, session: VideoSession, screen: Screen) -> Mapping[str, float]:
        """Return the gateway's own prices, under the user's."""
        try:
            live = (await session.catalog()).prices()
        except VideoError as error:
            screen.warn(f"the gateway's prices cannot be read, list prices are used: {error.message}")
            live = {}
        return live | ({} if self.prices is None else prices_in(self.prices))


def _print_orders(orders: Orders, screen: Screen) -> None:
    for order in orders.bought:
        screen.say(f"{order.request.model}: to be bought, {usd_text(order.price) or 'free of charge'}")
    for model, reason in orders.left_out.items():
        screen.warn(f"{model}: not bought: {reason}")


def replayed(path: Path) -> Transcript:
    """Return the transcript in a file.

    Raises:
        ConfigurationError: It cannot be read, or is not a transcript.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"--replay {shown(str(path))} cannot be read: {error.strerror}.") from None
    if len(text) > MOST_BYTES:
        raise ConfigurationError(f"--replay {shown(str(path))} is larger than {MOST_BYTES} bytes.")
    return from_json(text)


def print_report(transcript: Transcript, screen: Screen) -> ExitCode:
    """Print what a transcript says of every claim; 1 if one is refuted."""
    found = readings(transcript)
    if screen.json:
        screen.objects({"kind": "reading", **attrs.asdict(each)} for each in found)
    else:
        table = new_table("verdict", "what is assumed", "source", "seen")
        for each in found:
            row = (each.text, each.source, safe(each.seen, 300 if each.verdict is ClaimResult.REFUTED else SHORT))
            table.add_row(Text(each.verdict, STYLES[each.verdict]), *map(Text, row))
        screen.table(table)
    counts = {verdict: sum(each.verdict is verdict for each in found) for verdict in ClaimResult}
    screen.say(", ".join(f"{number} {verdict}" for verdict, number in counts.items()) + ".")
    return ExitCode.FAILED if counts[ClaimResult.REFUTED] else ExitCode.DONE
