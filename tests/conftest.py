"""What holds for every test."""

from __future__ import annotations

import asyncio

from hypothesis import settings

# On Python 3.11 pytest-asyncio makes a loop in the main thread to remember it, and never closes it; whichever test runs
# when it is collected would fail. Saying that there is none keeps it from being made.
asyncio.set_event_loop(None)

# No assertion on elapsed time: the machine may be busy.
settings.register_profile("any pace", deadline=None)
settings.load_profile("any pace")
