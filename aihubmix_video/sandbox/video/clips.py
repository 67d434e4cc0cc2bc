"""Where films come from: rendered with PyAV where it is installed, else small clips that come with the package.

A clip is rendered once for each size, length, sound and caption and kept; each job's film adds only its own mark. Rendering
happens on one thread of its own, never on the event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import attrs

from aihubmix_video.sandbox.video.films import Clip
from aihubmix_video.sandbox.video.media import block

if TYPE_CHECKING:
    from aihubmix_video.sandbox.vendors.vendor import Order

SHAPES = {"16x9": 16 / 9, "9x16": 9 / 16, "1x1": 1.0, "4x3": 4 / 3, "3x4": 3 / 4, "21x9": 21 / 9}
SHIPPED_SECONDS = 2
CACHED_BYTES = 128 * 2**20
CAPTIONS = 64
"""Captions rendered for one size and length; later prompts share the model's name as theirs."""
CAPTION_CHARACTERS = 22


@attrs.frozen
class Scene:
    """What tells one clip from another."""

    width: int
    height: int
    seconds: int
    audio: bool
    caption: str


def can_render() -> bool:
    """Return whether PyAV is installed."""
    return find_spec("av") is not None


@attrs.define(eq=False)
class Studio:
    """Makes clips, each once.

    Attributes:
        renders: Whether clips are rendered; otherwise those of the package are served, stretched to the right length.
    """

    renders: bool
    _shipped: dict[str, Clip] = attrs.field(factory=dict)
    _clips: OrderedDict[Scene, Clip] = attrs.field(factory=OrderedDict)
    _pending: dict[Scene, asyncio.Future[Clip]] = attrs.field(factory=dict)
    _captions: dict[Scene, set[str]] = attrs.field(factory=dict)
    _executor: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Read the clips of the package."""
        self._shipped = await asyncio.get_running_loop().run_in_executor(self._threads(), _read_shipped)

    async def filler_file(self) -> IO[bytes]:
        """Return a nameless temporary file that holds the filler of large films."""
        return await asyncio.get_running_loop().run_in_executor(self._threads(), _write_filler)

    async def close(self) -> None:
        """Let the rendering under way end, and stop."""
        if self._pending:
            await asyncio.gather(*self._pending.values(), return_exceptions=True)
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    async def clip(self, order: Order) -> Clip:
        """Return the clip of an order."""
        if not self.renders:
            return self.shipped(order.width, order.height, order.seconds)
        scene = self._scene(order)
        if scene in self._clips:
            self._clips.move_to_end(scene)
            return self._clips[scene]
        if scene not in self._pending:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._threads(), _render, scene)
            self._pending[scene] = future
            future.add_done_callback(lambda done: self._keep(scene, done))
        # Shielded: one client that goes away must not take the clip from the others who wait for it.
        return await asyncio.shield(self._pending[scene])

    def shipped(self, width: int, height: int, seconds: int) -> Clip:
        """Return the package's clip whose shape is nearest, at the right length."""
        shape = min(SHAPES, key=lambda name: abs(SHAPES[name] - width / height))
        return self._shipped[shape].stretched(seconds / SHIPPED_SECONDS)

    def _scene(self, order: Order) -> Scene:
        caption = " ".join(order.prompt.split())[:CAPTION_CHARACTERS].strip() or order.model
        scene = Scene(order.width, order.height, order.seconds, order.audio, caption)
        used = self._captions.setdefault(attrs.evolve(scene, caption=""), set())
        if caption not in used and len(used) >= CAPTIONS:
            return attrs.evolve(scene, caption=order.model)
        used.add(caption)
        return scene

    def _keep(self, scene: Scene, done: asyncio.Future[Clip]) -> None:
        del self._pending[scene]
        if done.cancelled() or done.exception() is not None:
            return
        self._clips[scene] = done.result()
        while sum(len(clip.frames) for clip in self._clips.values()) > CACHED_BYTES and len(self._clips) > 1:
            self._clips.popitem(last=False)

    def _threads(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-studio")
        return self._executor


def _render(scene: Scene) -> Clip:
    from aihubmix_video.sandbox.video.picture import render  # noqa: PLC0415  # PyAV is optional, and slow to import

    return Clip.parse(render(scene.width, scene.height, scene.seconds, scene.caption, audio=scene.audio))


def _read_shipped() -> dict[str, Clip]:
    folder = files("aihubmix_video.sandbox") / "clips"
    return {name: Clip.parse((folder / f"{name}.mp4").read_bytes()) for name in SHAPES}


def _write_filler() -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115  # lives as long as the sandbox, which closes it
    file.write(block())
    file.flush()
    return file
