"""A process that asks about one video twice over TLS and through a proxy: ``python tunnel_child.py URL KEY ID PROXY``.

What it trusts is in its environment. A session takes no proxy to this machine, so the transport is made by hand.
"""

from __future__ import annotations

import asyncio
import sys

from aihubmix_video.http.client import HttpClient, SendHook
from aihubmix_video.http.rate_gate import RateGate
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.settings import Secret, Settings


async def ask(url: str, key: str, video_id: str, proxy: str) -> str:
    """Ask by either way, twice each, and tell the status of each answer."""
    settings = Settings(api_key=Secret(key), base_url=url, proxy=proxy)
    transport = HttpClient(settings, RateGate(RateLimit.of_rate(1000.0, 1000)))
    transport.open()
    told = []
    for past_the_client in (True, True, False, False):
        if not past_the_client:
            transport._direct = None
        reply = await transport.send("GET", video_id, seconds=10.0, send_hook=SendHook())
        told.append(f"{reply.status} {video_id.encode() in reply.body}")
    await transport.aclose()
    return "\n".join(told)


if __name__ == "__main__":
    print(asyncio.run(ask(*sys.argv[1:])))  # noqa: T201 - how it tells its parent
