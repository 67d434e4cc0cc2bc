"""What each vendor takes and refuses, read from the AIHubMix video guide (updated 2026-06-01).

A second reading, on purpose: nothing here is shared with the tables and encoders of the client, so that a test against the
sandbox finds a mistake in either.
"""

from __future__ import annotations

from aihubmix_video.sandbox.vendors import jimeng, kling, seedance, sora, veo, wan

VENDORS = (sora.VENDOR, veo.VENDOR, wan.VENDOR, jimeng.VENDOR, seedance.VENDOR, kling.VENDOR)
BY_MODEL = {model: vendor for vendor in VENDORS for model in vendor.models}
