"""litellm and openai-node as they are, against the sandbox, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aihubmix_video.sandbox import Sandbox
from tests.loopback.clients.test_openai_python import FILM, PNG

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
CHILD = HERE.parent / "children" / "litellm_client.py"
OFFLINE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
SLOW = pytest.mark.timeout(240)  # an import of some seconds, or an installation


async def said(*command: str | Path, folder: Path, more: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Run a client, and return the JSON of its last line."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env={**os.environ, **(more or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, trouble = await process.communicate()
    assert 0 == process.returncode, trouble.decode()[-2000:]
    return json.loads(out.splitlines()[-1])


@SLOW
@pytest.mark.skipif(find_spec("litellm") is None, reason="litellm is not installed: uv run --group clients pytest")
async def test_litellm_creates_waits_and_downloads(tmp_path: Path):
    """Its creates are multipart forms too."""
    async with Sandbox(speed=1000, generation=100.0, content=FILM) as sandbox:
        found = await said(sys.executable, CHILD, sandbox.url, sandbox.api_key, folder=tmp_path, more=OFFLINE)

        assert {"created": "queued", "status": "completed", "bytes": len(FILM)} == found
        assert 1 == sandbox.billed


@SLOW
@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="node and npm are not installed")
async def test_openai_node_creates_waits_downloads_lists_and_deletes(tmp_path: Path):
    """Installed from its registry, in a folder of its own."""
    shutil.copy(HERE / "openai_node.mjs", tmp_path)
    (tmp_path / "package.json").write_text('{"private": true}', encoding="utf-8")
    (tmp_path / "a.png").write_bytes(PNG)
    install = await asyncio.create_subprocess_exec(
        *("npm", "install", "--no-audit", "--no-fund", "--silent", "openai"), cwd=tmp_path
    )
    if await install.wait():
        pytest.skip("openai-node cannot be installed: the registry is not reachable")
    async with Sandbox(speed=1000, generation=100.0, content=FILM) as sandbox:
        found = await said("node", "openai_node.mjs", sandbox.url, sandbox.api_key, tmp_path / "a.png", folder=tmp_path)

        assert {"created": "queued", "status": "completed", "bytes": len(FILM)}.items() <= found.items()
        assert {"listed": 2, "withFile": "sora-2", "deleted": True}.items() <= found.items()
        assert 2 == sandbox.billed
