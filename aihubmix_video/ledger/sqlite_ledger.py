"""The ledger on disk: an SQLite file, a folder of reference media, a lock."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, Self, TypeVar, overload

from aihubmix_video.errors import LedgerError, VideoError
from aihubmix_video.ledger import account_binding, request_codec, sqlite_queries, transitions
from aihubmix_video.ledger.entry import FINISHED, LedgerEntry, LedgerState, Spent
from aihubmix_video.ledger.media_store import MediaStore
from aihubmix_video.ledger.spill_file import emergency
from aihubmix_video.ledger.sqlite_errors import told
from aihubmix_video.ledger.sqlite_writer import SqliteWriter
from aihubmix_video.ledger.transitions import Move
from aihubmix_video.storage.disk import to_the_end

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

    from aihubmix_video.ledger.request_codec import EncodedRequest
    from aihubmix_video.ledger.sqlite_queries import Found
    from aihubmix_video.ledger.transitions import Transition

__all__ = ["SqliteLedger"]

T = TypeVar("T")
P = ParamSpec("P")

STREAMED: Final = 256
"""Entries read at a time when all are wanted."""
REMEMBERED_BYTES: Final = 1 << 20
"""What one name may hold; larger things would slow every commit that they share."""


class SqliteLedger:
    """See `port.Ledger`.

    Attributes:
        path: The file; absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = SqliteWriter(path)
        self._media = MediaStore(path)
        self._threads = ThreadPoolExecutor(1, "aihubmix-media")  # large files hold up no commit
        self._owed: dict[str, str] = {}  # ids by key that could not be written yet

    @classmethod
    async def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a ledger, or begin a new one; its folder must exist.

        Creates that were leaving when the last process ended become uncertain.

        Raises:
            LedgerError: Another process has it, it was written by a newer version or another program, or the disk refuses.
        """
        ledger = cls(Path(path).absolute())  # noqa: ASYNC240 - looks at the current folder only
        await ledger._writer.start()
        return ledger

    @property
    def commits(self) -> int:
        """Transactions so far; far fewer than calls when many call at once."""
        return self._writer.commits

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Say whose jobs these are.

        Args:
            base_url: The gateway's.
            api_key: Of which a salted one-way digest is kept.
            new_key: The key is another one of the same account: the ledger is its from now on.

        Raises:
            LedgerError: They are another account's or another gateway's.
        """
        reveal = account_binding.hidden(api_key)
        del api_key  # an error's traceback shows the locals of every frame
        salt = await self._read(sqlite_queries.fact, "salt")
        digest = await self._aside(account_binding.digest, salt or b"", reveal)
        bound = await self._writer.run(partial(account_binding.bind, base_url=base_url, digest=digest, new_key=new_key))
        if bound != (base_url, digest):
            raise LedgerError(
                f"the ledger {self.path} holds jobs of {bound[0]} and key #{bound[1][:8]}, and this session uses {base_url} "
                f"and key #{digest[:8]} (digests of the keys). Jobs are known only where they were bought: use the same "
                "key and base URL, or another ledger. If it is a new key of the same account: new_key=True, or --new-key."
            )

    # Telling.

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Take in jobs, with their media."""
        if any(request_codec.has_media(entry.request) for entry in entries):
            await to_the_end(self._intend_with_media(entries))
        elif entries:
            await self._writer.run(partial(_intend, entries=entries, now=time.time()))

    async def _intend_with_media(self, entries: Sequence[LedgerEntry]) -> None:
        packed = await self._aside(_pack, entries)
        media = {digest: data for each in packed for digest, data in each.media.items()}
        self._media.claim(media)
        try:
            await self._aside(self._media.keep, media)
            rows = list(zip(entries, packed, strict=True))
            await self._writer.run(partial(sqlite_queries.intend, entries=rows, now=time.time()))
        finally:
            self._media.release(media)

    async def record(self, key: str, transition: Transition) -> None:
        """Write one transition.

        An id that the ledger cannot take goes into a plain file beside it, which is read when it is opened next. A disk that
        is full has no room for that file either, so the id is tried again with what happens next to the job.
        """
        video_id = transition.values.get("video_id") if transition.move is Move.BOUGHT else None
        if not isinstance(video_id, str):
            await self._write(key, transition)
            return
        self._owed.pop(key, None)
        try:
            await self._write(key, transition)
        except LedgerError:
            self._owed[key] = video_id
            await self._aside(emergency, self.path, key, video_id)
            raise

    async def _write(self, key: str, transition: Transition) -> None:
        try:
            await self._pay(key)
            await self._writer.run(partial(sqlite_queries.move, key=key, taken=transition, now=time.time()))
        except VideoError as error:
            transitions.owned(error, key, transition)
            raise

    async def _pay(self, key: str) -> None:
        """Write an id that could not be written when it was seen."""
        if key in self._owed:
            await self._writer.run(partial(sqlite_queries.learn, key=key, video_id=self._owed[key], now=time.time()))
            self._owed.pop(key, None)

    async def remember(self, name: str, value: bytes) -> None:
        """Keep what was learnt; at most a mebibyte under one name."""
        if len(value) > REMEMBERED_BYTES:
            raise LedgerError(f"{name!r} has {len(value)} bytes; at most {REMEMBERED_BYTES} are remembered.")
        await self._writer.run(partial(sqlite_queries.remember, name=name, value=value))

    # Asking.

    async def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Give every job that needs something."""
        numbers = await self._read(sqlite_queries.unfinished_numbers)
        async for found in self._stream(numbers):
            if found.entry.state not in FINISHED:  # meanwhile it may have ended
                yield await self._whole(found)

    async def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:
        """Give a batch's jobs by row."""
        async for found in self._stream(await self._read(sqlite_queries.numbers_of_batch, batch)):
            yield found.entry

    async def _stream(self, numbers: Sequence[int]) -> AsyncIterator[Found]:
        for start in range(0, len(numbers), STREAMED):
            for found in await self._read(
                sqlite_queries.at_numbers, self._media.folder, numbers[start : start + STREAMED]
            ):
                yield found

    async def entry(self, key: str) -> LedgerEntry | None:
        """Find a job."""
        return await self._whole(await self._read(sqlite_queries.one, self._media.folder, "key", key))

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:
        """Find a job by the user's own key."""
        return await self._whole(await self._read(sqlite_queries.one, self._media.folder, "client_key", client_key))

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:
        """Find a row of a batch."""
        return await self._whole(
            await self._read(sqlite_queries.find, self._media.folder, batch, fingerprint, occurrence)
        )

    @overload
    async def _whole(self, found: Found) -> LedgerEntry: ...
    @overload
    async def _whole(self, found: Found | None) -> LedgerEntry | None: ...
    async def _whole(self, found: Found | None) -> LedgerEntry | None:
        """Read media back where they may be needed again."""
        if found is None or not found.wants_media:
            return None if found is None else found.entry
        return await self._aside(found.whole, self._media.recall)

    async def page(
        self,
        after: int | None = None,
        limit: int = 100,
        states: Collection[LedgerState] = (),
        *,
        owner: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """Give a page of jobs, the newest first."""
        return await self._read(
            sqlite_queries.newest, self._media.folder, after, limit, states or tuple(LedgerState), owner
        )

    async def counts(self) -> Mapping[LedgerState, int]:
        """Count the jobs in each state."""
        return await self._read(sqlite_queries.counts)

    async def spent(self) -> Mapping[str, Spent]:
        """Add up what was bought."""
        return await self._read(sqlite_queries.spent)

    async def recall(self, name: str) -> bytes | None:
        """Give back what was remembered."""
        return await self._read(sqlite_queries.recall, name)

    # Ending.

    async def sweep(self) -> int:
        """Delete media that no create can need any more."""
        # On the writer's thread, so that no intent is committed between looking and deleting.
        return await self._writer.run(self._sweep, reads=True)

    def _sweep(self, connection: sqlite3.Connection) -> int:
        return self._media.sweep(sqlite_queries.media_in_use(connection))

    async def aclose(self) -> None:
        """Finish what was asked for, and close."""
        for key in list(self._owed):
            try:
                await self._pay(key)
            except VideoError:
                await self._aside(emergency, self.path, key, self._owed.pop(key))
        await self._writer.aclose()
        self._threads.shutdown(wait=False)

    # Threads.

    async def _read(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._writer.run(lambda connection: work(connection, *args, **kwargs), reads=True)

    async def _aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something that may take a while without holding up the commits."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))
        except OSError as error:
            raise told(error, self._media.folder, "used") from error


def _pack(entries: Sequence[LedgerEntry]) -> list[EncodedRequest]:
    return [request_codec.pack(entry.request) for entry in entries]


def _intend(connection: sqlite3.Connection, entries: Sequence[LedgerEntry], now: float) -> None:
    sqlite_queries.intend(connection, list(zip(entries, _pack(entries), strict=True)), now)
