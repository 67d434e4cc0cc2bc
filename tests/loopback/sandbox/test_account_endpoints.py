"""What the sandbox tells beside videos."""

from __future__ import annotations

import aiohttp
import pytest

from aihubmix_video import list_capabilities
from aihubmix_video.errors import ConfigurationError
from aihubmix_video.sandbox import Sandbox
from tests.loopback.sandboxes import NOW, client, create


async def test_models_are_listed_without_a_key():
    """Both lists are public, so neither tells whether a key is good."""
    async with Sandbox() as sandbox, aiohttp.ClientSession(f"{sandbox.url}/") as session:
        async with session.get("v1/models") as answer:
            ids = [model["id"] for model in (await answer.json())["data"]]
        async with session.get("api/v1/models", params={"type": "video"}) as answer:
            rows = await answer.json()
            assert "max-age=300" == answer.headers["Cache-Control"]
        async with session.get("api/v1/models", params={"type": "llm"}) as answer:
            others = await answer.json()

        assert "sora-2" in ids
        assert (True, ids) == (rows["success"], [row["model_id"] for row in rows["data"]])
        assert [] == others["data"]


async def test_the_balance_falls_with_every_job_and_needs_the_key():
    """One job costs a dollar there."""
    async with Sandbox(balance=3, **NOW) as sandbox, client(sandbox) as session:
        await create(session)
        told = {}
        for name in ("subscription", "usage", "remain"):
            async with session.get(f"v1/dashboard/billing/{name}") as answer:
                told[name] = await answer.json()
        async with session.get("dashboard/billing/remain", headers={"Authorization": "Bearer sk-x"}) as answer:
            refused = answer.status

        assert (3.0, 100.0, 2.0) == (
            told["subscription"]["hard_limit_usd"],
            told["usage"]["total_usage"],
            told["remain"]["total_usage"],
        )
        assert 401 == refused


def test_an_unknown_profile_is_refused():
    """With those there are."""
    with pytest.raises(ConfigurationError, match="page, field"):
        Sandbox(profile="real")  # type: ignore[arg-type]  # on purpose


async def test_the_model_list_agrees_with_the_tables_about_inputs():
    """Two readings of the page that differ would be a mistake in one of them."""
    async with Sandbox() as sandbox, aiohttp.ClientSession(f"{sandbox.url}/") as session:
        async with session.get("api/v1/models") as answer:
            rows = (await answer.json())["data"]
        told = {row["model_id"]: "image" in row["input_modalities"] for row in rows}
        tables = {each.model: bool(each.images or each.content) for each in list_capabilities()}

        assert tables == told
