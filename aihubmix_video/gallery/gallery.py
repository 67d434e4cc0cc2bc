"""The gallery beside a batch's videos: kept up to date while they come, and made whole from the ledger at the end."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.cli.exit_codes import goes_on
from aihubmix_video.cli.ledger_location import opened_ledger
from aihubmix_video.cli.row_result import RowResult
from aihubmix_video.cli.text_format import safe
from aihubmix_video.errors import ConfigurationError, LedgerError, SubmitUncertain, VideoError
from aihubmix_video.gallery.posters import can_take, take
from aihubmix_video.ledger.entry import UNFINISHED, LedgerEntry, LedgerState
from aihubmix_video.ledger.interface import entries
from aihubmix_video.pricing.list_prices import list_price
from aihubmix_video.session.decisions import own
from aihubmix_video.session.ledger_mapping import error_of, video_of
from aihubmix_video.storage.filesystem import part_path
from aihubmix_video.web.asset_files import assets
from aihubmix_video.web.cards import Card, address
from aihubmix_video.web.html import MARK, gallery_html

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from aihubmix_video.cli.ledger_location import LedgerLocation
    from aihubmix_video.cli.runner import Work
    from aihubmix_video.session.session import VideoSession
    from aihubmix_video.web.cards import State as CardState

__all__ = ["PAGE", "POSTERS", "Gallery", "card_of", "outcome_of"]

PAGE = "index.html"
POSTERS = "posters"
LEAST_SECONDS = 2.0  # between two pages; writing a large one takes a twentieth of the time at most
SHARE = 20
LOOKED_AT = 4096
MAYBE_BOUGHT = frozenset({LedgerState.SENDING, LedgerState.UNCERTAIN})


@attrs.define(kw_only=True, eq=False)
class Gallery:
    """The page of one run.

    Attributes:
        folder: Where it is written; absolute.
        warn: Told when something of it cannot be written; the run goes on.
        prices: The user's own, USD per second by model.
    """

    folder: Path
    warn: Callable[[str], None]
    prices: Mapping[str, float] | None = None
    _cards: dict[str, Card] = attrs.field(factory=dict, init=False)
    _places: dict[str, int] = attrs.field(factory=dict, init=False)
    _fresh: dict[str, Path] = attrs.field(factory=dict, init=False)
    _hurried: bool = attrs.field(default=False, init=False)  # who stops a run does not wait for pictures
    _changed: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    def check(self) -> None:
        """See that it may be written, before anything is bought.

        Raises:
            ConfigurationError: There is another page of that name, which stays as it is.
        """
        page = self.folder / PAGE
        try:
            with page.open("rb") as file:
                ours = MARK.encode() in file.read(LOOKED_AT)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ConfigurationError(f"--gallery: {page} cannot be read: {error.strerror}.") from None
        if not ours:
            raise ConfigurationError(f"--gallery: {page} is there already and is no gallery of ours; move it away.")

    @asynccontextmanager
    async def kept(self, location: LedgerLocation | None) -> AsyncIterator[None]:
        """Keep the page up to date meanwhile, beginning with what the ledger knows."""
        await self._read(location)
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        except BaseException:
            self._hurried = True
            raise
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            with suppress(LedgerError):  # the run itself tells what is wrong with it
                await self.whole(location)

    async def whole(self, location: LedgerLocation | None) -> None:
        """Write the page with everything that the ledger and this run know.

        Raises:
            LedgerError: The ledger cannot be read; what this run knows is written all the same.
        """
        try:
            await self._read(location)
        finally:
            while self._fresh and not self._hurried:
                await self._picture()
            await self._write()

    def noting(self, work: Work) -> Work:
        """Give work that does the same, and tells each outcome here."""

        async def noted(session: VideoSession) -> AsyncIterator[RowResult]:
            async with aclosing(work(session)) as outcomes:  # type: ignore[type-var]  # async generators close
                async for outcome in outcomes:
                    self._note(outcome)
                    yield outcome

        return noted

    def _note(self, outcome: RowResult, state: CardState | None = None) -> None:
        key = outcome.job_key or f"row {outcome.index}"
        outcome = attrs.evolve(outcome, index=self._places.get(key, outcome.index))
        before = self._cards.get(key)
        card = card_of(outcome, key, self.folder, state)
        if outcome.request is not None:
            card = attrs.evolve(card, price=list_price(outcome.request, self.prices))
        if before is not None:
            pixels = before.pixels if before.poster is not None else card.pixels  # the file's own
            card = attrs.evolve(card, poster=before.poster, pixels=pixels, created_at=before.created_at)
        self._cards[key] = card
        if outcome.path is not None and outcome.error is None and card.poster is None and can_take():
            self._fresh[key] = outcome.path
        self._changed.set()

    # From the ledger.

    async def _read(self, location: LedgerLocation | None) -> None:
        """Take in the jobs that the ledger knows and this run has not told."""
        if location is None or not await asyncio.to_thread(location.path.exists):
            return
        for entry in await _entries(location):
            place = entry.index if location.batch is not None else entry.number
            self._places[entry.key] = place
            if entry.key not in self._cards or entry.state not in UNFINISHED:
                self._note(*outcome_of(entry))
            self._cards[entry.key] = attrs.evolve(self._cards[entry.key], index=place, created_at=entry.created_at)

    # To the folder.

    async def _keep(self) -> None:
        now = asyncio.get_running_loop().time
        due = now()
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._fresh and now() < due:  # in a long batch there is always one more
                await self._picture()
            await asyncio.sleep(due - now())
            began = now()
            await self._write()
            due = now() + max(LEAST_SECONDS, SHARE * (now() - began))
            if self._fresh:
                self._changed.set()

    async def _picture(self) -> None:
        """Make the picture of one video."""
        key, video = next(iter(self._fresh.items()))
        card = self._cards[key]
        made = await asyncio.to_thread(self._poster, video, card.sha256)
        self._fresh.pop(key, None)
        if made is not None:
            poster, pixels = made
            picture = address(PurePosixPath(poster), PurePosixPath(self.folder))
            self._cards[key] = attrs.evolve(self._cards[key], poster=picture, pixels=pixels or card.pixels)

    def _poster(self, video: Path, sha256: str | None) -> tuple[Path, tuple[int, int] | None] | None:
        """Find or make a video's picture; it is named by the video's content, so that it is made once."""
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
            await asyncio.to_thread(self._write_page, cards)
        except OSError as error:
            self.warn(f"no gallery in {self.folder}: {error.strerror}")

    def _write_page(self, cards: list[Card]) -> None:
        page = gallery_html(safe(self.folder.name) or "Videos", cards, assets())
        _replace(self.folder / PAGE, page)


async def _entries(location: LedgerLocation) -> list[LedgerEntry]:
    async with opened_ledger(location.path) as ledger:
        if location.batch is not None:
            return [entry async for entry in ledger.rows_of(location.batch)]
        return [entry async for entry in entries(ledger)]


def outcome_of(entry: LedgerEntry) -> tuple[RowResult, CardState | None]:
    """Tell a job of the ledger as an outcome, and what its card is to say where the outcome does not."""
    going = entry.state in UNFINISHED - MAYBE_BOUGHT
    outcome = RowResult(
        index=entry.index,
        key=own(entry),
        request=entry.request,
        video=video_of(entry),
        path=entry.path,
        error=None if going else error_of(entry),
        charged=entry.charged,
        job_key=entry.key,
        earlier=True,
    )
    return outcome, "unfinished" if going else None


def card_of(outcome: RowResult, key: str, folder: Path, state: CardState | None = None) -> Card:
    """Say what the card of an outcome shows, on a page in *folder*; *state* overrules what the outcome itself says."""
    error, path = outcome.error, outcome.path
    return Card(
        key=key,
        index=outcome.index,
        state=state or _state(outcome),
        prompt=outcome.request.prompt if outcome.request is not None else None,
        model=outcome.model or None,
        name=outcome.key if outcome.key != key else None,
        id=outcome.id,
        seconds=outcome.seconds,
        pixels=outcome.pixels,
        content=None if path is None or error is not None else address(PurePosixPath(path), PurePosixPath(folder)),
        file=path.name if path is not None else None,
        bytes=outcome.bytes,
        sha256=outcome.sha256,
        error_type=type(error).__name__ if error is not None else None,
        error=_reason(error) if error is not None else None,
        charged=outcome.charged,
    )


def _reason(error: VideoError) -> str:
    """Say why, without the ids that an error's own text has: a card is to be read, and its id stands beside it."""
    head = error.message.rstrip()
    stop = "" if not error.advice or head[-1:] in ".!?" else "."
    return safe(f"{head}{stop} {error.advice}".strip())


def _state(outcome: RowResult) -> CardState:
    if outcome.error is None:
        return "saved"
    if isinstance(outcome.error, SubmitUncertain):
        return "uncertain"
    return "unfinished" if goes_on(outcome.error) else "failed"


def _replace(target: Path, data: bytes) -> None:
    """Write a file at once, readable as the user's other files are."""
    part = part_path(target)
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
