"""How long to wait after failures: exponential, capped, with full jitter."""

from __future__ import annotations

import attrs

__all__ = ["Backoff"]

LARGEST_EXPONENT = 60  # 2.0 ** 1024 overflows; long before that the cap decides


@attrs.frozen(kw_only=True)
class Backoff:
    """A retry policy.

    Attributes:
        attempts: Tries in all, the first included; None for no limit. 0 and 1 both mean: never again.
        first: Seconds before the first retry, at most.
        cap: Seconds between tries, at most.
    """

    attempts: int | None = None
    first: float = 1.0
    cap: float = 60.0

    def delay(self, failures: int, draw: float) -> float | None:
        """Say how long to wait after *failures* >= 1 failed tries.

        Args:
            failures: Failed tries so far.
            draw: A random number, 0 <= draw < 1. Half of the wait is drawn, so that many jobs that failed
                together neither return together nor at once.

        Returns:
            Seconds, or None to give up.
        """
        if self.attempts is not None and failures >= self.attempts:
            return None
        return min(self.cap, self.first * 2.0 ** min(failures - 1, LARGEST_EXPONENT)) * (0.5 + draw / 2)
