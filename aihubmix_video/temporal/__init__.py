"""Batches past one machine, on Temporal; needs the extra ``temporal``.

    client = await connect("127.0.0.1:7233")
    batch = await submit_batch(client, "rows.jsonl", name="autumn", to="out/{index:04d}-{slug}.mp4")
    progress = await batch.result()

Workers do the work: ``aihubmix-video worker --temporal HOST:PORT``, or `run_worker`. How to deploy and size them, and what
happens at each failure: ``docs/temporal.md``.
"""

from __future__ import annotations

try:
    import temporalio  # noqa: F401 - asked for here, so that its absence is told in words
except ModuleNotFoundError as error:
    if error.name != "temporalio":
        raise
    from aihubmix_video.errors import ConfigurationError

    raise ConfigurationError("Temporal needs its extra: pip install 'aihubmix-video[temporal]'.") from None

from aihubmix_video.temporal.batch_handle import BatchHandle
from aihubmix_video.temporal.batch_start import connect, find_batch, submit_batch
from aihubmix_video.temporal.engine_worker import run_worker
from aihubmix_video.temporal.workflow_values import BatchProgress, Counts, HeldRow, RowDecision, RowPhase, RowState

__all__ = [
    "BatchHandle",
    "BatchProgress",
    "Counts",
    "HeldRow",
    "RowDecision",
    "RowPhase",
    "RowState",
    "connect",
    "find_batch",
    "run_worker",
    "submit_batch",
]
