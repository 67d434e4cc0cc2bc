"""The gallery beside a batch's videos: kept current while they come, and completed from the ledger at the end."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import attrs
from anyio import to_thread

from aihubmix_video.capabilities import BUILT_IN, CapabilitySet
from aihubmix_video.errors import ConfigurationError, LedgerError
from aihubmix_video.gallery.posters import can_take, take
from aihubmix_video.gallery.row_card import card_of
from aihubmix_video.gallery.row_result import RowResult
from aihubmix_video.ledger.entry import UNFINISHED
from aihubmix_video.ledger.interface import entries
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.protocol.sanitize import plain
from aihubmix_video.storage.filesystem import part_path
from aihubmix_video.web.asset_files import assets
from aihubmix_video.web.cards import address
from aihubmix_video.web.html import MARK, gallery_html

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from aihubmix_video.ledger.entry import LedgerEntry
    from aihubmix_video.types.events import BatchItem
    from aihubmix_video.types.job_info import JobInfo
    from aihubmix_video.web.cards import Card

__all__ = ["PAGE", "POSTERS", "Gallery", "write_gallery"]

PAGE = "index.html"
POSTERS = "posters"
PAGE_INTERVAL = 2.0
"""Seconds between two pages, at least."""
WRITING_SHARE = 20
"""A large page is written so rarely that writing takes one part in this many of the time."""
MARK_WITHIN = 4096
"""Bytes at the beginning of a page among which its mark stands."""


async def write_gallery(
    folder: str | Path,
    videos: Iterable[BatchItem | JobInfo] = (),
    *,
    ledger: str | Path | None = None,
    prices: Mapping[str, float] | None = None,
    capabilities: CapabilitySet = BUILT_IN,
) -> Path:
    """Write ``index.html``, one page with a card for each video, and return its path.

    With the extra ``media``, each card has a picture from its film, which is kept in ``posters/``.

    Args:
        folder: Where the page is written; made if it does not exist. The page links to the videos relative to it.
        videos: What a batch yielded, or what a session's registry lists.
        ledger: File of a ledger of which every job is shown; no session may have it open.
        prices: Your own prices in USD per second by model, in place of list prices.
        capabilities: The tables that tell a request's length and size; those of the session.

    Raises:
        ConfigurationError: The page cannot be written, or another file has its name, which is never replaced.
        LedgerError: The ledger cannot be read.
        LedgerInUse: A session or another process has the ledger open.
    """
    gallery = await to_thread.run_sync(
        _prepared, Path(folder), None if ledger is None else Path(ledger), prices, capabilities
    )
    for index, each in enumerate(videos):
        gallery.note(RowResult.of_any(each, index))
    await gallery.complete()
    return gallery.folder / PAGE


def _prepared(
    folder: Path, ledger: Path | None, prices: Mapping[str, float] | None, capabilities: CapabilitySet
) -> Gallery:
    if ledger is not None and not ledger.exists():
        raise ConfigurationError(f"ledger={str(ledger)!r} does not exist; give the file that the session was given.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"the folder {folder} cannot be made: {error.strerror}.") from None
    gallery = Gallery(folder=folder.absolute(), warn=_refuse, prices=prices, capabilities=capabilities, ledger=ledger)
    gallery.check()
    return gallery


def _refuse(text: str) -> None:
    raise ConfigurationError(f"{text}.")


@attrs.define(kw_only=True, eq=False)
class Gallery:
    """The page of one run.

    Attributes:
        folder: Where it is written; absolute.
        warn: Called if the page cannot be written; the run goes on, unless this raises.
        prices: The user's own, in USD per second by model.
        capabilities: The tables that tell a request's length and size.
        ledger: File of the ledger whose jobs are shown as well; it need not exist yet.
        batch: The batch in it that is shown; None for all jobs.
    """

    folder: Path
    warn: Callable[[str], None]
    prices: Mapping[str, float] | None = None
    capabilities: CapabilitySet = BUILT_IN
    ledger: Path | None = None
    batch: str | None = None
    _cards: dict[str, Card] = attrs.field(factory=dict, init=False)
    _places: dict[str, int] = attrs.field(factory=dict, init=False)
    _without_poster: dict[str, Path] = attrs.field(factory=dict, init=False)
    _hurried: bool = attrs.field(default=False, init=False)  # a run that is stopped does not wait for posters
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def check(self) -> None:
        """Check that the page may be written, before anything is bought.

        Raises:
            ConfigurationError: There is another page of that name, which stays as it is.
        """
        page = self.folder / PAGE
        try:
            with page.open("rb") as file:
                ours = MARK.encode() in file.read(MARK_WITHIN)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConfigurationError(f"the gallery's page {page} cannot be read: {error.strerror}.") from None
        if not ours:
            raise ConfigurationError(f"the gallery's page {page} exists already and is not a gallery; move it away.")

    @asynccontextmanager
    async def current(self) -> AsyncIterator[None]:
        """Keep the page current until left, beginning with what the ledger knows."""
        await self._read()
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        except BaseException:
            self._hurried = True
            raise
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            with suppress(LedgerError):  # the run itself reports what is wrong with it
                await self.complete()

    async def complete(self) -> None:
        """Write the page with everything that the ledger and this run know.

        Raises:
            LedgerError: The ledger cannot be read; what this run knows is written all the same.
        """
        try:
            await self._read()
        finally:
            while self._without_poster and not self._hurried:
                await self._add_poster()
            await self._write()

    def note(self, result: RowResult) -> None:
        """Add a result to the page, or replace what was known of the same job."""
        key = result.job_key or f"row {result.index}"
        result = attrs.evolve(result, index=self._places.get(key, result.index), capabilities=self.capabilities)
        before = self._cards.get(key)
        card = card_of(result, key, self.folder, self.prices)
        if before is not None:
            pixels = before.pixels if before.poster is not None else card.pixels  # the file's own
            card = attrs.evolve(card, poster=before.poster, pixels=pixels, created_at=before.created_at)
        self._cards[key] = card
        if result.path is not None and result.error is None and card.poster is None and can_take():
            self._without_poster[key] = result.path
        self._changed.set()

    # From the ledger.

    async def _read(self) -> None:
        """Take in the jobs that the ledger knows and this run has not noted."""
        if self.ledger is None or not await to_thread.run_sync(self.ledger.exists):
            return
        for entry in await _entries(self.ledger, self.batch):
            place = entry.index if self.batch is not None else entry.number
            self._places[entry.key] = place
            if entry.key not in self._cards or entry.state not in UNFINISHED:
                self.note(RowResult.of_entry(entry))
            self._cards[entry.key] = attrs.evolve(self._cards[entry.key], index=place, created_at=entry.created_at)

    # To the folder.

    async def _keep(self) -> None:
        now = asyncio.get_running_loop().time
        due = now()
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._without_poster and now() < due:  # in a long batch there is always one more
                await self._add_poster()
            await asyncio.sleep(due - now())
            began = now()
            await self._write()
            due = now() + max(PAGE_INTERVAL, WRITING_SHARE * (now() - began))
            if self._without_poster:
                self._changed.set()

    async def _add_poster(self) -> None:
        """Make the poster of one video."""
        key, video = next(iter(self._without_poster.items()))
        card = self._cards[key]
        made = await to_thread.run_sync(self._poster, video, card.sha256)
        self._without_poster.pop(key, None)
        if made is not None:
            poster, pixels = made
            picture = address(PurePosixPath(poster), PurePosixPath(self.folder))
            self._cards[key] = attrs.evolve(self._cards[key], poster=picture, pixels=pixels or card.pixels)

    def _poster(self, video: Path, sha256: str | None) -> tuple[Path, tuple[int, int] | None] | None:
        """Find or make a video's poster; it is named by the video's content, so that it is made once."""
        target = self.folder / POSTERS / f"{sha256[:20] if sha256 is not None else video.stem}.jpg"
        if sha256 is not None and target.exists():
            return target, None
        poster = take(video)
        if poster is None:
            return None
        try:
            target.parent.mkdir(exist_ok=True)
            _replace(target, poster.jpeg)
        except OSError:
            return None
        return target, (poster.width, poster.height)

    async def _write(self) -> None:
        cards = sorted(self._cards.values(), key=lambda card: card.index)
        try:
            await to_thread.run_sync(self._write_page, cards)
        except OSError as error:
            self.warn(f"no gallery in {self.folder}: {error.strerror}")

    def _write_page(self, cards: list[Card]) -> None:
        page = gallery_html(plain(self.folder.name) or "Videos", cards, assets())
        _replace(self.folder / PAGE, page)


async def _entries(path: Path, batch: str | None) -> list[LedgerEntry]:
    async with aclosing(await SqliteLedger.open(path)) as ledger:
        if batch is not None:
            return [entry async for entry in ledger.rows_of(batch)]
        return [entry async for entry in entries(ledger)]


def _replace(target: Path, data: bytes) -> None:
    """Replace a file in one step, readable as the user's other files are."""
    part = part_path(target)
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
