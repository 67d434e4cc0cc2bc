"""The ledger on disk: an SQLite file, a folder of reference media and a lock file."""

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
from aihubmix_video.ledger.sqlite_errors import ledger_error
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

ENTRIES_PER_READ: Final = 256
"""How many entries are read at a time when all are wanted."""
MAX_REMEMBERED_BYTES: Final = 1 << 20
"""The largest value under one name; larger ones would slow down every commit that they are part of."""


class SqliteLedger:
    """See `interface.Ledger`.

    Attributes:
        path: The file; absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = SqliteWriter(path)
        self._media = MediaStore(path)
        self._threads = ThreadPoolExecutor(1, "aihubmix-media")  # so that large files do not delay a commit
        self._spilled_ids: dict[str, str] = {}  # by key; ids that are not written to the ledger yet

    @classmethod
    async def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a ledger, or create a new one; its folder must exist.

        Creates that were being sent when the last process ended become uncertain.

        Raises:
            LedgerError: Another process uses it, a newer version or another program wrote it, or the disk refuses.
        """
        ledger = cls(Path(path).absolute())  # noqa: ASYNC240 - looks at the current folder only
        await ledger._writer.start()
        return ledger

    @property
    def commits(self) -> int:
        """The number of transactions so far; far lower than the number of calls if many call at once."""
        return self._writer.commits

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Bind the ledger to an account.

        Args:
            base_url: The gateway's base URL.
            api_key: The key. Only a salted one-way digest of it is kept.
            new_key: Whether the key is a new one of the same account, to which the ledger is to be bound from now on.

        Raises:
            LedgerError: The ledger is bound to another account or another gateway.
        """
        reveal = account_binding.hidden(api_key)
        del api_key  # a traceback shows the locals of every frame
        salt = await self._read(sqlite_queries.fact, "salt")
        digest = await self._in_thread(account_binding.digest, salt or b"", reveal)
        bound = await self._writer.run(partial(account_binding.bind, base_url=base_url, digest=digest, new_key=new_key))
        if bound != (base_url, digest):
            raise LedgerError(
                f"the ledger {self.path} holds jobs of {bound[0]} and key #{bound[1][:8]}, and this session uses {base_url} "
                f"and key #{digest[:8]} (digests of the keys). Jobs are known only where they were bought: use the same "
                "key and base URL, or another ledger. If it is a new key of the same account: new_key=True, or --new-key."
            )

    # Writing.

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Record the intents of jobs, with their media: all of them, or none."""
        if any(request_codec.has_media(entry.request) for entry in entries):
            await to_the_end(self._intend_with_media(entries))
        elif entries:
            await self._writer.run(partial(_intend, entries=entries, now=time.time()))

    async def _intend_with_media(self, entries: Sequence[LedgerEntry]) -> None:
        packed = await self._in_thread(_pack, entries)
        media = {digest: data for each in packed for digest, data in each.media.items()}
        self._media.claim(media)
        try:
            await self._in_thread(self._media.keep, media)
            rows = list(zip(entries, packed, strict=True))
            await self._writer.run(partial(sqlite_queries.intend, entries=rows, now=time.time()))
        finally:
            self._media.release(media)

    async def record(self, key: str, transition: Transition) -> None:
        """Record one transition.

        An id that cannot be written to the ledger is written to the spill file beside it, which is read when the ledger
        is opened the next time. A full disk may have no room for that file either, so the id is retried before the
        job's next transition.
        """
        video_id = transition.values.get("video_id") if transition.move is Move.BOUGHT else None
        if not isinstance(video_id, str):
            await self._write(key, transition)
            return
        self._spilled_ids.pop(key, None)
        try:
            await self._write(key, transition)
        except LedgerError:
            self._spilled_ids[key] = video_id
            await self._in_thread(emergency, self.path, key, video_id)
            raise

    async def _write(self, key: str, transition: Transition) -> None:
        try:
            await self._retry_spilled_id(key)
            await self._writer.run(partial(sqlite_queries.record, key=key, transition=transition, now=time.time()))
        except VideoError as error:
            transitions.with_job(error, key, transition)
            raise

    async def _retry_spilled_id(self, key: str) -> None:
        """Write the id of this job to the ledger if an earlier attempt failed."""
        if key in self._spilled_ids:
            await self._writer.run(
                partial(sqlite_queries.record_spilled_id, key=key, video_id=self._spilled_ids[key], now=time.time())
            )
            self._spilled_ids.pop(key, None)

    async def remember(self, name: str, value: bytes) -> None:
        """Store a small value under a name; at most a mebibyte."""
        if len(value) > MAX_REMEMBERED_BYTES:
            raise LedgerError(f"{name!r} has {len(value)} bytes; at most {MAX_REMEMBERED_BYTES} are remembered.")
        await self._writer.run(partial(sqlite_queries.remember, name=name, value=value))

    # Reading.

    async def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Yield every unfinished job, with its media."""
        numbers = await self._read(sqlite_queries.unfinished_numbers)
        async for found in self._stream(numbers):
            if found.entry.state not in FINISHED:  # it may have finished meanwhile
                yield await self._with_media(found)

    async def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:
        """Yield a batch's jobs in the order of its rows."""
        async for found in self._stream(await self._read(sqlite_queries.numbers_of_batch, batch)):
            yield found.entry

    async def _stream(self, numbers: Sequence[int]) -> AsyncIterator[Found]:
        for start in range(0, len(numbers), ENTRIES_PER_READ):
            for found in await self._read(
                sqlite_queries.at_numbers, self._media.folder, numbers[start : start + ENTRIES_PER_READ]
            ):
                yield found

    async def entry(self, key: str) -> LedgerEntry | None:
        """Return the job with this local key; None if there is none."""
        return await self._with_media(await self._read(sqlite_queries.one, self._media.folder, "key", key))

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:
        """Return the job with this idempotency key; None if there is none."""
        return await self._with_media(
            await self._read(sqlite_queries.one, self._media.folder, "client_key", client_key)
        )

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:
        """Return the row of a batch with this fingerprint and occurrence; None if there is none."""
        return await self._with_media(
            await self._read(sqlite_queries.find, self._media.folder, batch, fingerprint, occurrence)
        )

    @overload
    async def _with_media(self, found: Found) -> LedgerEntry: ...
    @overload
    async def _with_media(self, found: Found | None) -> LedgerEntry | None: ...
    async def _with_media(self, found: Found | None) -> LedgerEntry | None:
        """Return an entry, with its media if they may be needed again."""
        if found is None or not found.wants_media:
            return None if found is None else found.entry
        return await self._in_thread(found.with_media, self._media.recall)

    async def page(
        self,
        after: int | None = None,
        limit: int = 100,
        states: Collection[LedgerState] = (),
        *,
        owner: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """Return a page of jobs, the newest first."""
        return await self._read(
            sqlite_queries.newest, self._media.folder, after, limit, states or tuple(LedgerState), owner
        )

    async def counts(self) -> Mapping[LedgerState, int]:
        """Return the number of jobs in each state."""
        return await self._read(sqlite_queries.counts)

    async def spent(self) -> Mapping[str, Spent]:
        """Return, by model, the sums of what was bought."""
        return await self._read(sqlite_queries.spent)

    async def recall(self, name: str) -> bytes | None:
        """Return what was remembered under a name; None if nothing was."""
        return await self._read(sqlite_queries.recall, name)

    # Closing.

    async def sweep(self) -> int:
        """Delete media that no create can need any more."""
        # On the writer's thread, so that no intent is committed between the query and the deletion.
        return await self._writer.run(self._sweep, reads=True)

    def _sweep(self, connection: sqlite3.Connection) -> int:
        return self._media.sweep(sqlite_queries.media_in_use(connection))

    async def aclose(self) -> None:
        """Finish the calls under way, and close the ledger."""
        for key in list(self._spilled_ids):
            try:
                await self._retry_spilled_id(key)
            except VideoError:
                await self._in_thread(emergency, self.path, key, self._spilled_ids.pop(key))
        await self._writer.aclose()
        self._threads.shutdown(wait=False)

    # Threads.

    async def _read(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._writer.run(lambda connection: work(connection, *args, **kwargs), reads=True)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run *work* on another thread, since it may take long and must not delay the commits."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))
        except OSError as error:
            raise ledger_error(error, self._media.folder, "used") from error


def _pack(entries: Sequence[LedgerEntry]) -> list[EncodedRequest]:
    return [request_codec.pack(entry.request) for entry in entries]


def _intend(connection: sqlite3.Connection, entries: Sequence[LedgerEntry], now: float) -> None:
    sqlite_queries.intend(connection, list(zip(entries, _pack(entries), strict=True)), now)
