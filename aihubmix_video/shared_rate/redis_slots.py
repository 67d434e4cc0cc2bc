"""The shared rate in Redis, for processes on any number of hosts.

One script is one exchange: Redis runs it whole, by its own clock, in one round trip. The script says in Lua what
`slots.exchange` says in Python; a test feeds both the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.scheduling.rate_limit import DROP_FACTOR, MIN_RATE_SHARE, RECOVERY_SECONDS
from aihubmix_video.shared_rate.slot_store import StoreLostError
from aihubmix_video.shared_rate.slots import MAX_COOL_SECONDS, MAX_STEPS_AHEAD, SlotReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aihubmix_video.shared_rate.slots import SlotRequest

__all__ = ["RedisSlots"]

ANSWER_SECONDS = 0.4  # seconds until a Redis that does not answer is taken for lost
KEPT_SECONDS = 2 * MAX_COOL_SECONDS  # seconds after the last exchange until Redis forgets an account
NOT_REFUSED = -1.0

SCRIPT = f"""
local interval, burst, slots, spent = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local worked, refused = tonumber(ARGV[5]), tonumber(ARGV[6])
local pause_creates, pause_followed = tonumber(ARGV[7]), tonumber(ARGV[8])
local now
if ARGV[9] then
    now = tonumber(ARGV[9])
else
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local names = {{'arrival', 'share', 'since', 'refused_at', 'creates', 'followed'}}
local stored = redis.call('HMGET', KEYS[1], unpack(names))
local function field(place, default) return tonumber(stored[place] or default) end
local furthest = now + {MAX_COOL_SECONDS}
local creates = math.max(math.min(field(5, 0), furthest), now + pause_creates)
local followed = math.max(math.min(field(6, 0), furthest), now + pause_followed)
local since, refused_at = math.min(field(3, 0), furthest), math.min(field(4, 0), now)
local recovered = (math.max(now - since, 0) + worked) / {RECOVERY_SECONDS}
local share = math.min(field(2, 1) + recovered, 1)
since = math.max(since, now)
if refused >= 0 and now - refused > refused_at then
    share, refused_at, since = math.max(share * {DROP_FACTOR}, {MIN_RATE_SHARE}), now, now
    if pause_creates > 0 then since = math.max(since, creates) end
    if pause_followed > 0 then since = math.max(since, followed) end
end
local step = interval / share
local arrival = math.min(field(1, 0), now + {MAX_STEPS_AHEAD} * step)
if spent > 0 then arrival = math.max(arrival, now) + spent * step end
local wait = 0
if slots > 0 then
    local slot = math.max(arrival - (burst - 1) * interval, now)
    arrival = math.max(arrival, slot) + step
    wait = slot - now
end
local values, write = {{arrival, share, since, refused_at, creates, followed}}, {{}}
for place, name in ipairs(names) do
    write[#write + 1] = name
    write[#write + 1] = string.format('%.9f', values[place])
end
redis.call('HSET', KEYS[1], unpack(write))
redis.call('EXPIRE', KEYS[1], {KEPT_SECONDS:.0f})
local reply = {{}}
for place, value in ipairs({{wait, share, creates - now, followed - now}}) do
    reply[place] = string.format('%.9f', value)
end
return reply
"""


class RedisSlots:
    """A `SlotStore` in one Redis.

    Args:
        url: ``redis://`` or ``rediss://``; it may hold credentials, which no message shows.
        account: Whose rate it is; each account has its own.

    Raises:
        ConfigurationError: The extra `redis` is not installed, or the URL cannot be used.
    """

    def __init__(self, url: str, account: str) -> None:
        try:
            from redis.asyncio import Redis  # noqa: PLC0415 - optional
            from redis.asyncio.retry import Retry  # noqa: PLC0415 - optional
            from redis.backoff import NoBackoff  # noqa: PLC0415 - optional
            from redis.exceptions import RedisError  # noqa: PLC0415 - optional
        except ImportError:
            raise ConfigurationError(
                'rate_limit="redis://…" needs the extra `redis`: pip install "aihubmix-video[redis]".'
            ) from None
        self._lost = (RedisError, OSError, TimeoutError)
        try:
            parts = urlsplit(url)
            self.place = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}"
            self._redis = Redis.from_url(
                url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
        except ValueError:
            raise ConfigurationError(
                "rate_limit: the Redis URL cannot be read; give one such as redis://host:6379/0."
            ) from None
        self._script = self._redis.register_script(SCRIPT)
        self._key = f"aihubmix-video:rate:{account}"

    async def exchange(self, ask: SlotRequest, now: float | None = None) -> SlotReply:
        """Exchange once.

        Args:
            ask: What to ask and tell.
            now: Unix seconds to take in place of Redis's own clock; for tests.

        Raises:
            StoreLostError: Redis cannot be reached, does not answer in time, or refuses the script.
        """
        refused = NOT_REFUSED if ask.refused is None else ask.refused
        numbers = [ask.interval, ask.burst, ask.slots, ask.spent, ask.worked, refused, ask.creates, ask.followed]
        try:
            reply: Sequence[str] = await self._script(
                keys=[self._key], args=numbers if now is None else [*numbers, now]
            )
        except self._lost as error:
            raise StoreLostError(type(error).__name__) from None
        wait, share, creates, followed = map(float, reply)
        return SlotReply(wait, share, creates, followed)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
