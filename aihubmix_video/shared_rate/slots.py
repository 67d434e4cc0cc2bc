"""The shared rate as a rule: how a slot is given, and what a refusal anywhere does to all.

Theory: GCRA as in `scheduling.rate_limit`, but with reservation. Whoever asks gets the next free moment, now or later, and
`arrival` moves on by one step at once. So one exchange with the store is one slot, processes that all have work take turns, and
none of them has to ask again at the moment for which the others wait as well. A slot belongs to a process and not to a request:
which request leaves in it is decided when it comes.

Moments are Unix seconds on the store's clock, so the clocks of the hosts do not matter. What lies implausibly far ahead was
written before that clock was set back, and is cut.
"""

from __future__ import annotations

import attrs

from aihubmix_video.scheduling.rate_limit import DROP_FACTOR, MIN_RATE_SHARE, RECOVERY_SECONDS

__all__ = ["MAX_COOL_SECONDS", "MAX_STEPS_AHEAD", "SlotReply", "SlotRequest", "SlotState", "exchange"]

MAX_STEPS_AHEAD = 2000  # slots that may be given away ahead of time: more processes than one account is shared by
MAX_COOL_SECONDS = 86400.0  # seconds; no gateway's wait that is obeyed is longer


@attrs.frozen
class SlotState:
    """What all processes share.

    Attributes:
        arrival: Moment at which the next request would leave if all were evenly spaced.
        share: Of the rate, what was left of it at `since`.
        since: When it was lowered last, or will begin to recover.
        refused_at: When a refusal was last news.
        creates: End of the cool-down of creates.
        followed: End of the cool-down of requests about bought jobs.
    """

    arrival: float = 0.0
    share: float = 1.0
    since: float = 0.0
    refused_at: float = 0.0
    creates: float = 0.0
    followed: float = 0.0


@attrs.frozen(kw_only=True)
class SlotRequest:
    """What one process asks and tells.

    Attributes:
        interval: Seconds between requests, when the rate is not lowered.
        burst: Requests that may leave back to back.
        slots: 1 to ask for a slot, 0 to tell only.
        spent: Requests that left without a slot, such as redirects.
        worked: Good answers since the last exchange; they let a lowered rate recover.
        refused: Seconds since the request left whose refusal is to lower the rate; None when nothing is to.
        creates: Seconds that creates are to pause.
        followed: Seconds that requests about bought jobs are to pause.
    """

    interval: float
    burst: int = 1
    slots: int = 1
    spent: int = 0
    worked: int = 0
    refused: float | None = None
    creates: float = 0.0
    followed: float = 0.0


@attrs.frozen
class SlotReply:
    """What the store answers.

    Attributes:
        wait: Seconds until the slot; 0 where none was asked for.
        share: Of the rate, what is in force.
        creates: Seconds that creates still pause.
        followed: Seconds that requests about bought jobs still pause.
    """

    wait: float
    share: float
    creates: float
    followed: float


def exchange(state: SlotState, ask: SlotRequest, now: float) -> tuple[SlotState, SlotReply]:
    """Return the state after one exchange, and its reply; `redis_slots` says the same in Lua."""
    furthest = now + MAX_COOL_SECONDS
    creates = max(min(state.creates, furthest), now + ask.creates)
    followed = max(min(state.followed, furthest), now + ask.followed)
    since, refused_at = min(state.since, furthest), min(state.refused_at, now)
    share = min(state.share + max(now - since, 0.0) / RECOVERY_SECONDS + ask.worked / RECOVERY_SECONDS, 1.0)
    since = max(since, now)
    if ask.refused is not None and now - ask.refused > refused_at:  # else it had left before the last one was known
        share, refused_at = max(share * DROP_FACTOR, MIN_RATE_SHARE), now
        since = max(now, creates if ask.creates else now, followed if ask.followed else now)
    step = ask.interval / share
    arrival = min(state.arrival, now + MAX_STEPS_AHEAD * step)
    if ask.spent:
        arrival = max(arrival, now) + ask.spent * step
    wait = 0.0
    if ask.slots:
        slot = max(arrival - (ask.burst - 1) * ask.interval, now)
        arrival = max(arrival, slot) + step
        wait = slot - now
    reply = SlotReply(wait, share, creates - now, followed - now)
    return SlotState(arrival, share, since, refused_at, creates, followed), reply
