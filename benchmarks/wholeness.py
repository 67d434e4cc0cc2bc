"""What lies at the path that was asked for, when a download goes wrong: ours beside what people use.

    python benchmarks/wholeness.py

A local gateway serves one film of 4 MiB and breaks the first answer, or the continuation of it; what is asked for after that
is served well. Each client runs in a process of its own. Its file is compared with what the gateway serves, and its exit
code says what its caller is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from aihubmix_video import VideoSession
from aihubmix_video.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = 4 << 20
HALF = SIZE // 2 + 12_345
PATIENCE = 120.0
RIGHT, CLEAN, LEFT, BAD = "right file", "clean error", "error, bad file left", "silently bad"

FAULTS: dict[str, Sequence[Fault]] = {
    "cut, with length": [Fault.cut(HALF, route="content")],
    "cut, without length": [Fault.cut(HALF, framing="none", route="content")],
    "a page, as 200": [Fault.html(200, route="content")],
    "an empty 200": [Fault.empty(200, route="content")],
    "kill -9 half-way": [Fault.drip(1 << 16, every=0.05, route="content")],
    "cut, then a 206 that starts elsewhere": [Fault.cut(HALF, route="content"), Fault.range("wrong_start")],
    "cut, then another version": [Fault.cut(HALF, route="content"), Fault.swap("new_etag", times=None)],
}
CURL = ("curl", "-sS", "--fail", "-H", "Authorization: Bearer {key}", "-o", "{path}", "{url}")
PYTHON = (sys.executable, __file__)
CLIENTS: dict[str, Sequence[str]] = {
    "ours": (*PYTHON, "ours", "{base}", "{key}", "{id}", "{path}"),
    "curl --retry 3": (*CURL, "--retry", "3", "--retry-all-errors"),
    "curl --retry 3 -C -": (*CURL, "--retry", "3", "--retry-all-errors", "-C", "-"),
    "wget -O": ("wget", "-q", "--tries=4", "--header=Authorization: Bearer {key}", "-O", "{path}", "{url}"),
    "openai write_to_file": (*PYTHON, "whole", "{base}", "{key}", "{id}", "{path}"),
    "openai stream_to_file": (*PYTHON, "stream", "{base}", "{key}", "{id}", "{path}"),
    "aiohttp loop": (*PYTHON, "loop", "{url}", "{key}", "{id}", "{path}"),
}


async def fetch(how: str, url: str, key: str, video_id: str, path: Path) -> None:
    """Be one of the clients that are Python."""
    if how == "ours":
        async with VideoSession(key, base_url=url) as session:
            await session.videos.download_content(video_id, path)
    elif how == "loop":
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(raise_for_status=True) as client, client.get(url, headers=headers) as got:
            with path.open("wb") as file:
                async for piece in got.content.iter_chunked(1 << 16):
                    file.write(piece)
    else:
        await openai_python(how, url, key, video_id, path)


async def openai_python(how: str, url: str, key: str, video_id: str, path: Path) -> None:
    """Fetch with openai-python, in either of its ways."""
    import openai

    warnings.simplefilter("ignore", DeprecationWarning)
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key) as client:
        if how == "whole":
            (await client.videos.download_content(video_id)).write_to_file(path)
            return
        async with client.videos.with_streaming_response.download_content(video_id) as got:
            await got.stream_to_file(path)


class Matrix:
    """One film, and what clients make of it."""

    def __init__(self, sandbox: Sandbox, video_id: str, folder: Path) -> None:
        self.sandbox, self.video_id, self.folder = sandbox, video_id, folder
        self.url = f"{sandbox.url}/v1/videos/{video_id}/content"
        self.versions: set[str] = set()

    async def learn(self) -> None:
        """Fetch both versions of the film as they are served."""
        headers = {"Authorization": f"Bearer {self.sandbox.api_key}"}
        async with aiohttp.ClientSession(headers=headers) as client:
            for faults in ((), (Fault.swap("new_etag"),)):
                self.sandbox.faults.add(*faults)
                async with client.get(self.url) as got:
                    self.versions.add(hashlib.sha256(await got.read()).hexdigest())
        assert len(self.versions) == 2

    async def outcome(self, command: Sequence[str], fault: str) -> str:
        """Run one client against one fault, and judge what it left."""
        self.sandbox.faults.clear()
        self.sandbox.faults.add(*FAULTS[fault])
        path = self.folder / "film.mp4"
        path.unlink(missing_ok=True)
        words = {"base": self.sandbox.url, "key": self.sandbox.api_key, "id": self.video_id, "url": self.url}
        process = await asyncio.create_subprocess_exec(
            *(word.format(path=path, **words) for word in command), stderr=asyncio.subprocess.DEVNULL
        )
        if fault.startswith("kill"):
            before = len(self.sandbox.log)
            while len(self.sandbox.log) == before:
                await asyncio.sleep(0.01)
            await asyncio.sleep(1.5)
            process.kill()
        code = await asyncio.wait_for(process.wait(), PATIENCE)
        if not path.exists():
            return CLEAN if code else BAD
        if hashlib.sha256(path.read_bytes()).hexdigest() in self.versions:
            return RIGHT
        return LEFT if code else BAD


async def main() -> None:
    """Try everything, and print two tables."""
    with tempfile.TemporaryDirectory() as name:
        async with Sandbox(content=SIZE, generation=0.0, render=False) as sandbox:
            async with VideoSession(sandbox.api_key, base_url=sandbox.url) as session:
                video = await session.videos.create("a cat", model="sora-2")
            matrix = Matrix(sandbox, video.id, Path(name))
            await matrix.learn()
            found = {
                client: [await matrix.outcome(command, fault) for fault in FAULTS]
                for client, command in CLIENTS.items()
            }
    print(f"| client | {BAD} | {LEFT} | {CLEAN} | {RIGHT} |")
    print("|---" * 5 + "|")
    for client, outcomes in found.items():
        counted = Counter(outcomes)
        print("|", " | ".join([client, *(str(counted[kind]) for kind in (BAD, LEFT, CLEAN, RIGHT))]), "|")
    print("\n| fault |", " | ".join(CLIENTS), "|")
    print("|---" * (len(CLIENTS) + 1) + "|")
    for fault, outcomes in zip(FAULTS, zip(*found.values(), strict=True), strict=True):
        print("|", " | ".join([fault, *outcomes]), "|")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(fetch(*sys.argv[1:5], Path(sys.argv[5])))
    else:
        asyncio.run(main())
