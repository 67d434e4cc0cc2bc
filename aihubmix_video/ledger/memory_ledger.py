"""A ledger in memory: all that a server needs to answer requests about its jobs, for as long as the process lives.

It keeps every unfinished job, and the most recently finished ones. So its size depends on a setting, and not on how
many jobs there have been.
"""

from __future__ import annotations

import time
from collections import deque
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from aihubmix_video.errors import LedgerError, SessionClosed
from aihubmix_video.ledger import request_codec, transitions
from aihubmix_video.ledger.entry import FINISHED, MAY_BE_SENT, SENDABLE, UNFINISHED, LedgerEntry, LedgerState, Spent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from aihubmix_video.ledger.transitions import Transition

__all__ = ["MemoryLedger"]

TO_DOWNLOAD: Final = frozenset({LedgerState.BOUGHT, LedgerState.COMPLETED})
FAILED_KEPT: Final = 32
"""How many failed jobs keep their media, so that they can be bought again."""
NEVER: Final = float("inf")


@attrs.define
class _StoredJob:
    """One job: its entry without media and, while it may still be sent, its encoded request with them."""

    entry: LedgerEntry
    packed: request_codec.EncodedRequest | None

    def with_media(self) -> LedgerEntry:
        if self.packed is None or self.entry.state not in SENDABLE:
            return self.entry
        return attrs.evolve(self.entry, request=request_codec.unpack(self.packed.text, self.packed.media.__getitem__))


class MemoryLedger:
    """See `interface.Ledger`.

    Args:
        finished: How many finished jobs are remembered; their idempotency keys are remembered as long as they are.
    """

    def __init__(self, finished: int = 10_000) -> None:
        self._max_finished = finished
        self._last_number = 0
        self._held: dict[str, _StoredJob] = {}  # by key, in the order in which they were intended
        self._names: dict[tuple[object, ...], str] = {}  # key of the job by each name that must be unique
        self._finished: dict[str, None] = {}  # in the order in which they finished
        self._failed: deque[_StoredJob] = deque()  # with media
        self._memory: dict[str, bytes] = {}
        self._spent: dict[str, Spent] = {}  # by the jobs that were forgotten
        self._closed = False

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Do nothing: this ledger does not outlive its session, so there is no other account to compare with."""

    # Writing.

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Record the intents of jobs: all of them, or none."""
        packed = [request_codec.pack(entry.request) for entry in entries]
        jobs, new = self._jobs, set[tuple[object, ...]]()
        for entry in entries:
            names = _names(entry)
            if any(name in self._names or name in new for name in names):
                raise LedgerError(
                    f"the ledger already has a job that is the same as {entry.key}. Nothing was recorded.",
                    job_key=entry.key,
                )
            new |= names
        for entry, each in zip(entries, packed, strict=True):
            jobs[entry.key] = self._stored_job(entry, each, time.time())

    def _stored_job(self, entry: LedgerEntry, packed: request_codec.EncodedRequest, now: float) -> _StoredJob:
        self._last_number += 1
        fresh = attrs.evolve(
            entry,
            number=self._last_number,
            state=LedgerState.INTENDED,
            created_at=entry.created_at or now,
            updated_at=now,
            request=request_codec.unpack(packed.text, Path),
        )
        self._names |= dict.fromkeys(_names(entry), entry.key)
        return _StoredJob(fresh, packed if packed.media else None)

    async def record(self, key: str, transition: Transition) -> None:
        """Record one transition."""
        try:
            stored = self._jobs.get(key)
            if stored is None:
                raise transitions.unknown(key)
            stored.entry = transitions.step(stored.entry, transition, time.time())
        except LedgerError as error:
            transitions.with_job(error, key, transition)
            raise
        self._discard_media(stored)
        self._finished.pop(key, None)
        if stored.entry.state in FINISHED:
            self._finished[key] = None
            self._forget()

    def _discard_media(self, stored: _StoredJob) -> None:
        """Discard media that no create can need any more; of failed jobs, which are rarely bought again, keep a few."""
        if stored.packed is not None and stored.entry.state is LedgerState.FAILED:
            self._failed.append(stored)
        if stored.entry.state not in MAY_BE_SENT:
            stored.packed = None
        if len(self._failed) > FAILED_KEPT:
            oldest = self._failed.popleft()
            if oldest.entry.state is LedgerState.FAILED:
                oldest.packed = None

    def _forget(self) -> None:
        while len(self._finished) > self._max_finished:
            key = next(iter(self._finished))
            del self._finished[key]
            entry = self._jobs.pop(key).entry
            for name in _names(entry):
                del self._names[name]
            _add(self._spent, entry)

    async def remember(self, name: str, value: bytes) -> None:
        """Store a small value under a name."""
        self._memory[name] = value

    # Reading.

    async def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Yield every unfinished job, with its media."""
        wanted = [stored.entry for stored in self._jobs.values() if stored.entry.state in UNFINISHED]
        for entry in sorted(wanted, key=_urgency):
            stored = self._jobs.get(entry.key)
            if stored is not None and stored.entry.state in UNFINISHED:  # it may have finished meanwhile
                yield stored.with_media()

    async def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:
        """Yield a batch's jobs in the order of its rows."""
        rows = [stored.entry for stored in self._jobs.values() if stored.entry.batch == batch]
        for entry in sorted(rows, key=lambda row: (row.index, row.number)):
            yield entry

    async def entry(self, key: str) -> LedgerEntry | None:
        """Return the job with this local key; None if there is none."""
        return self._named("key", key)

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:
        """Return the job with this idempotency key; None if there is none."""
        return self._named("client key", client_key)

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:
        """Return the row of a batch with this fingerprint and occurrence; None if there is none."""
        return self._named("row", batch, fingerprint, occurrence)

    def _named(self, *name: object) -> LedgerEntry | None:
        jobs, key = self._jobs, self._names.get(name)
        return None if key is None else jobs[key].with_media()

    async def page(
        self,
        after: int | None = None,
        limit: int = 100,
        states: Collection[LedgerState] = (),
        *,
        owner: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """Return a page of jobs, the newest first."""
        entries = (stored.entry for stored in reversed(self._jobs.values()))
        found = (
            entry
            for entry in entries
            if (after is None or entry.number < after)
            and (not states or entry.state in states)
            and owner in {None, entry.owner}
        )
        return list(islice(found, limit))

    async def counts(self) -> Mapping[LedgerState, int]:
        """Return the number of jobs in each state."""
        counted = dict.fromkeys(LedgerState, 0)
        for stored in self._jobs.values():
            counted[stored.entry.state] += 1
        return counted

    async def spent(self) -> Mapping[str, Spent]:
        """Return, by model, the sums of what was bought, also by jobs that were forgotten."""
        total = dict(self._spent)
        for stored in self._jobs.values():
            _add(total, stored.entry)
        return total

    async def recall(self, name: str) -> bytes | None:
        """Return what was remembered under a name; None if nothing was."""
        return self._memory.get(name)

    # Closing.

    async def sweep(self) -> int:
        """Delete nothing: media are discarded once their job cannot be sent any more."""
        self._check_open()
        return 0

    async def aclose(self) -> None:
        """Close the ledger: every later call is refused."""
        self._closed = True

    @property
    def _jobs(self) -> dict[str, _StoredJob]:
        self._check_open()
        return self._held

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed("the ledger was closed")


def _names(entry: LedgerEntry) -> set[tuple[object, ...]]:
    """Return every name of a job that must be unique in the ledger."""
    names: set[tuple[object, ...]] = {("key", entry.key)}
    if entry.client_key is not None:
        names.add(("client key", entry.client_key))
    if entry.batch is not None:
        names.add(("row", entry.batch, entry.fingerprint, entry.occurrence))
    return names


def _urgency(entry: LedgerEntry) -> tuple[int, float, int]:
    """Return the sort key of an unfinished job: downloads by expiry, then possible purchases, then jobs to be sent."""
    if entry.state in TO_DOWNLOAD:
        return 0, NEVER if entry.expires_at is None else entry.expires_at, entry.number
    return (2 if entry.state is LedgerState.INTENDED else 1), 0.0, entry.number


def _add(total: dict[str, Spent], entry: LedgerEntry) -> None:
    times = (entry.charged != "no") + entry.written_off
    if times == 0:
        return
    model = entry.request.model
    before = total.get(model, Spent())
    total[model] = Spent(
        jobs=before.jobs + times,
        seconds=before.seconds + times * (entry.seconds or 0.0),
        unmeasured=before.unmeasured + times * (entry.seconds is None),
    )
