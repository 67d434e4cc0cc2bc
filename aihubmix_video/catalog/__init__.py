"""What the gateway's public model list says, beside the capability tables.

model_list    the answer of ``GET /api/v1/models?type=video``, decoded
live_prices   its prices, where they are per second or per video
drift         what differs from the tables
snapshot      Catalog, one answer with its source and age
"""

from __future__ import annotations

from aihubmix_video.catalog.drift import Difference, DriftKind
from aihubmix_video.catalog.model_list import LiveModel
from aihubmix_video.catalog.snapshot import Catalog

__all__ = ["Catalog", "Difference", "DriftKind", "LiveModel"]
