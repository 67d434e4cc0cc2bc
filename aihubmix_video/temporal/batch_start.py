"""Reaching a server, and starting a batch there: once for each name, however often it is asked for."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from aihubmix_video.errors import ConfigurationError, ConnectionFailed, InvalidRequest, shown
from aihubmix_video.output.template import Template
from aihubmix_video.temporal.batch_handle import BatchHandle
from aihubmix_video.temporal.batch_workflow import BatchWorkflow
from aihubmix_video.temporal.payload_converter import DATA_CONVERTER
from aihubmix_video.temporal.rows_by_place import check_source
from aihubmix_video.temporal.search_attributes import ensure_search_attributes
from aihubmix_video.temporal.server_errors import translated
from aihubmix_video.temporal.workflow_values import BatchInput, BatchSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from aihubmix_video.capabilities import Validate

__all__ = ["TASK_QUEUE", "connect", "find_batch", "submit_batch"]

TASK_QUEUE = "aihubmix-video"
MAX_NAME = 200
MAX_SHARD_ROWS = 500
SUFFIXES: Mapping[str, Literal["jsonl", "csv", "txt"]] = {
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    ".csv": "csv",
    **dict.fromkeys((".txt", ".text"), "txt"),
}
FINGERPRINT = "aihubmix-video"


async def connect(address: str, *, namespace: str = "default") -> Client:
    """Connect to a Temporal server.

    Args:
        address: ``HOST:PORT``.
        namespace: The namespace, which must exist.

    Returns:
        A client with this package's converter. For TLS, or a key of Temporal Cloud, connect a client of your own with
        ``data_converter=DATA_CONVERTER`` of ``aihubmix_video.temporal.payload_converter``.

    Raises:
        ConnectionFailed: The server does not answer.
    """
    reason = ""
    try:
        return await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER)
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0][:300]
    raise ConnectionFailed(
        f"no Temporal server answers at {shown(address)}: {reason}",
        advice="Check its address, HOST:PORT, and that it runs.",
    )


async def submit_batch(  # noqa: PLR0913 - each is one option of the batch
    client: Client,
    source: str | os.PathLike[str],
    *,
    name: str,
    to: str | os.PathLike[str],
    format: Literal["jsonl", "csv", "txt"] | None = None,  # noqa: A002 - as the command line calls it
    defaults: Mapping[str, object] | None = None,
    ignored: Collection[str] = (),
    validate: Validate = "known",
    overwrite: bool = False,
    max_in_flight: int = 1000,
    rows_per_shard: int = 200,
    heartbeat_seconds: float = 30.0,
    fetch_seconds: float = 86400.0,
    task_queue: str = TASK_QUEUE,
) -> BatchHandle:
    """Start a batch on the server, or join the one of the same name.

    Args:
        client: Of `connect`.
        source: The batch file: JSON lines, CSV or text. Every worker must find it under this path, unchanged.
        name: Your own name of the batch, and its workflow id. The same name is the same batch, running or ended, as long as
            the namespace keeps its history; after that it would be bought again.
        to: Template of the files, as of `VideoSession.batch`. Every worker must be able to write there.
        format: How the file is read; by its suffix if not given.
        defaults: Fields of rows that do not give them.
        ignored: Columns of your own.
        validate: How rows are checked, as in `VideoSession`.
        overwrite: Replace existing files.
        max_in_flight: Jobs bought and not yet finished, at most, rounded up to whole shards.
        rows_per_shard: Rows of one shard, 1 to 500.
        heartbeat_seconds: Silence after which a worker counts as dead, and its jobs move to another.
        fetch_seconds: Time that a job may take from its purchase until its file is saved.
        task_queue: Which workers do it.

    Raises:
        InvalidRequest: The file, the template, the name or a number cannot be used, or the name was given to another batch.
        ConnectionFailed: The server does not answer.
    """
    _check(name, rows_per_shard, max_in_flight, heartbeat_seconds)
    spec = _spec(source, to, format)
    spec = attrs.evolve(
        spec,
        defaults=_defaults(defaults),
        ignored=tuple(sorted(ignored)),
        validate=validate,
        overwrite=overwrite,
        max_in_flight=max_in_flight,
        rows_per_shard=rows_per_shard,
        heartbeat_seconds=heartbeat_seconds,
        fetch_seconds=fetch_seconds,
        searchable=await ensure_search_attributes(client),
    )
    with translated():
        try:
            await client.start_workflow(
                BatchWorkflow.run,
                BatchInput(spec=spec),
                id=name,
                task_queue=task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={FINGERPRINT: _fingerprint(spec)},
            )
        except WorkflowAlreadyStartedError:
            await _check_same(client, name, spec)
    return BatchHandle(client, name)


async def find_batch(client: Client, name: str) -> BatchHandle:
    """Find a batch by its name.

    Raises:
        JobNotFound: The server has none.
    """
    handle = BatchHandle(client, name)
    with translated(name):
        await client.get_workflow_handle(name).describe()
    return handle


def _spec(
    source: str | os.PathLike[str], to: str | os.PathLike[str], kind: Literal["jsonl", "csv", "txt"] | None
) -> BatchSpec:
    """Return the places of a batch, absolute, as workers elsewhere have other working folders."""
    path = Path(os.path.abspath(source))  # noqa: PTH100 - a link stays the link that every worker has
    template = Template.parse(Path(os.path.abspath(to)))  # noqa: PTH100 - likewise
    template.require_unique()
    format_ = kind or _format_of(path)
    return BatchSpec(source=str(path), format=format_, size=check_source(path, format_), to=template.text)


async def _check_same(client: Client, name: str, spec: BatchSpec) -> None:
    known = await (await client.get_workflow_handle(name).describe()).memo()
    if known.get(FINGERPRINT) != _fingerprint(spec):
        raise InvalidRequest.of("name", name, "is the name of another batch, with another file, template or field")


def _fingerprint(spec: BatchSpec) -> str:
    """Return what tells a batch from another one: what it asks for, and not how fast."""
    asked = (spec.source, spec.format, spec.size, spec.to, spec.defaults, spec.ignored)
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _defaults(given: Mapping[str, object] | None) -> str:
    try:
        return json.dumps(dict(given or {}), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):
        message = "must be JSON: media of a batch on Temporal are given by URL"
        raise InvalidRequest.of("defaults", "…", message) from None


def _format_of(path: Path) -> Literal["jsonl", "csv", "txt"]:
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise InvalidRequest.of("format", path.name, "the suffix does not tell it", allowed=("jsonl", "csv", "txt"))
    return found


def _check(name: str, rows_per_shard: int, max_in_flight: int, heartbeat_seconds: float) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable() or "/" in name:
        raise InvalidRequest.of("name", name, f"must be 1 to {MAX_NAME} printable characters without /")
    if not 1 <= rows_per_shard <= MAX_SHARD_ROWS:
        raise InvalidRequest.of("rows_per_shard", rows_per_shard, f"must be 1 to {MAX_SHARD_ROWS}")
    if max_in_flight < 1:
        raise InvalidRequest.of("max_in_flight", max_in_flight, "must be at least 1")
    if heartbeat_seconds < 1:
        raise ConfigurationError(f"heartbeat_seconds={heartbeat_seconds} must be at least 1.")
