"""The options of commands that work on a Temporal server, and what these commands share."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from aihubmix_video.cli.command_options import WHOLE

__all__ = ["TEMPORAL", "ServerOptions", "TemporalOptions"]

TEMPORAL = Group("Temporal", sort_key=2)


@Parameter(name="*", group=TEMPORAL)
@attrs.frozen(kw_only=True)
class ServerOptions:
    """Which Temporal server.

    Attributes:
        temporal: HOST:PORT of a Temporal server, on which the batch runs, past this machine (extra temporal).
        namespace: Its namespace. [default: default]
        task_queue: Which workers do the work. [default: aihubmix-video]
    """

    temporal: str | None = None
    namespace: str = "default"
    task_queue: str = "aihubmix-video"


@Parameter(name="*", group=TEMPORAL)
@attrs.frozen(kw_only=True)
class TemporalOptions(ServerOptions):
    """How a batch runs on a Temporal server.

    Attributes:
        batch_name: Your own name of the batch there: the same name is the same batch, and nothing is bought twice. [default: of the output folder]
        rows_per_shard: Rows that one workflow follows, at most 500. [default: 200]
        detach: Start the batch, and do not wait for it.
    """

    batch_name: str | None = None
    rows_per_shard: Annotated[int, WHOLE] = 200
    detach: bool = False
