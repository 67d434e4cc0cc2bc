"""What OpenAI's clients buy through the front and straight at the gateway, when answers are lost; and what their questions cost.

    uv run --group bench python benchmarks/front.py [--full]

Every client is used as its documentation shows, with the retries that it makes by itself (litellm: those of its router), in a process of
its own. Between it and the server stands a line that passes each create on, reads the whole answer, and breaks the connection in
its place, twice for each job. The gateway takes JSON alone and two of the clients send forms, so in front of the gateway the line
turns forms into JSON. openai-node is left out, and said to be, where `node` does not find it (`npm install openai`, NODE_PATH).

Then many clients ask about their jobs every second, once through the front and once at the gateway, which counts their questions.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aihubmix_video.sandbox import Sandbox

HERE = Path(__file__).parent
MODEL = {"model": "sora-2", "seconds": "4"}
LOST = 2
MISSING = {
    "openai-python": "openai-python is not installed: uv sync --group test",
    "litellm": "litellm is not installed: uv sync --group bench",
    "openai-node": "openai-node is not installed: npm install openai, and say where by NODE_PATH",
}
PROMPT = re.compile(rb"job-(\d+)\.")


class LossyLine:
    """A line to a server on which the answers to creates are lost.

    Args:
        target: The server's URL.
        lost: How often for each job.
        as_json: Whether forms are turned into JSON, for a server that takes no other.

    Attributes:
        creates: How many creates came, by job.
    """

    def __init__(self, target: str, *, lost: int = LOST, as_json: bool = False) -> None:
        self.creates: Counter[bytes] = Counter()
        self._target = target
        self._lost = lost
        self._as_json = as_json

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve the line; yields its URL."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, trust_env=False) as self._client:
            await runner.setup()
            try:
                site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
                await site.start()
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        kept = {"authorization", "content-type", "idempotency-key", "x-stainless-retry-count"}
        headers = {name: value for name, value in request.headers.items() if name.lower() in kept}
        if self._as_json and request.content_type == "multipart/form-data":
            headers["Content-Type"] = "application/json"
            sent = json.dumps(dict(await request.post())).encode()
        else:
            sent = await request.read()
        async with self._client.request(
            request.method, f"{self._target}{request.path_qs}", data=sent, headers=headers
        ) as answer:
            told = await answer.read()
        if request.method == "POST" and (found := PROMPT.search(sent)) is not None:
            self.creates[found[1]] += 1
            if self.creates[found[1]] <= self._lost and request.transport is not None:
                request.transport.abort()
        return web.Response(body=told, status=answer.status, content_type=answer.content_type)


# The clients, each in a process of its own; each prints the ids that it was told.


async def openai_python(url: str, key: str, jobs: int) -> list[str | None]:
    """Create with openai-python."""
    import openai

    warnings.simplefilter("ignore", DeprecationWarning)
    async with openai.AsyncOpenAI(base_url=url, api_key=key) as client:

        async def created(number: int) -> str:
            return (await client.videos.create(prompt=f"job-{number}.", **MODEL)).id

        return await all_of(created, jobs)


async def litellm(url: str, key: str, jobs: int) -> list[str | None]:
    """Create with litellm's router."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched from the network
    import litellm as library

    library.suppress_debug_info = True
    there = {"model": "openai/sora-2", "api_base": url, "api_key": key}
    router = library.Router(
        [{"model_name": "sora-2", "litellm_params": there}], num_retries=LOST, disable_cooldowns=True
    )

    async def created(number: int) -> str:
        return (await router.avideo_generation(prompt=f"job-{number}.", **MODEL)).id

    return await all_of(created, jobs)


async def all_of(created: object, jobs: int) -> list[str | None]:
    """Create all at once; one that fails fails alone."""
    ids = await asyncio.gather(*(created(number) for number in range(jobs)), return_exceptions=True)
    for each in ids:
        if isinstance(each, BaseException):
            print(type(each).__name__, str(each)[:200], file=sys.stderr)
    return [each if isinstance(each, str) else None for each in ids]


CLIENTS = {"openai-python": openai_python, "litellm": litellm, "openai-node": None}


def is_there(client: str) -> bool:
    """Return whether a client can be run here."""
    if client != "openai-node":
        return importlib.util.find_spec(client.removesuffix("-python")) is not None
    node = shutil.which("node")
    return (
        node is not None
        and subprocess.run([node, "-e", "require('openai')"], check=False, capture_output=True).returncode == 0
    )


async def run_client(client: str, url: str, key: str, jobs: int) -> list[str | None]:
    """Run one client in a process of its own, and return what it was told."""
    if client == "openai-node":
        command = ["node", str(HERE / "front_client.cjs"), url, key, str(jobs)]
    else:
        command = [sys.executable, __file__, "--client", client, "--at", url, "--key", key, "--jobs", str(jobs)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(err.decode()[-2000:])
    if err.strip():
        print(err.decode()[-400:], file=sys.stderr)
    return json.loads(out.splitlines()[-1])


# The servers.


@asynccontextmanager
async def front(sandbox: Sandbox, folder: str, **session: object) -> AsyncIterator[tuple[str, object]]:
    """Serve the front over a session at *sandbox*; yields its URL and the session."""
    import uvicorn
    from fastapi import FastAPI

    from aihubmix_video.fastapi import video_lifespan
    from aihubmix_video.openai_front import openai_router

    options = {"api_key": sandbox.api_key, "base_url": sandbox.url, "rate": 200.0, "burst": 50, **session}
    app = FastAPI(lifespan=video_lifespan(ledger=f"{folder}/jobs.db", **options))
    app.include_router(openai_router(folder=folder), prefix="/v1")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", app.state.aihubmix_video.session
    finally:
        server.should_exit = True
        await serving


async def purchases(client: str, jobs: int, *, through_front: bool) -> tuple[int, int, int]:
    """Return how many creates a client sent, how many jobs it was told of, and how many were bought."""
    from aihubmix_video.sandbox import Sandbox

    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(render=False, generation=3600.0))
        url = sandbox.url
        if through_front:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url, _ = await stack.enter_async_context(front(sandbox, folder))
        line = LossyLine(url, as_json=not through_front)
        url = await stack.enter_async_context(line.served())
        ids = await run_client(client, f"{url}/v1", sandbox.api_key, jobs)
        return line.creates.total(), len({each for each in ids if each}), sandbox.billed


async def ask(url: str, key: str, clients: int, jobs: int, seconds: float) -> tuple[int, float]:
    """Have clients create jobs and ask about them every second; return how many questions were answered, and the slowest, in seconds."""
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": f"Bearer {key}"}
    answered, slowest = 0, 0.0
    async with aiohttp.ClientSession(connector=connector, headers=headers, trust_env=False) as http:
        ids = []
        for number in range(jobs):
            async with http.post(f"{url}/v1/videos", json=MODEL | {"prompt": f"job-{number}."}) as told:
                ids.append((await told.json())["id"])
        until = time.perf_counter() + seconds

        async def one(number: int) -> None:
            nonlocal answered, slowest
            await asyncio.sleep(number / clients)
            while (began := time.perf_counter()) < until:
                async with http.get(f"{url}/v1/videos/{ids[number % jobs]}") as told:
                    await told.read()
                    answered += told.status == 200
                took = time.perf_counter() - began
                slowest = max(slowest, took)
                await asyncio.sleep(max(1.0 - took, 0.0))

        await asyncio.gather(*(one(number) for number in range(clients)))
    return answered, slowest


async def questions(clients: int, jobs: int, seconds: float, *, through_front: bool) -> dict[str, float]:
    """Return what clients asked, and what of it the gateway was asked."""
    from aihubmix_video.sandbox import Sandbox

    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(render=False, generation=3600.0))
        url, session = sandbox.url, None
        if through_front:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url, session = await stack.enter_async_context(front(sandbox, folder, rate=20.0, burst=1))
        command = [
            sys.executable,
            __file__,
            "--ask",
            f"{clients},{jobs},{seconds}",
            "--at",
            url,
            "--key",
            sandbox.api_key,
        ]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        out, _ = await process.communicate()
        answered, slowest = json.loads(out)
        polls = sum(logged.route == "retrieve" for logged in sandbox.log)
        return {
            "answered": answered,
            "slowest": slowest,
            "polls": polls,
            "session": session and session.stats().polls_sent,
        }


async def main(*, full: bool) -> None:
    """Print both tables."""
    jobs = 200
    print(f"#### {jobs} jobs, the answer to each create lost {LOST} times\n")
    print("| client | through the front: creates sent | bought | straight at the gateway: creates sent | bought |")
    print("|---|---|---|---|---|")
    for client in CLIENTS:
        if not is_there(client):
            print(f"| {client} | {MISSING[client]} | | | |")
            continue
        sent, told, bought = await purchases(client, jobs, through_front=True)
        assert (told, bought) == (jobs, jobs), f"{client} was told of {told} jobs, and {bought} were bought"
        straight, _, twice = await purchases(client, jobs, through_front=False)
        print(f"| {client} | {sent} | {bought} | {straight} | {twice} |", flush=True)
    clients, seconds = (1000, 60.0) if full else (1000, 20.0)
    print(f"\n#### {clients:,} clients ask about 100 jobs every second, for {seconds:g} s\n")
    print("| | questions answered | slowest answer, s | polls that the gateway saw | polls that the session sent |")
    print("|---|---|---|---|---|")
    for name, through_front in (("through the front", True), ("straight at the gateway", False)):
        told = await questions(clients, 100, seconds, through_front=through_front)
        assert not through_front or told["polls"] <= told["session"]
        sent = "" if told["session"] is None else f"{told['session']}"
        print(f"| {name} | {told['answered']:,} | {told['slowest']:.2f} | {told['polls']:,} | {sent} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for option in ("--client", "--at", "--key", "--ask"):
        parser.add_argument(option)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    if given.client:
        print(json.dumps(asyncio.run(CLIENTS[given.client](given.at, given.key, given.jobs))))
    elif given.ask:
        clients, jobs, seconds = given.ask.split(",")
        print(json.dumps(asyncio.run(ask(given.at, given.key, int(clients), int(jobs), float(seconds)))))
    else:
        asyncio.run(main(full=given.full))
