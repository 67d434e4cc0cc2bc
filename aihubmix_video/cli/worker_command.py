"""The command ``worker``: one session and one worker of a Temporal server."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from aihubmix_video.cli.command_options import WHOLE, OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.log_options import LogOptions
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.cli.temporal_options import TEMPORAL, ServerOptions
from aihubmix_video.errors import ConfigurationError

__all__ = ["worker"]


def worker(
    *,
    server: ServerOptions = ServerOptions(),
    submits_at_once: Annotated[int, WHOLE, Parameter(group=TEMPORAL)] = 8,
    session: SessionOptions = SessionOptions(),
    how: OutputOptions = OutputOptions(),
    log: LogOptions = LogOptions(),
) -> int:
    """Work for a Temporal server until Ctrl-C: buy, follow and save the videos of batches that were started there.

    Args:
        server: Which Temporal server.
        submits_at_once: Creates sent at once. If the worker is killed, so many rows at most need a decision. [default: 8]
        session: How the gateway is reached.
        how: What is printed.
        log: What is logged.
    """
    from aihubmix_video.cli.temporal_batches import work  # noqa: PLC0415  # needs the extra, and says so

    if submits_at_once < 1:
        raise ConfigurationError(f"--submits-at-once {submits_at_once}: must be at least 1.")
    log.start()
    screen = Screen.of_options(how)
    runner = Runner(session=session, sandbox=SandboxOptions(), screen=screen)
    return run_command(screen, work(server, runner, submits_at_once=submits_at_once))
