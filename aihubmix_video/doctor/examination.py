"""The edge of the doctor: looks at the machine and asks the gateway, and hands what it saw to the pure checks."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import shutil
import tempfile
import time
from contextlib import aclosing
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from aihubmix_video.catalog import Catalog
from aihubmix_video.catalog.model_list import LIST_PATH
from aihubmix_video.doctor import gateway_checks, local_checks
from aihubmix_video.doctor.gateway_checks import BALANCE_PATH, PROBE_ID
from aihubmix_video.errors import LedgerError, VideoError
from aihubmix_video.ledger.sqlite_ledger import SqliteLedger
from aihubmix_video.protocol.error_mapping import refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from aihubmix_video.doctor.finding import Finding
    from aihubmix_video.protocol.response import Response
    from aihubmix_video.session.session import VideoSession

__all__ = ["examine_gateway", "examine_machine"]

PACKAGES = ("aihubmix-video", "aiohttp", "attrs", "cattrs", "anyio", "aiofiles")
EXTRAS = {
    "cli": "cyclopts",
    "cloud": "obstore",
    "fastapi": "fastapi",
    "media": "av",
    "otel": "opentelemetry",
    "redis": "redis",
    "speed": "uvloop",
    "temporal": "temporalio",
    "toml": "tomli_w",
}
"""Each extra by a module that comes with it."""


async def examine_machine(folder: Path, ledger: Path) -> AsyncIterator[Finding]:
    """Yield what there is to say of this machine.

    Args:
        folder: Where videos would be saved.
        ledger: Where the ledger would be.
    """
    yield local_checks.judge_versions(platform.python_version(), dict(_versions()))
    yield local_checks.judge_extras({extra: find_spec(module) is not None for extra, module in EXTRAS.items()})
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield local_checks.judge_descriptors(None if soft == resource.RLIM_INFINITY else soft)
    free, fault = await to_thread.run_sync(_room_in, folder)
    yield local_checks.judge_disk(str(folder), free=free, fault=fault)
    yield local_checks.judge_ledger(str(ledger), await _ledger_state(ledger))


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "(not installed as a package)"


def _room_in(folder: Path) -> tuple[int | None, str | None]:
    """Return the free bytes, and why no file can be made; of a folder that does not exist, those of the nearest above it."""
    place = next((each for each in (folder, *folder.absolute().parents) if each.is_dir()), Path("/"))
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0")
            os.fsync(file.fileno())
        return shutil.disk_usage(place).free, None
    except OSError as error:
        return None, error.strerror or str(error)


async def _ledger_state(path: Path) -> Mapping[str, int] | VideoError | None:
    if not await to_thread.run_sync(path.is_file):
        return None
    try:
        async with aclosing(await SqliteLedger.open(path)) as ledger:
            return {str(state): number for state, number in (await ledger.counts()).items()}
    except LedgerError as error:
        return error


async def examine_gateway(session: VideoSession) -> AsyncIterator[Finding]:
    """Yield what there is to say of the gateway; three GETs at most are sent, and nothing is bought."""
    clock = asyncio.get_running_loop().time
    began = clock()
    listed = await _answer(session, LIST_PATH, with_key=False)
    reach = gateway_checks.judge_reach(listed, clock() - began)
    yield reach
    yield gateway_checks.judge_clock(listed, time.time())
    yield gateway_checks.judge_list(_catalog(listed))
    balance = await _answer(session, BALANCE_PATH)
    told = gateway_checks.balance_of(balance) is not None
    probe = None if told else await _answer(session, f"/v1/videos/{PROBE_ID}")
    yield gateway_checks.judge_key(balance, probe)
    yield gateway_checks.judge_balance(balance)


async def _answer(session: VideoSession, path: str, *, with_key: bool = True) -> Response | VideoError:
    try:
        return await session.gateway.get(path, with_key=with_key)
    except VideoError as error:
        return error


def _catalog(listed: Response | VideoError) -> Catalog | VideoError:
    if isinstance(listed, VideoError):
        return listed
    if not listed.ok:
        return refusal(listed)
    try:
        return Catalog.decode(listed.body, source=LIST_PATH, read_at=time.time())
    except VideoError as error:
        return error
