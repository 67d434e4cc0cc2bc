"""Many jobs at once, ours beside what people use today: who loses jobs, and what it takes.

    uv run --group bench python benchmarks/peers.py [--full]

Two gateways, each in a process of its own. One refuses more than 50 requests a second with 429; the other refuses nothing and
has many jobs in flight. Every client gets the same jobs, asks about each at the same interval, and runs in a process of its
own. Ours is told the rate, as its users are; the others have no such option, and run a coroutine per job, as their examples
do. A job is lost if the program does not learn, within the time allowed, that its video is finished; of these, the gateway
says which had been bought. Without ``--full`` the numbers are smaller and all of it takes two to three minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KIND = {"prompt": "a cat plays jazz piano", "model": "sora-2", "seconds": "4"}
SUMMARY = "\n"  # on the gateway's standard input: print what has been seen


@attrs.frozen(kw_only=True)
class Case:
    """One table.

    Attributes:
        title: What it shows.
        jobs: How many are wanted at once.
        limit: Requests in any second above which the gateway refuses; None for none.
        rate: Requests per second that ours may send; likewise `burst`, those back to back.
        generation: Seconds a job takes.
        interval: Seconds between two questions about a job.
        allowed: Seconds from the first create until what is not finished counts as lost.
    """

    title: str
    jobs: int
    limit: float | None
    rate: float
    burst: int
    generation: float
    interval: float
    allowed: float


LIMITED = "{jobs:,} jobs at a gateway that enforces {limit:g} requests a second"
UNLIMITED = "{jobs:,} jobs in flight at a gateway that enforces nothing"


def cases(*, full: bool) -> list[Case]:
    """Give the cases of a short run, or those of a long one."""
    jobs, many = (1000, 10_000) if full else (200, 1000)
    time_, interval = (60.0, 15.0) if full else (10.0, 5.0)
    alike = {"generation": time_, "interval": interval, "allowed": 300.0 if full else 45.0}
    return [
        Case(title=LIMITED.format(jobs=jobs, limit=50), jobs=jobs, limit=50.0, rate=50.0, burst=1, **alike),
        Case(title=UNLIMITED.format(jobs=many), jobs=many, limit=None, rate=1000.0, burst=50, **alike),
    ]


# The clients. Each counts the jobs whose end it learns in `done`, which holds whatever becomes of the rest.


async def ours(url: str, key: str, case: Case, done: Counter[str]) -> None:
    """Hand all jobs to one session, and take each as it finishes."""
    from aihubmix_video import VideoSession

    options = {"rate": case.rate, "burst": case.burst, "poll_interval": case.interval, "max_in_flight": case.jobs}
    async with VideoSession(key, base_url=url, **options) as session:

        async def follow() -> None:
            await (await session.submit(**KIND))
            done["finished"] += 1

        await all_of(follow, case.jobs)


async def aiohttp_loop(url: str, key: str, case: Case, done: Counter[str]) -> None:
    """Follow each job in a coroutine of its own, with nothing but aiohttp."""
    import aiohttp

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, raise_for_status=True) as client:

        async def follow() -> None:
            async with client.post(f"{url}/v1/videos", json=KIND) as answer:
                video = await answer.json()
            while video["status"] not in {"completed", "failed"}:
                await asyncio.sleep(case.interval)
                async with client.get(f"{url}/v1/videos/{video['id']}") as answer:
                    video = await answer.json()
            done["finished"] += video["status"] == "completed"

        await all_of(follow, case.jobs)


async def openai_python(url: str, key: str, case: Case, done: Counter[str]) -> None:
    """Follow each job with openai-python's own `create_and_poll`, which repeats what was refused twice."""
    import openai

    warnings.simplefilter("ignore", DeprecationWarning)
    as_json = {"Content-Type": "application/json"}  # the gateway takes no form
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key) as client:

        async def follow() -> None:
            interval = int(case.interval * 1000)
            video = await client.videos.create_and_poll(**KIND, poll_interval_ms=interval, extra_headers=as_json)
            done["finished"] += video.status == "completed"

        await all_of(follow, case.jobs)


async def litellm(url: str, key: str, case: Case, done: Counter[str]) -> None:
    """Follow each job with litellm's generation and status calls."""
    import litellm as library
    from litellm.llms.openai.videos.transformation import OpenAIVideoConfig

    library.suppress_debug_info = True
    OpenAIVideoConfig.use_multipart_form_data = lambda _: False  # the gateway takes no form
    there = {"api_base": f"{url}/v1", "api_key": key, "custom_llm_provider": "openai"}

    async def follow() -> None:
        video = await library.avideo_generation(**KIND, **there)
        while video.status not in {"completed", "failed"}:
            await asyncio.sleep(case.interval)
            video = await library.avideo_status(video.id, **there)
        done["finished"] += video.status == "completed"

    await all_of(follow, case.jobs)


async def all_of(follow: Callable[[], Awaitable[None]], jobs: int) -> None:
    """Follow all jobs at once; one that fails fails alone."""
    await asyncio.gather(*(follow() for _ in range(jobs)), return_exceptions=True)


CLIENTS = {"ours": ours, "aiohttp loop": aiohttp_loop, "openai-python": openai_python, "litellm": litellm}
LIBRARIES = {"ours": "aihubmix_video", "aiohttp loop": "aiohttp", "openai-python": "openai", "litellm": "litellm"}


async def worked(client: str, url: str, key: str, case: Case) -> dict[str, float]:
    """Be one client, for as long as is allowed."""
    done: Counter[str] = Counter()
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else litellm fetches it from the network
    importlib.import_module(LIBRARIES[client])  # not counted
    started, cpu = time.perf_counter(), time.process_time()
    try:
        async with asyncio.timeout(case.allowed):
            await CLIENTS[client](url, key, case, done)
    except TimeoutError:
        pass
    return {
        "finished": done["finished"],
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


# The gateway, and the table.


async def gateway(case: Case) -> None:
    """Serve until a line comes, then tell what was seen."""
    from aihubmix_video.sandbox import Sandbox

    options = {"render": False, "speed": 1.0, "generation": case.generation, "rate_limit": case.limit}
    async with Sandbox(**options) as sandbox:
        print(sandbox.url, sandbox.api_key, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        refused = sum(logged.status == 429 for logged in sandbox.log)
        print(json.dumps({"requests": len(sandbox.log), "refused": refused, "bought": sandbox.billed}), flush=True)


def measure(client: str, case: Case) -> dict[str, float]:
    """Run one client against a gateway of its own."""
    command, told = [sys.executable, __file__], json.dumps(attrs.asdict(case))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--gateway", told], **pipes) as server:
        url, key = server.stdout.readline().split()
        run = [*command, "--client", client, "--at", url, "--key", key, "--case", told]
        patience = case.allowed + 120  # a client may be too busy to notice that its time is up
        try:
            quiet = subprocess.run(run, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=patience)
            figures = json.loads(quiet.stdout.splitlines()[-1])
        except subprocess.TimeoutExpired:
            figures = {"finished": 0, "seconds": patience}
        server.stdin.write(SUMMARY)
        server.stdin.flush()
        return figures | json.loads(server.stdout.readline())


def table(case: Case, clients: list[str]) -> None:
    """Run all clients, and print what became of their jobs."""
    print(f"\n{case.title}; each job takes {case.generation:g} s and is asked about every {case.interval:g} s\n")
    print("| client | jobs lost | of these bought | requests sent | 429s met | seconds | CPU, s | peak memory, MiB |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for client in clients:
        it = measure(client, case)
        used = f"{it['cpu']:.2f} | {it['peak_mib']:.0f}" if "cpu" in it else "– | –"
        print(
            f"| {client} | {case.jobs - it['finished']:,.0f} | {max(it['bought'] - it['finished'], 0):,.0f} |"
            f" {it['requests']:,.0f} | {it['refused']:,.0f} | {it['seconds']:.0f} | {used} |",
            flush=True,
        )


def main() -> None:
    """Measure both cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="1,000 jobs under the limit, 10,000 in flight without one")
    parser.add_argument("--only", choices=["limited", "unlimited"], help="one of the two tables")
    for hidden in ("--gateway", "--client", "--at", "--key", "--case"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.gateway:
        asyncio.run(gateway(Case(**json.loads(options.gateway))))
    elif options.client:
        case = Case(**json.loads(options.case))
        print(json.dumps(asyncio.run(worked(options.client, options.at, options.key, case))))
    else:
        there = [client for client in CLIENTS if importlib.util.find_spec(LIBRARIES[client]) is not None]
        limited, unlimited = cases(full=options.full)
        for case in [limited] * (options.only != "unlimited") + [unlimited] * (options.only != "limited"):
            table(case, there)


if __name__ == "__main__":
    main()
