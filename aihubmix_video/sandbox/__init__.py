"""A local gateway that behaves like AIHubMix's video API, for tests, trials and benchmarks.

    async with Sandbox(speed=60) as sandbox:
        ...  # point any client at sandbox.url with sandbox.api_key

It imports nothing of the client but its errors: it is a second reading of the API's documentation, so that a mistake in one
is found by the other.
"""

from __future__ import annotations

from aihubmix_video.sandbox.fault_script import FaultScript
from aihubmix_video.sandbox.faults import Fault
from aihubmix_video.sandbox.jobs import Job
from aihubmix_video.sandbox.request_log import Logged
from aihubmix_video.sandbox.server import Sandbox
from aihubmix_video.sandbox.vendors.vendor import Order

__all__ = ["Fault", "FaultScript", "Job", "Logged", "Order", "Sandbox"]
