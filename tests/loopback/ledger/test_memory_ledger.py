"""The bounds of the ledger in memory. What it shares with the ledger on disk is tested by their contract."""

from __future__ import annotations

from pathlib import Path

from aihubmix_video.errors import JobFailed
from aihubmix_video.ledger import transitions
from aihubmix_video.ledger.entry import LedgerEntry, LedgerState, Spent
from aihubmix_video.ledger.memory_ledger import FAILED_KEPT, MemoryLedger
from aihubmix_video.types.request import VideoRequest

PICTURE = b"picture"


def entry(key: str, **fields: object) -> LedgerEntry:
    """Return a job with a reference."""
    request = VideoRequest(model="wan2.6-i2v", prompt=key, input_reference=PICTURE)
    return LedgerEntry(key=key, request=request, client_key=f"name of {key}", seconds=5.0, **fields)  # type: ignore[arg-type]


async def finished(ledger: MemoryLedger, key: str, *, failed: bool = False) -> None:
    """Record a job from its intent to its end."""
    await ledger.intend([entry(key)])
    await ledger.record(key, transitions.sending())
    await ledger.record(key, transitions.bought(f"id of {key}"))
    await (
        ledger.record(key, transitions.failed(JobFailed("no", charged="no")))
        if failed
        else ledger.record(key, transitions.done())
    )


async def test_of_what_has_ended_the_newest_are_remembered():
    """A server runs for months. Unfinished jobs are never forgotten, nor is what was spent."""
    ledger = MemoryLedger(finished=3)
    await ledger.intend([entry("open")])
    for number in range(10):
        await finished(ledger, f"{number}")
    assert ["9", "8", "7", "open"] == [each.key for each in await ledger.page()]
    assert None is await ledger.entry("6")
    assert None is await ledger.by_client_key("name of 6")
    assert {"wan2.6-i2v": Spent(jobs=10, seconds=50.0)} == await ledger.spent()
    await ledger.intend([entry("6")])  # its names are free again
    assert 5 == len(ledger._held) == len(ledger._names) / 2


async def test_media_are_kept_while_they_may_be_needed():
    """Until the job ends, since it may fail and be bought again; of failed jobs a few keep theirs."""
    ledger = MemoryLedger()
    await finished(ledger, "done")
    for number in range(FAILED_KEPT + 2):
        await finished(ledger, f"{number}", failed=True)
    for key, kept in (("done", False), ("1", False), ("2", True), (f"{FAILED_KEPT + 1}", True)):
        assert kept == (ledger._held[key].packed is not None), key
    await ledger.record("2", transitions.resubmit())
    again = await ledger.entry("2")
    assert again is not None
    assert (LedgerState.INTENDED, PICTURE) == (again.state, again.request.input_reference)
    failed = await ledger.entry("3")
    assert failed is not None
    assert isinstance(failed.request.input_reference, Path)
