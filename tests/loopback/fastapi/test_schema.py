"""The OpenAPI schema is true: what Schemathesis asks by it is answered as it says."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.servers import CAT, application, client_of, settled
from tests.loopback.sessions import AT_ONCE

if TYPE_CHECKING:
    import httpx

pytest.importorskip("schemathesis")

EXCLUDED = {
    "positive_data_acceptance": "which values a model takes is not in the schema, but in the capability tables",
    "allow_header_conformance": "Starlette lists in Allow only the methods of the first route with the path",
}
ENDLESS = "/videos/events"


async def schemathesis(url: str, folder: Path, known: Path | None = None) -> None:
    """Run Schemathesis as a process of its own, and fail if it found anything.

    Args:
        url: Of the application.
        folder: Where it may write.
        known: Its configuration with values of parameters to use; then nothing is deleted.
    """
    program = Path(sys.executable).with_name("schemathesis")
    given = () if known is None else ("--config-file", str(known))
    kept = () if known is None else ("--exclude-method", "DELETE", "--phases", "coverage,fuzzing")
    child = await asyncio.create_subprocess_exec(
        *(str(program), *given, "run", f"{url}/openapi.json", "--exclude-path", ENDLESS, *kept),
        *("--max-examples", "15", "--seed", "20261125", "--no-color", "--exclude-checks", ",".join(EXCLUDED)),
        cwd=folder,
        env=os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "examples")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await child.communicate())[0].decode()
    assert 0 == child.returncode, printed


async def saved(client: httpx.AsyncClient) -> str:
    """Buy a video, and give its key once it is saved."""
    path = (await client.post("/videos/", json=CAT)).headers["Location"]
    await settled(client, path)
    return path.rpartition("/")[2]


@pytest.mark.timeout(180)
async def test_the_schema_describes_what_the_routes_do(tmp_path: Path):
    """Clients are generated from it. Asked for what there is, and for what there is not."""
    async with Sandbox(**AT_ONCE) as sandbox:
        async with client_of(application(sandbox, tmp_path, ledger=tmp_path / "a.db")) as client:
            url = str(client.base_url)
            await schemathesis(url, tmp_path)
            known = tmp_path / "known.toml"
            known.write_text(f'[parameters]\n"path.key" = "{await saved(client)}"\n')
            await schemathesis(url, tmp_path, known)
        assert sandbox.billed >= 2


async def test_the_schema_has_every_route_and_their_problems(tmp_path: Path):
    """Written down once more, so that a route cannot vanish from it unseen."""
    async with Sandbox(**AT_ONCE) as sandbox, client_of(application(sandbox, tmp_path)) as client:
        schema = (await client.get("/openapi.json")).json()
    assert {
        "/videos/": {"get", "post"},
        "/videos/events": {"get"},
        "/videos/{key}": {"get", "delete"},
        "/videos/{key}/events": {"get"},
        "/videos/{key}/content": {"get", "head"},
    } == {path: set(routes) for path, routes in schema["paths"].items()}
    for routes in schema["paths"].values():
        for route in routes.values():
            for status, said in route["responses"].items():
                assert (int(status) >= 400) == (["application/problem+json"] == list(said.get("content", {})))
