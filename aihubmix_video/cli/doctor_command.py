"""The command ``doctor``: whether everything that a purchase needs is in order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
from rich.text import Text

from aihubmix_video.cli.command_options import OUTPUT_PATH, OutputOptions, SandboxOptions, SessionOptions, Several
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.contract_report import LiveRun, print_report, replayed
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.ledger_location import ledger_at
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.cli.text_format import safe
from aihubmix_video.doctor.examination import examine_gateway, examine_machine
from aihubmix_video.doctor.finding import Finding, Level, worst
from aihubmix_video.doctor.local_checks import judge_proxy, judge_settings
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.session.session import VideoSession
from aihubmix_video.settings import proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["doctor"]

STYLES = {Level.OK: "green", Level.SKIPPED: "dim", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


def doctor(  # noqa: PLR0913  # each is an option, or a group of options
    *,
    output: Annotated[Path | None, OUTPUT_PATH] = None,
    live: bool = False,
    max_spend: float | None = None,
    model: Several = None,
    prices: Path | None = None,
    samples: Path | None = None,
    replay: Path | None = None,
    session: SessionOptions = SessionOptions(),
    sandbox: SandboxOptions = SandboxOptions(),
    how: OutputOptions = OutputOptions(),
) -> int:
    """Check everything that a purchase needs: the key, the gateway, the ledger, the disk. Nothing is bought.

    With --live a few videos are bought, and the report tells where the gateway differs from what is assumed here.

    Args:
        output: Folder for the videos, whose disk and ledger are checked. [default: this one]
        live: Buy the cheapest video of every family, under --max-spend, and judge every answer.
        max_spend: With --live: USD by price that may be spent, at most.
        model: With --live: only these models of the suite.
        prices: With --live: JSON file of prices in USD per second; what has no known price is not bought.
        samples: With --live: a new file for the scrubbed answers.
        replay: Judge the answers in such a file again; nothing is sent.
        session: How the gateway is reached.
        sandbox: Whether the gateway is one on this machine.
        how: What is printed.
    """
    runner = Runner(session=session, sandbox=sandbox, screen=Screen.of_options(how))
    if replay is not None:
        return print_report(replayed(replay), runner.screen)
    if live != (max_spend is not None):
        raise ConfigurationError("--live buys videos: it goes with --max-spend USD, and --max-spend with it.")
    if max_spend is not None:
        run = LiveRun(
            max_spend=max_spend,
            folder=Path() if output is None else output,
            models=tuple(model or ()),
            prices=prices,
            samples=samples,
        )
        run.check()
        return run_command(runner.screen, run.run(runner))
    return run_command(runner.screen, print_findings(runner, Path() if output is None else output))


async def print_findings(runner: Runner, folder: Path) -> ExitCode:
    """Make every check, print each as it ends, and return 0 if there is no problem, 77 if the key is refused, 1 otherwise."""
    findings: list[Finding] = []
    async for finding in _findings(runner, folder):
        findings.append(finding)
        _print(runner.screen, finding)
    level = worst(findings)
    if runner.screen.json:
        runner.screen.objects([{"kind": "summary", "level": level, "checks": len(findings)}])
    problems = [each.check for each in findings if each.level is Level.PROBLEM]
    runner.screen.say(f"{len(problems)} problems: {', '.join(problems)}" if problems else "No problems.")
    if "key" in problems:
        return ExitCode.REFUSED
    return ExitCode.FAILED if problems else ExitCode.DONE


async def _findings(runner: Runner, folder: Path) -> AsyncIterator[Finding]:
    async for finding in examine_machine(folder, ledger_at(folder)):
        yield finding
    try:
        async with runner.reached() as options:
            # Made here, so that a fault of an option is a line of the report, and not an end of it.
            session = VideoSession(**options)  # type: ignore[arg-type]  # the session checks its options itself
            for finding in _settings(session):
                yield finding
            async with session:
                async for finding in examine_gateway(session):
                    yield finding
    except ConfigurationError as error:
        yield judge_settings(error, "")


def _settings(session: VideoSession) -> Iterator[Finding]:
    yield judge_settings(None, session.base_url)
    yield judge_proxy(proxy_for(session.base_url))


def _print(screen: Screen, finding: Finding) -> None:
    if screen.json:
        screen.objects([{"kind": "check", **attrs.asdict(finding)}])
        return
    advice = f"\n{'':22}-> {safe(finding.advice)}" if finding.advice else ""
    line = Text.assemble(
        (f"{finding.level:8}", STYLES[finding.level]), f"  {finding.check:12}", safe(finding.text), advice
    )
    screen.result(line.plain) if not screen.out.isatty() or "NO_COLOR" in os.environ else screen.table(line)
