"""Whether everything that a purchase needs is in order.

finding          one line of the report
local_checks     this machine: versions, extras, disk, descriptors
gateway_checks   the gateway: reachability, clock, key, balance, model list
examination      the edge: looks, and hands what it saw to the two above
orders           what a contract run buys, under its cap
contract_run     the edge: buys it, and records what the gateway answers
transcript       what was exchanged, scrubbed, as a value
claims           what is assumed of the gateway, and what a transcript says of it

All verdicts are pure functions of what was seen.
"""

from __future__ import annotations

from aihubmix_video.doctor.finding import Finding, Level

__all__ = ["Finding", "Level"]
