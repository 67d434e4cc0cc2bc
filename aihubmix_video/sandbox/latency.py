"""How long the vendors take.

Times are log-normal around a median per model; longer and larger videos take longer, less than in proportion. Medians agree
with what is known of the vendors: one to five minutes for most, Kling one to three (AIHubMix video guide, updated 2026-06-01).
"""

from __future__ import annotations

from math import exp

SPREAD = 0.35
"""Standard deviation of the logarithm of a time; about two thirds lie within 0.7 to 1.4 times the median."""
USUAL_PIXELS = 1280 * 720
USUAL_SECONDS = 5


def generation_seconds(median: float, seconds: int, width: int, height: int, normal: float) -> float:
    """Draw a generation time in seconds; *normal* is a standard normal draw."""
    scale = (seconds / USUAL_SECONDS) ** 0.5 * (width * height / USUAL_PIXELS) ** 0.25
    return float(median * scale * exp(SPREAD * normal))


def queued_share(vendor_queues: bool, draw: float) -> float:  # noqa: FBT001  # a fact of the vendor, not a switch
    """Return which share of its time a job waits before it is worked on; *draw* is uniform in [0, 1).

    Sora's jobs always wait a little; of the others one in five is seen waiting (AIHubMix field observations, 2026-08).
    """
    if vendor_queues:
        return 0.03 + 0.12 * draw
    return 0.5 * draw if draw < 0.2 else 0.0
