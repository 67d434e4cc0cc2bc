"""The server behind ``serve``; needs the extra ``fastapi``."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import attrs
import uvicorn

from aihubmix_video.board.app import board_application
from aihubmix_video.cli.exit_codes import ExitCode
from aihubmix_video.cli.instrument import instrument
from aihubmix_video.cli.ledger_location import LEDGER
from aihubmix_video.cli.output_paths import make_folder
from aihubmix_video.errors import ConfigurationError, shown
from aihubmix_video.fastapi import video_lifespan
from aihubmix_video.references.addresses import is_loopback
from aihubmix_video.web.access import AccessPolicy, token_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aihubmix_video.cli.runner import Runner

__all__ = ["BoardServer", "token_in"]

TOKEN = "AIHUBMIX_BOARD_TOKEN"  # noqa: S105  # the name of a variable
FOLDER = Path("videos")
SHUTDOWN_SECONDS = 3
"""For which open downloads may go on when the server ends."""
MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe())'"


class Server(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@attrs.frozen(kw_only=True)
class BoardServer:
    """A board that is a server of its own.

    Attributes:
        host: Where it listens.
        port: Its port; 0 for any free one.
        folder: Where videos go; None for ``videos``, or with a sandbox for a temporary one.
        ledger: The durable record of its jobs; None for one in the folder.
        token: What visitors must know; None to let everyone in.
        prices: The user's own USD per second, by model.
    """

    host: str
    port: int
    folder: Path | None
    ledger: Path | None
    token: str | None = attrs.field(repr=False)
    prices: Mapping[str, float] | None = None

    def check(self) -> None:
        """Check that it may be served at all.

        Raises:
            ConfigurationError: Other machines could reach it, and there is no token.
        """
        if self.token is None and not is_loopback(self.host):
            raise ConfigurationError(
                f"--host {shown(self.host)} can be reached from other machines, and anyone who reaches it can buy: give a token "
                f"by --token-file FILE or ${TOKEN}. This makes one: {MAKE_ONE}"
            )

    async def serve(self, runner: Runner) -> ExitCode:
        """Serve until cancelled; jobs under way then learn their ids, and the next board resumes them."""
        async with AsyncExitStack() as stack:
            folder = self._folder(runner, stack)
            listener = stack.enter_context(self._listen())
            options = await stack.enter_async_context(runner.reached())
            if self.ledger is not None or not runner.sandbox.sandbox:
                options["ledger"] = self.ledger if self.ledger is not None else folder / LEDGER
            app, guarded = board_application(
                folder=folder,
                door=AccessPolicy.of(self.host, self.token),
                sandbox=runner.sandbox.sandbox,
                speed=runner.screen.speed,
                prices=self.prices,
                capabilities=runner.session.tables(),
            )
            await stack.enter_async_context(video_lifespan(standby=False, instrument=instrument, **options)(app))
            await self._run(guarded, listener, runner)
        return ExitCode.DONE

    def _folder(self, runner: Runner, stack: AsyncExitStack) -> Path:
        if self.folder is None and runner.sandbox.sandbox:
            return Path(stack.enter_context(TemporaryDirectory(prefix="aihubmix-video-")))
        folder = FOLDER if self.folder is None else self.folder
        make_folder(folder)
        return folder.absolute()

    def _listen(self) -> socket.socket:
        host = self.host.strip("[]")
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, self.port), family=family, backlog=1024)
        except (OSError, OverflowError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise ConfigurationError(f"cannot listen on {shown(self.host)} port {self.port}: {said}.") from None

    async def _run(self, app: object, listener: socket.socket, runner: Runner) -> None:
        config = uvicorn.Config(
            app,  # type: ignore[arg-type]  # an ASGI application
            lifespan="off",  # it is entered above, where its errors are printed
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            ws="none",
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve([listener]), name="aihubmix-video board")
        self._print_address(runner, listener.getsockname()[1])
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await asyncio.wait([serving])

    def _print_address(self, runner: Runner, port: int) -> None:
        host = self.host.strip("[]")
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        if runner.screen.json:
            runner.screen.objects([{"url": url}])
            return
        runner.screen.result(url)
        bought = "nothing is bought" if runner.sandbox.sandbox else "what is ordered there is bought"
        runner.screen.say(f"The board is open at this address until Ctrl-C; {bought}.")


def token_in(path: Path | None) -> str | None:
    """Return the token from the file, or else from the environment; None if there is none.

    Raises:
        ConfigurationError: The file cannot be read, or the token cannot be used.
    """
    if path is None:
        token, name = os.environ.get(TOKEN), f"${TOKEN}"
    else:
        name = f"--token-file {shown(str(path))}"
        try:
            token = path.read_text("utf-8", errors="replace").strip()
        except OSError as error:
            raise ConfigurationError(f"{name} cannot be read: {error.strerror}.") from None
    problem = token_problem(token) if token is not None else None
    if problem is not None:
        raise ConfigurationError(f"the token in {name} {problem}. This makes one: {MAKE_ONE}")
    return token
