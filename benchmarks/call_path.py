"""How far one `generate()` travels to its first byte: modules of the package, and changes from one to another.

Run ``python benchmarks/call_path.py``. A reader who follows one purchase passes the same modules in the same order, so the
figures say how hard that is. Counted is every Python call into a module of the package, on the
event loop's thread, from the call of `generate` until its first byte is handed to the transport; a coroutine resumed counts as called.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import aihubmix_video
from aihubmix_video import VideoSession
from aihubmix_video.sandbox import Sandbox

if TYPE_CHECKING:
    from types import FrameType

PACKAGE = str(Path(aihubmix_video.__file__).parent)
SENT = ("http_writer.py", ("_write", "_writelines"))  # aiohttp's own functions that hand bytes to the transport


class Route:
    """What a profile hook sees.

    Attributes:
        visited: The modules, in the order in which they were first passed.
        changes: How often the module changed.
    """

    def __init__(self) -> None:
        self.visited: dict[str, int] = {}
        self.changes = 0
        self._last: str | None = None
        self.done = False

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Take note of one call."""
        if self.done or event != "call":
            return
        file = frame.f_code.co_filename
        if file.endswith(SENT[0]) and frame.f_code.co_name in SENT[1]:
            self.done = True
            return
        if not file.startswith(PACKAGE) or "/sandbox/" in file:
            return
        module = file.removeprefix(PACKAGE + "/").removesuffix(".py")
        self.visited[module] = self.visited.get(module, 0) + 1
        if module != self._last:
            self.changes += 1
            self._last = module


async def measure(ledger: Path | None) -> Route:
    """Count for one purchase of a session that is open already."""
    async with (
        Sandbox(speed=600, render=False) as sandbox,
        VideoSession(sandbox.api_key, base_url=sandbox.url, ledger=ledger, rate=1000.0) as session,
    ):
        path = Route()
        sys.setprofile(path)
        try:
            job = asyncio.ensure_future(session.generate("a cat plays jazz piano", model="wan2.6-t2v", seconds=5))
            while not path.done:
                await asyncio.sleep(0)
        finally:
            sys.setprofile(None)
        await job
    return path


def main() -> None:
    """Print both figures, without a ledger and with one."""
    with tempfile.TemporaryDirectory() as folder:
        for name, ledger in (("without a ledger", None), ("with a ledger", Path(folder) / "run.db")):
            path = asyncio.run(measure(ledger))
            print(f"{name}: {len(path.visited)} modules, {path.changes} changes of module")
            if "-v" in sys.argv:
                print("  " + " ".join(path.visited))


if __name__ == "__main__":
    main()
