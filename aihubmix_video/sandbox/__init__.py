"""A local gateway that behaves like AIHubMix's video API, for tests, trials and benchmarks.

    async with Sandbox(speed=60) as sandbox:
        ...  # point any client at sandbox.url with sandbox.api_key

It imports nothing of the client but its errors: it is a second reading of the API's documentation, so that a mistake in one
is found by the other.
"""

from __future__ import annotations

import warnings

from aihubmix_video.sandbox.fault_script import FaultScript
from aihubmix_video.sandbox.faults import Fault
from aihubmix_video.sandbox.jobs import SandboxJob
from aihubmix_video.sandbox.request_log import LoggedRequest
from aihubmix_video.sandbox.server import Sandbox
from aihubmix_video.sandbox.vendors.vendor import Order

__all__ = ["Fault", "FaultScript", "LoggedRequest", "Order", "Sandbox", "SandboxJob"]

_RENAMED = {"Job": SandboxJob, "Logged": LoggedRequest}


def __getattr__(name: str) -> type:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = _RENAMED[name]
    said = f"aihubmix_video.sandbox.{name} is now called {new.__name__}; the old name goes with the next release"
    warnings.warn(said, DeprecationWarning, stacklevel=2)
    return new
