"""The command ``cancel``: a batch on a Temporal server buys nothing more."""

from __future__ import annotations

from aihubmix_video.cli.command_options import OutputOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.runner import run_command
from aihubmix_video.cli.temporal_options import ServerOptions

__all__ = ["cancel"]


def cancel(name: str, /, *, server: ServerOptions = ServerOptions(), how: OutputOptions = OutputOptions()) -> int:
    """Let a batch on a Temporal server buy nothing more; what was bought is collected.

    Args:
        name: The batch.
        server: Which Temporal server.
        how: What is printed.
    """
    from aihubmix_video.cli.temporal_batches import cancel_batch  # noqa: PLC0415  # needs the extra, and says so

    screen = Screen.of_options(how)
    return run_command(screen, cancel_batch(name, server, screen))
