"""Errors of the Temporal server, as those of this package."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from temporalio.client import WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from aihubmix_video.errors import ConfigurationError, ConnectionFailed, JobNotFound, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["translated"]


@contextmanager
def translated(name: str | None = None) -> Iterator[None]:
    """Raise what goes wrong with the server as an error of this package; *name* is the batch it is about.

    Raises:
        JobNotFound: The server has no such batch.
        ConnectionFailed: The server does not answer, or no worker does.
        ConfigurationError: The server refuses.
    """
    failure: RPCError | None = None
    try:
        yield
    except RPCError as error:
        failure = error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise ConnectionFailed(f"no worker answers for batch {shown(name)}: {error}") from None
    if failure is None:
        return
    if failure.status is RPCStatusCode.NOT_FOUND and name is not None:
        advice = "Look at the name, the namespace, and whether the batch ended longer ago than the namespace keeps histories."
        raise JobNotFound(f"the server has no batch {shown(name)} that could take this", advice=advice)
    if failure.status in {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}:
        message = f"the Temporal server does not answer: {failure.message}"
        raise ConnectionFailed(message, advice="Check its address, and that a worker is running for its task queue.")
    raise ConfigurationError(f"the Temporal server refuses: {failure.message}.")
