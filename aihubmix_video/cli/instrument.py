"""Telemetry of the commands: where an OpenTelemetry SDK was loaded before them, as by ``opentelemetry-instrument``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from aihubmix_video.telemetry import observe_session

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from aihubmix_video.session.session import VideoSession

__all__ = ["instrument"]


def instrument(session: VideoSession) -> AbstractContextManager[None]:
    """Return the context in which a session's jobs are told to an SDK; without one it loads and does nothing."""
    return observe_session(session) if "opentelemetry.sdk" in sys.modules else nullcontext()
