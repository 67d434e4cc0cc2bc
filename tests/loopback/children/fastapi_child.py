"""What is killed: an application behind uvicorn. Prints its port once it serves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from aihubmix_video.fastapi import video_lifespan, video_router

if TYPE_CHECKING:
    import socket


class Server(uvicorn.Server):
    """Says where it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the port."""
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"{self.servers[0].sockets[0].getsockname()[1]}\n")
            sys.stdout.flush()


def main(url: str, key: str, folder: str) -> None:
    """Serve the videos' routes, with a ledger in *folder*."""
    options = {"rate": 1000.0, "burst": 50, "poll_interval": 0.3, "trust_env": False}
    app = FastAPI(lifespan=video_lifespan(api_key=key, base_url=url, ledger=f"{folder}/jobs.db", **options))
    app.include_router(video_router(folder=f"{folder}/videos"), prefix="/videos")
    Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
