"""The port behind which the shared rate is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aihubmix_video.shared_rate.slots import SlotReply, SlotRequest

__all__ = ["SlotStore", "StoreLostError"]


class StoreLostError(Exception):
    """The store did not answer; its text says what happened and holds no credentials."""


class SlotStore(Protocol):
    """Carries out `slots.exchange` on a state that all processes share, one exchange at a time.

    Attributes:
        place: Where it is, in words for a log.
    """

    place: str

    async def exchange(self, ask: SlotRequest) -> SlotReply:
        """Exchange once; raises `StoreLostError`."""
        ...

    async def aclose(self) -> None:
        """Let go of it."""
