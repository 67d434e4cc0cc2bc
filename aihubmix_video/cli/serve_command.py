"""The command ``serve``: the board, on which videos are ordered, followed and played, and the front for OpenAI's clients."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # cyclopts reads the annotations when the program runs
from typing import Annotated

from aihubmix_video.cli.command_options import WHOLE, OutputOptions, SandboxOptions, SessionOptions
from aihubmix_video.cli.console import Screen
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.log_options import LogOptions
from aihubmix_video.cli.openai_options import OpenAIOptions
from aihubmix_video.cli.price_file import prices_in
from aihubmix_video.cli.runner import Runner, run_command
from aihubmix_video.errors import ConfigurationError

__all__ = ["serve"]

EXTRA = frozenset({"fastapi", "multipart", "prometheus_client", "python_multipart", "starlette", "uvicorn"})


def serve(  # noqa: PLR0913  # each is an option, or a group of options
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, WHOLE] = 8000,
    folder: Path | None = None,
    ledger: Path | None = None,
    token_file: Path | None = None,
    prices: Path | None = None,
    openai: OpenAIOptions = OpenAIOptions(),
    session: SessionOptions = SessionOptions(),
    sandbox: SandboxOptions = SandboxOptions(),
    how: OutputOptions = OutputOptions(),
    log: LogOptions = LogOptions(),
) -> int:
    """Serve a page on which videos are ordered, followed and played, until Ctrl-C.

    Args:
        host: Where it listens. Other machines than this one need a token. [default: 127.0.0.1]
        port: The port; 0 for any free one. [default: 8000]
        folder: Folder for the videos; made if it does not exist. [default: videos, or a temporary one with --sandbox]
        ledger: File of the durable record of all jobs. [default: .aihubmix-video.db in the folder; none with --sandbox]
        token_file: File that holds the token visitors must give, in place of $AIHUBMIX_BOARD_TOKEN.
        prices: JSON file of your own prices in USD per second, such as {"wan2.6-t2v": 0.05}.
        openai: Whether clients of OpenAI's videos API are served.
        session: How the gateway is reached.
        sandbox: Whether everything happens here.
        how: What is printed.
        log: What is logged.
    """
    try:
        from aihubmix_video.cli.board_server import BoardServer, FrontServing, token_in  # noqa: PLC0415  # needs the extra, and must be able to say so
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise ConfigurationError("`serve` needs its extra: pip install 'aihubmix-video[fastapi]'.") from None
    log.start()
    screen = Screen.of_options(how)
    own = None if prices is None else prices_in(prices)
    openai.check()
    front = None
    if openai.openai:
        front = FrontServing(clients=openai.known_clients(), retry_window=openai.retry_window)
    board = BoardServer(
        host=host, port=port, folder=folder, ledger=ledger, token=token_in(token_file), prices=own, front=front
    )
    board.check()
    run_command(screen, board.serve(Runner(session=session, sandbox=sandbox, screen=screen)))
    return ExitCode.DONE  # a signal is how it is meant to end
