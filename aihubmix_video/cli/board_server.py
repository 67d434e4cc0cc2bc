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
from aihubmix_video.openai_front import openai_router
from aihubmix_video.openai_front.front_application import PREFIX, FrontDoor, front_application
from aihubmix_video.references.addresses import is_loopback
from aihubmix_video.web.access import AccessPolicy, token_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from aihubmix_video.cli.runner import Runner
    from aihubmix_video.openai_front import ApiClient

__all__ = ["BoardServer", "FrontServing", "token_in"]

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
class FrontServing:
    """How OpenAI's clients are served beside the board.

    Attributes:
        clients: Who they are; None to serve everyone on this machine.
        retry_window: Seconds for which a same create is a retry; 0 for none.
    """

    clients: tuple[ApiClient, ...] | None
    retry_window: float


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
        front: How OpenAI's clients are served under ``/v1``; None not to.
    """

    host: str
    port: int
    folder: Path | None
    ledger: Path | None
    token: str | None = attrs.field(repr=False)
    prices: Mapping[str, float] | None = None
    front: FrontServing | None = None

    @property
    def is_board_shown(self) -> bool:
        """Whether the board is served, and not the front alone, which has tokens of its own."""
        return self.token is not None or is_loopback(self.host)

    def check(self) -> None:
        """Check that it may be served at all.

        Raises:
            ConfigurationError: Other machines could reach it, and there is no token.
        """
        if is_loopback(self.host):
            return
        if self.front is not None and self.front.clients is None:
            raise ConfigurationError(
                f"--openai on --host {shown(self.host)} can be reached from other machines: name its clients by --clients FILE."
            )
        if self.front is None and not self.is_board_shown:
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
            await self._run(self._with_front(app, guarded, folder), listener, runner)
        return ExitCode.DONE

    def _with_front(self, app: FastAPI, board: ASGIApp, folder: Path) -> ASGIApp:
        """Put the front beside the board, over the same session."""
        if self.front is None:
            return board
        clients = self.front.clients
        router = openai_router(
            folder=folder,
            clients=clients,
            retry_window=self.front.retry_window,
            extra_body=clients is None,  # it would let a client past its caps
            prices=self.prices,
        )
        policy = AccessPolicy.of(self.host, None) if clients is None else None
        return FrontDoor(front_application(router, app.state), board if self.is_board_shown else None, policy)

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
        front = {} if self.front is None else {"openai_base_url": f"{url.removesuffix('/')}{PREFIX}"}
        if runner.screen.json:
            runner.screen.objects([({"url": url} if self.is_board_shown else {}) | front])
            return
        if self.is_board_shown:
            runner.screen.result(url)
        for base in front.values():
            runner.screen.result(f"export OPENAI_BASE_URL={base}")
            if self.front is not None and self.front.clients is None:
                runner.screen.result("export OPENAI_API_KEY=unused")
        self._explain(runner)

    def _explain(self, runner: Runner) -> None:
        if not self.is_board_shown:
            runner.screen.say("OpenAI's clients are served until Ctrl-C; the board is not, as it has no token.")
            return
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
