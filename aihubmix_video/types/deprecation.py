"""Old public names: they work for one release, and warn."""

from __future__ import annotations

import warnings

__all__ = ["warn_renamed"]


def warn_renamed(old: str, new: str) -> None:
    """Warn the caller's caller that *old* is now called *new*."""
    warnings.warn(
        f"{old} is now called {new}; the old name goes with the next release", DeprecationWarning, stacklevel=3
    )
