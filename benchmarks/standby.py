"""How long nobody answers when the worker that serves is killed, and its stand-by takes over.

    python benchmarks/standby.py [--rounds 10]

The application of ``docs/fastapi_app.py`` runs under ``uvicorn --workers 2`` against the local gateway, with jobs under way. In each
round the worker that holds the ledger is killed (SIGKILL), and the next request waits for its answer; uvicorn starts a new worker,
which is the next stand-by. At the end each job must have been bought once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

from aihubmix_video.sandbox import Sandbox

DOCS = Path(__file__).parents[1] / "docs"
JOB = {"model": "wan2.6-t2v", "prompt": "a cat", "seconds": 5}
JOBS = 3
SETTLE = 3.0  # seconds in which the new worker starts


async def answered(client: httpx.AsyncClient) -> int:
    """Ask until there is an answer, and return how many jobs it tells of."""
    while True:
        try:
            return len((await client.get("/videos")).json()["items"])
        except httpx.TransportError:
            await asyncio.sleep(0.001)


async def measure(rounds: int, folder: Path) -> list[float]:
    """Return the seconds without an answer, of each round."""
    async with Sandbox(speed=1, generation=3600.0, render=False) as sandbox:
        child = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "uvicorn",
                "fastapi_app:app",
                "--app-dir",
                str(DOCS),
                "--port",
                "0",
                "--workers",
                "2",
                "--no-access-log",
            ),
            cwd=folder,
            env={**os.environ, "AIHUBMIX_API_KEY": sandbox.api_key, "AIHUBMIX_BASE_URL": sandbox.url},
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert child.stderr is not None
        while (found := re.search(rb"running on (http://\S+)", await child.stderr.readline())) is None:
            pass
        reading = asyncio.create_task(child.stderr.read())
        gone = []
        try:
            headers = {"Authorization": "Bearer let-ann-in"}
            async with httpx.AsyncClient(
                base_url=found[1].decode(), trust_env=False, timeout=30, headers=headers
            ) as client:
                await answered(client)  # the parent says that it runs before a worker listens
                for _ in range(JOBS):
                    (await client.post("/videos", json=JOB)).raise_for_status()
                for _ in range(rounds):
                    await asyncio.sleep(SETTLE)
                    os.kill(json.loads((folder / "jobs.db.lock").read_bytes())["pid"], signal.SIGKILL)
                    began = time.perf_counter()
                    assert await answered(client) == JOBS
                    gone.append(time.perf_counter() - began)
        finally:
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
            await reading
        assert sandbox.billed == JOBS, "a job was bought twice"
    return gone


def main() -> None:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(description="How long a stand-by takes to take over.")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        gone = asyncio.run(measure(rounds, Path(folder)))
    print(f"{rounds} workers killed, each job bought once; without an answer, in seconds:")
    print(f"median {statistics.median(gone):.2f}, shortest {min(gone):.2f}, longest {max(gone):.2f}")


if __name__ == "__main__":
    main()
