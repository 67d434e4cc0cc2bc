"""A real S3 server on loopback, moto's, and a proxy before it that breaks requests on their way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

import aiohttp
import attrs
from aiohttp import web
from obstore.store import S3Store

from aihubmix_video.cloud import CloudStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

__all__ = ["BUCKET", "FaultyS3", "moto_server", "s3_of"]

BUCKET = "films"

Fault = Literal["refused", "denied", "cut", "lost"]


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """Run moto's server in a process of its own, and give its address."""
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as server:  # noqa: S603
        try:
            assert server.stderr is not None
            line = next(line for line in server.stderr if "Running on http" in line)
            yield line.partition("Running on ")[2].split()[0]
        finally:
            server.kill()


@attrs.define
class FaultyS3:
    """A proxy before an S3 server.

    Attributes:
        server: Where requests are passed on to.
        faults: What happens to the next PUTs of objects, one each; those after them pass.
        requests: Methods and queries that came.
        held: Set while a PUT has come whole and is not passed on.
    """

    server: str
    faults: list[Fault | Literal["hold"]] = attrs.field(factory=list)
    requests: list[str] = attrs.field(factory=list)
    held: asyncio.Event = attrs.field(factory=asyncio.Event)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass one request on, unless its turn has come to fail."""
        self.requests.append(f"{request.method} {request.query_string}".strip())
        fault = self.faults.pop(0) if self.faults and request.method == "PUT" and request.path.count("/") > 1 else None
        if fault == "refused":
            return web.Response(status=500)
        if fault == "denied":
            return web.Response(status=403)
        if fault == "cut":
            await request.content.readany()
            return self._abort(request)
        body = await request.read()
        if fault == "hold":
            self.held.set()
            await asyncio.Event().wait()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as client,
            client.request(
                request.method, self.server + request.raw_path, data=body, headers=headers, skip_auto_headers=["Accept"]
            ) as answer,
        ):
            found = await answer.read()
            if fault == "lost":
                return self._abort(request)
            kept = {n: v for n, v in answer.headers.items() if n.lower() not in {"connection", "transfer-encoding"}}
            if request.method == "HEAD":
                return web.Response(status=answer.status, headers=kept)
            kept.pop("Content-Length", None)
            return web.Response(status=answer.status, headers=kept, body=found)

    @staticmethod
    def _abort(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()  # which nobody receives


@asynccontextmanager
async def s3_of(server: str, spool: Path) -> AsyncIterator[tuple[FaultyS3, CloudStorage, S3Store]]:
    """Give a proxy before *server*, storage that goes through it, and a store that does not; the bucket is empty."""
    proxy = FaultyS3(server)
    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as client, client.post(f"{server}/moto-api/reset"):
            pass
        async with aiohttp.ClientSession() as client, client.put(f"{server}/{BUCKET}"):
            pass
        direct = _store(server)
        storage = CloudStorage(spool=spool, stores={f"s3://{BUCKET}": _store(proxy.url)})
        yield proxy, storage, direct
    finally:
        await runner.cleanup()


def _store(endpoint: str) -> S3Store:
    return S3Store(
        BUCKET,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="AKIDOFTESTS",
        secret_access_key="secret-of-tests",
        client_options={"allow_http": True, "timeout": "60s"},
        retry_config={"max_retries": 0},
    )


os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
