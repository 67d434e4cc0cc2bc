"""What a server logs, and how."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import attrs
from cyclopts import Group, Parameter
from pythonjsonlogger.json import JsonFormatter

__all__ = ["LogOptions"]

TEXT = "%(asctime)s %(levelname)s %(message)s"


@Parameter(name="*", group=Group("Log", sort_key=6))
@attrs.frozen(kw_only=True)
class LogOptions:
    """What is logged on standard error: one line per change of a job.

    Attributes:
        log_json: One JSON object per line, with what is known of the job as fields.
        log_level: The least level that is logged. [default: info with --log-json, and warnings of the program alone without]
    """

    log_json: bool = False
    log_level: Literal["debug", "info", "warning", "error"] | None = None

    def start(self) -> None:
        """Configure logging for this process, if either option is given."""
        if not self.log_json and self.log_level is None:
            return
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_json_lines() if self.log_json else logging.Formatter(TEXT))
        logger = logging.getLogger("aihubmix_video")
        logger.addHandler(handler)
        logger.setLevel((self.log_level or "info").upper())
        logger.propagate = False


def _json_lines() -> logging.Formatter:
    renamed = {"levelname": "level", "name": "logger"}
    return JsonFormatter(
        "{levelname}{name}{message}", style="{", timestamp="time", rename_fields=renamed, json_ensure_ascii=False
    )
