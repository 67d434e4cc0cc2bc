"""What the router costs: a status request behind it, beside one that a bare FastAPI handler answers.

Both applications run in one process behind uvicorn, and are asked in turns by the same client over kept connections; so what
the machine does meanwhile strikes both alike. Run it with ``python benchmarks/web.py [requests]``.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI

from aihubmix_video.fastapi import video_lifespan, video_router
from aihubmix_video.sandbox import Sandbox

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator

REQUESTS = 1500
ROUNDS = 9
BARE = {"key": "3f9c2a-1", "status": "in_progress", "progress": 40.0, "prompt": "a cat", "created_at": 1.7e9}
"""What the bare handler gives: a small object, as quick as FastAPI can."""


def bare() -> FastAPI:
    """Make the application to compare with: one handler that looks a key up in a dict."""
    app = FastAPI()
    jobs = {"3f9c2a-1": BARE}

    @app.get("/videos/{key}")
    async def job(key: str) -> dict[str, Any]:
        return jobs[key]

    return app


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[int]:
    """Serve an application; gives its port."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def exchange(reader: StreamReader, writer: StreamWriter, request: bytes) -> bytes:
    """Send a request over a kept connection, and read its answer; as little work of our own as can be."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")), head
    return await reader.readexactly(length)


async def asked(port: int, path: str, requests: int) -> float:
    """Ask so many times, one after the other; gives microseconds per request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
    started = time.perf_counter()
    for _ in range(requests):
        await exchange(reader, writer, request)
    taken = time.perf_counter() - started
    writer.close()
    return taken / requests * 1e6


async def bought(port: int) -> str:
    """Buy a video; gives its path."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"model": "wan2.6-t2v", "prompt": "a cat", "seconds": 5}'
    head = (
        f"POST /videos/ HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    key = (await exchange(reader, writer, head.encode() + body)).partition(b'"key":"')[2].partition(b'"')[0]
    writer.close()
    return f"/videos/{key.decode()}"


async def reaches(port: int, path: str, state: bytes) -> None:
    """Wait until a job is in a state."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while b'"state":"%s"' % state not in await exchange(
        reader, writer, f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()
    ):
        await asyncio.sleep(0.05)
    writer.close()


async def main(requests: int) -> None:
    """Print the medians and their ratios."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        options: dict[str, Any] = {"rate": 1000.0, "burst": 100, "trust_env": False, "poll_interval": 1.0}
        ports = {}
        for name, generation in (("running", 1e6), ("saved", 0.0)):
            sandbox = await stack.enter_async_context(Sandbox(generation=generation, content=50_000, render=False))
            lifespan = video_lifespan(
                api_key=sandbox.api_key, base_url=sandbox.url, ledger=folder / f"{name}.db", **options
            )
            app = FastAPI(lifespan=lifespan)
            app.include_router(video_router(folder=folder / name), prefix="/videos")
            ports[name] = await stack.enter_async_context(served(app))
        targets = {"bare": (await stack.enter_async_context(served(bare())), "/videos/3f9c2a-1")}
        for name, port in ports.items():
            path = await bought(port)
            await reaches(port, path, name.encode())
            targets[name] = (port, path)
        taken: dict[str, list[float]] = {name: [] for name in targets}
        for _ in range(ROUNDS):
            for name, (port, path) in targets.items():
                taken[name].append(await asked(port, path, requests))
        first = median(taken["bare"])
        print(f"{'status request':<38}  {'µs':>6}  {'÷ bare':>6}")
        rows = (
            ("bare", "bare FastAPI handler"),
            ("running", "router, a job that is followed"),
            ("saved", "router, a job that is saved"),
        )
        for name, label in rows:
            ratio = median(ours / theirs for ours, theirs in zip(taken[name], taken["bare"], strict=True))
            print(f"{label:<38}  {median(taken[name]):>6.0f}  {ratio:>6.2f}")
        assert first > 0


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS))
