"""What one rate over several processes keeps, how evenly it is shared, and what it costs in exchanges with Redis.

    python benchmarks/shared_rate.py [--rate 50] [--seconds 6]

Starts a redis-server of its own. Each process takes slots without a pause and writes down when each came. Beside ours stands
pyrate-limiter's GCRA on the same Redis, if it is installed: a process that is refused waits as long as it is told and asks again.
The last line of each has every second host's clock 0.1 s ahead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


async def ours(place: str, rate: float, seconds: float, _ahead: float) -> tuple[int, list[float]]:
    """Take slots as a session does: one asked for at a time, used when it comes."""
    from aihubmix_video.shared_rate.open_shared import open_shared
    from aihubmix_video.shared_rate.slots import SlotRequest

    store, calls, found = open_shared(place, "benchmark"), 0, []
    ends = time.time() + seconds
    while time.time() < ends:
        reply = await store.exchange(SlotRequest(interval=1 / rate))
        calls += 1
        await asyncio.sleep(reply.wait)
        found.append(time.time())
    await store.aclose()
    return calls, found


async def pyrate(place: str, rate: float, seconds: float, ahead: float) -> tuple[int, list[float]]:
    """Ask, wait as told, and ask again."""
    from pyrate_limiter import Rate, RateItem
    from pyrate_limiter.buckets.redis_state import RedisStateStore
    from pyrate_limiter.buckets.state_bucket import StateBucket
    from redis.asyncio import Redis

    redis = Redis.from_url(place)
    bucket, calls, found = StateBucket([Rate(int(rate), 1000, burst=1)], store=RedisStateStore(redis, "pyrate")), 0, []
    ends = time.time() + seconds
    while time.time() < ends:
        item = RateItem("request", int((time.time() + ahead) * 1000))
        calls += 1
        if await bucket.put(item):
            found.append(time.time())
        else:
            await asyncio.sleep(max(bucket.waiting(item), 1) / 1000)
    await redis.aclose()
    return calls, found


TAKERS = {"ours": ours, "pyrate": pyrate}


def most_within(moments: list[float], window: float) -> int:
    """Return the most moments in any window."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def measure(taker: str, place: str, count: int, rate: float, seconds: float, ahead: float) -> str:
    """Run this many processes at once, and return the line of figures."""
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, "--child", taker, place, str(rate), str(seconds), str(ahead * (number % 2))],
            stdout=subprocess.PIPE,
        )
        for number in range(count)
    ]
    answers = [json.loads(process.communicate()[0]) for process in processes]
    calls, moments = sum(answer[0] for answer in answers), sorted(at for answer in answers for at in answer[1])
    shares = sorted(len(answer[1]) for answer in answers)
    kept = (len(moments) - 1) / (moments[-1] - moments[0])
    worst = most_within(moments, 1.0)
    return (
        f"{taker:>7} {count:>10} {ahead:>8.1f} {kept:>8.2f} {worst:>13} {calls / len(moments):>12.2f}"
        f"   {shares[0]} to {shares[-1]}"
    )


def main() -> None:
    """Print the figures."""
    if sys.argv[1:2] == ["--child"]:
        taker, place, *numbers = sys.argv[2:]
        print(json.dumps(asyncio.run(TAKERS[taker](place, *map(float, numbers)))))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    if shutil.which("redis-server") is None:
        sys.exit("needs redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            ["redis-server", "--port", port, "--save", "", "--dir", folder], stdout=subprocess.DEVNULL
        )
        time.sleep(1.0)
        redis, file = f"redis://127.0.0.1:{port}/0", str(Path(folder) / "rate.db")
        try:
            print("  store  processes  skew s   rate/s  most in 1 s  calls/grant   grants of a process")
            for count, ahead in ((1, 0.0), (4, 0.0), (8, 0.0), (4, 0.1)):
                print("redis", measure("ours", redis, count, options.rate, options.seconds, ahead))
                print("file ", measure("ours", file, count, options.rate, options.seconds, ahead))
                print("redis", measure("pyrate", redis, count, options.rate, options.seconds, ahead))
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
