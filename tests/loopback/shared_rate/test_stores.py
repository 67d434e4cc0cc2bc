"""The two places in which a rate is shared: what they answer, and what they say when they cannot."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import attrs
import pytest

from aihubmix_video import VideoSession
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.shared_rate.redis_slots import RedisSlots
from aihubmix_video.shared_rate.slot_store import StoreLostError
from aihubmix_video.shared_rate.slots import SlotRequest, SlotState, exchange
from aihubmix_video.shared_rate.sqlite_slots import SqliteSlots
from tests.loopback.redis_server import free_port, needs_redis, redis_server

if TYPE_CHECKING:
    from pathlib import Path


@needs_redis
async def test_the_script_in_redis_says_what_the_rule_says(tmp_path: Path):
    """Two languages for one rule would drift apart; random histories are given to both."""
    draw = random.Random(7)  # noqa: S311 - a history is no secret
    async with redis_server(tmp_path) as server:
        slots, state, now = RedisSlots(server.url, "a"), SlotState(), 1.7e9
        for _ in range(300):
            now += draw.choice((0.0, 0.01, 0.5, 30.0, -50.0))
            ask = SlotRequest(
                interval=draw.choice((0.02, 0.1)),
                burst=draw.randint(1, 4),
                slots=draw.randint(0, 1),
                spent=draw.choice((0, 0, 3)),
                worked=draw.choice((0, 2)),
                refused=draw.choice((None, None, 0.0, 0.2)),
                creates=draw.choice((0.0, 2.0)),
                followed=draw.choice((0.0, 1e9)),
            )
            state, expected = exchange(state, ask, now)
            assert attrs.astuple(expected) == pytest.approx(attrs.astuple(await slots.exchange(ask, now)), abs=1e-4)
        await slots.aclose()


async def test_accounts_in_one_file_do_not_share_a_rate(tmp_path: Path):
    """The gateway limits an account, so two of them have twice the rate."""
    ask = SlotRequest(interval=10.0)
    stores = [SqliteSlots(tmp_path / "rate.db", account) for account in ("a", "b", "a")]

    waits = [(await store.exchange(ask)).wait for store in stores]
    for store in stores:
        await store.aclose()

    assert waits[:2] == [0.0, 0.0]
    assert waits[2] > 9.0


async def test_a_file_that_is_not_a_database_is_a_lost_store(tmp_path: Path):
    """Its process goes on at its share, as without Redis."""
    (tmp_path / "rate.db").write_bytes(b"not a database" * 100)
    store = SqliteSlots(tmp_path / "rate.db", "a")

    with pytest.raises(StoreLostError, match="not a database"):
        await store.exchange(SlotRequest(interval=1.0))
    await store.aclose()


async def test_a_redis_that_is_not_there_is_a_lost_store_and_its_password_is_not_shown():
    """Messages end in logs."""
    store = RedisSlots(f"redis://user:hunter2@127.0.0.1:{free_port()}/0", "a")

    with pytest.raises(StoreLostError) as caught:
        await store.exchange(SlotRequest(interval=1.0))
    await store.aclose()

    assert "hunter2" not in f"{caught.value}{store.place}"


@pytest.mark.parametrize("place", ["memcached://host", "missing/rate.db", "", "redis://host:port/0"])
def test_a_place_that_cannot_be_used_is_refused_at_once(place: str):
    """It says what can be given."""
    with pytest.raises(ConfigurationError, match=r"rate_limit.*give"):
        VideoSession("sk-test", rate_limit=place)


def test_the_password_of_a_redis_is_in_no_repr():
    """Settings are printed when something goes wrong."""
    session = VideoSession("sk-test", rate_limit="redis://:hunter2@127.0.0.1/0")

    assert "hunter2" not in f"{session!r}{session._settings!r}"
