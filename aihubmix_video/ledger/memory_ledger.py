"""A ledger in memory: everything that a server needs to answer about its jobs, for as long as the process lives.

It keeps every unfinished job, and of those that are finished the newest; so its size depends on a setting, and not on how
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

FETCHED: Final = frozenset({LedgerState.BOUGHT, LedgerState.COMPLETED})
FAILED_KEPT: Final = 32
"""Failed jobs whose media are kept, so that they can be bought anew."""
NEVER: Final = float("inf")


@attrs.define
class _StoredJob:
    """One job: its entry without media, and, while it may yet be sent, how its request is read back with them."""

    entry: LedgerEntry
    packed: request_codec.EncodedRequest | None

    def whole(self) -> LedgerEntry:
        if self.packed is None or self.entry.state not in SENDABLE:
            return self.entry
        return attrs.evolve(self.entry, request=request_codec.unpack(self.packed.text, self.packed.media.__getitem__))


class MemoryLedger:
    """See `port.Ledger`.

    Args:
        finished: How many finished jobs are remembered; so long are their idempotency keys.
    """

    def __init__(self, finished: int = 10_000) -> None:
        self._most_finished = finished
        self._numbers = 0
        self._held: dict[str, _StoredJob] = {}  # by key, in the order of their intents
        self._names: dict[tuple[object, ...], str] = {}  # every name that only one job may have, and its key
        self._finished: dict[str, None] = {}  # in the order in which they ended
        self._failed: deque[_StoredJob] = deque()  # with media
        self._memory: dict[str, bytes] = {}
        self._spent: dict[str, Spent] = {}  # by those forgotten
        self._closed = False

    async def bind(self, base_url: str, api_key: str, *, new_key: bool = False) -> None:
        """Nothing to compare with: it lives no longer than its session."""

    # Telling.

    async def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Take in jobs: all of them, or none."""
        packed = [request_codec.pack(entry.request) for entry in entries]
        jobs, new = self._jobs, set[tuple[object, ...]]()
        for entry in entries:
            names = _names(entry)
            if any(name in self._names or name in new for name in names):
                raise LedgerError(
                    f"the ledger has a job already that is the same as {entry.key}. Nothing was recorded.",
                    job_key=entry.key,
                )
            new |= names
        for entry, each in zip(entries, packed, strict=True):
            jobs[entry.key] = self._taken_in(entry, each, time.time())

    def _taken_in(self, entry: LedgerEntry, packed: request_codec.EncodedRequest, now: float) -> _StoredJob:
        self._numbers += 1
        fresh = attrs.evolve(
            entry,
            number=self._numbers,
            state=LedgerState.INTENDED,
            created_at=entry.created_at or now,
            updated_at=now,
            request=request_codec.unpack(packed.text, Path),
        )
        self._names |= dict.fromkeys(_names(entry), entry.key)
        return _StoredJob(fresh, packed if packed.media else None)

    async def record(self, key: str, transition: Transition) -> None:
        """Take one transition."""
        try:
            held = self._jobs.get(key)
            if held is None:
                raise transitions.unknown(key)
            held.entry = transitions.step(held.entry, transition, time.time())
        except LedgerError as error:
            transitions.owned(error, key, transition)
            raise
        self._let_go_of_media(held)
        self._finished.pop(key, None)
        if held.entry.state in FINISHED:
            self._finished[key] = None
            self._forget()

    def _let_go_of_media(self, held: _StoredJob) -> None:
        """Keep media while a create may yet need them; of failed jobs, which are hardly ever bought anew, a few."""
        if held.packed is not None and held.entry.state is LedgerState.FAILED:
            self._failed.append(held)
        if held.entry.state not in MAY_BE_SENT:
            held.packed = None
        if len(self._failed) > FAILED_KEPT:
            oldest = self._failed.popleft()
            if oldest.entry.state is LedgerState.FAILED:
                oldest.packed = None

    def _forget(self) -> None:
        while len(self._finished) > self._most_finished:
            key = next(iter(self._finished))
            del self._finished[key]
            entry = self._jobs.pop(key).entry
            for name in _names(entry):
                del self._names[name]
            _add(self._spent, entry)

    async def remember(self, name: str, value: bytes) -> None:
        """Keep what was learnt."""
        self._memory[name] = value

    # Asking.

    async def unfinished(self) -> AsyncIterator[LedgerEntry]:
        """Give every job that needs something."""
        wanted = [held.entry for held in self._jobs.values() if held.entry.state in UNFINISHED]
        for entry in sorted(wanted, key=_urgency):
            held = self._jobs.get(entry.key)
            if held is not None and held.entry.state in UNFINISHED:  # meanwhile it may have ended
                yield held.whole()

    async def rows_of(self, batch: str) -> AsyncIterator[LedgerEntry]:
        """Give a batch's jobs by row."""
        rows = [held.entry for held in self._jobs.values() if held.entry.batch == batch]
        for entry in sorted(rows, key=lambda row: (row.index, row.number)):
            yield entry

    async def entry(self, key: str) -> LedgerEntry | None:
        """Find a job."""
        return self._named("key", key)

    async def by_client_key(self, client_key: str) -> LedgerEntry | None:
        """Find a job by the user's own key."""
        return self._named("client key", client_key)

    async def find(self, batch: str, fingerprint: str, occurrence: int) -> LedgerEntry | None:
        """Find a row of a batch."""
        return self._named("row", batch, fingerprint, occurrence)

    def _named(self, *name: object) -> LedgerEntry | None:
        jobs, key = self._jobs, self._names.get(name)
        return None if key is None else jobs[key].whole()

    async def page(
        self,
        after: int | None = None,
        limit: int = 100,
        states: Collection[LedgerState] = (),
        *,
        owner: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """Give a page of jobs, the newest first."""
        entries = (held.entry for held in reversed(self._jobs.values()))
        found = (
            entry
            for entry in entries
            if (after is None or entry.number < after)
            and (not states or entry.state in states)
            and owner in {None, entry.owner}
        )
        return list(islice(found, limit))

    async def counts(self) -> Mapping[LedgerState, int]:
        """Count the jobs in each state."""
        counted = dict.fromkeys(LedgerState, 0)
        for held in self._jobs.values():
            counted[held.entry.state] += 1
        return counted

    async def spent(self) -> Mapping[str, Spent]:
        """Add up what was bought, by those forgotten too."""
        total = dict(self._spent)
        for held in self._jobs.values():
            _add(total, held.entry)
        return total

    async def recall(self, name: str) -> bytes | None:
        """Give back what was remembered."""
        return self._memory.get(name)

    # Ending.

    async def sweep(self) -> int:
        """Delete nothing: media go when their job was sent."""
        self._check_open()
        return 0

    async def aclose(self) -> None:
        """Take nothing in any more."""
        self._closed = True

    @property
    def _jobs(self) -> dict[str, _StoredJob]:
        self._check_open()
        return self._held

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed("the ledger was closed")


def _names(entry: LedgerEntry) -> set[tuple[object, ...]]:
    """Give every name of a job's that no other may have."""
    names: set[tuple[object, ...]] = {("key", entry.key)}
    if entry.client_key is not None:
        names.add(("client key", entry.client_key))
    if entry.batch is not None:
        names.add(("row", entry.batch, entry.fingerprint, entry.occurrence))
    return names


def _urgency(entry: LedgerEntry) -> tuple[int, float, int]:
    """Order the unfinished: those to be fetched by expiry, those that may have been bought, those to be sent."""
    if entry.state in FETCHED:
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
