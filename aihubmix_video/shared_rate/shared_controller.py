"""What one process knows of the shared rate: the slot it holds, and what it has yet to tell the others.

It stands where the scheduler's own `RateController` stands. The scheduler says when it has something to send, and a slot is asked
for then. When the slot comes, the scheduler picks the request whose turn it is at that moment. A slot that nothing leaves in
lapses after one interval: used any later, it would let more requests into some window than the rate allows.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.scheduling.rate_control import RateController
from aihubmix_video.scheduling.rate_limit import RateLimit
from aihubmix_video.shared_rate.slots import SlotRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.scheduling.rate_control import Cooldown
    from aihubmix_video.shared_rate.slots import SlotReply

__all__ = ["SharedRateController"]

MIN_SLOT_SECONDS = 0.005  # seconds that a slot lasts at least, however short the interval


class SharedRateController(RateController):
    """The rate of a session that shares it with other processes.

    Args:
        rate_limit: The whole rate.
        fallback_share: What of it this process takes while the store cannot be reached.
        on_need: Called when there is something to ask or to tell.
    """

    def __init__(self, rate_limit: RateLimit, fallback_share: float, on_need: Callable[[], None]) -> None:
        super().__init__(rate_limit)
        self._fallback = RateLimit(rate_limit.interval / fallback_share)
        self._lifetime = max(rate_limit.interval, MIN_SLOT_SECONDS)
        self._on_need = on_need
        self._slot: float | None = None
        self._asked = False
        self._news: SlotRequest | None = None
        self._sent_at = -inf  # when the request left whose refusal is to be told
        self._pauses = (-inf, -inf)  # ends of the cool-downs to be told
        self._spent = self._worked = 0

    # What the scheduler asks.

    def opens_at(self, now: float) -> float:
        """Return the moment of the slot held; infinity without one."""
        return inf if self._slot is None or self._lapsed(now) else self._slot

    def wakes_from(self) -> float:
        """Return the slot's moment, infinity while one is asked for, and minus infinity when one is yet to be asked for."""
        if self._slot is not None:
            return self._slot
        return inf if self._asked else -inf

    def expects(self, at: float, now: float) -> None:
        """Ask for a slot if something could be sent now."""
        if self._slot is not None and self._lapsed(now):
            self._slot = None
        if self._slot is None and not self._asked and at <= now:
            self._asked = True
            self._on_need()

    def _lapsed(self, now: float) -> bool:
        return self._slot is not None and now > self._slot + self._lifetime

    def spend(self, now: float) -> None:
        """Use the slot; a request that left without one is told to the store with the next exchange."""
        if self._slot is not None and self._slot <= now:
            self._slot = None
        else:
            self._spent += 1
        self._fallback = attrs.evolve(self._fallback, arrival=now + self._fallback.interval)

    def worked(self, cooldown: Cooldown, now: float) -> None:
        """A good answer; while the rate is lowered, it lets that recover for all."""
        self._worked += self.rate_limit.share_at(now) < 1
        super().worked(cooldown, now)

    def refused(
        self, cooldown: Cooldown, retry_after: float | None, now: float, draw: float, *, sent_at: float
    ) -> None:
        """A request was refused for the rate: the others are told at once."""
        until, share = cooldown.until, self.rate_limit.share_at(now)
        super().refused(cooldown, retry_after, now, draw, sent_at=sent_at)
        if self.rate_limit.share_at(now) < share:
            self._sent_at = max(self._sent_at, sent_at)
        elif cooldown.until <= until:
            return
        creates, followed = self._pauses
        if cooldown is self.creates:
            self._pauses = (cooldown.until, followed)
        else:
            self._pauses = (creates, cooldown.until)
        self._on_need()

    # What the acquirer asks and tells.

    @property
    def has_news(self) -> bool:
        """Whether a slot is asked for, or a refusal is to be told."""
        return self._asked or self._pauses != (-inf, -inf)

    def take_request(self, now: float) -> SlotRequest:
        """Return what to ask and tell, once."""
        creates, followed = self._pauses
        ask = SlotRequest(
            interval=self.rate_limit.interval,
            burst=self.rate_limit.burst,
            slots=int(self._asked),
            spent=self._spent,
            worked=self._worked,
            refused=None if self._sent_at == -inf else now - self._sent_at,
            creates=max(creates - now, 0.0),
            followed=max(followed - now, 0.0),
        )
        self._spent = self._worked = 0
        self._sent_at, self._pauses = -inf, (-inf, -inf)
        return ask

    def granted(self, ask: SlotRequest, reply: SlotReply, now: float) -> None:
        """Take in the store's reply: a slot, and what other processes were refused."""
        if ask.slots:
            self._slot, self._asked = now + reply.wait, False
        for cooldown, seconds in ((self.creates, reply.creates), (self.followed, reply.followed)):
            if seconds > 0:
                cooldown.until = max(cooldown.until, now + seconds)
        self.rate_limit = attrs.evolve(self.rate_limit, share=reply.share, since=now)

    def grant_alone(self, now: float) -> None:
        """Give the slot that was asked for out of this process's own share of the rate."""
        if self._asked:
            lowered = attrs.evolve(self._fallback, share=self.rate_limit.share_at(now), since=now)
            self._slot, self._asked = max(lowered.opens_at(), now), False
            self._fallback = lowered.spend(self._slot)
