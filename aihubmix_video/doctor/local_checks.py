"""Verdicts on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aihubmix_video.doctor.finding import Finding, Level
from aihubmix_video.errors import LedgerInUse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.errors import VideoError

__all__ = [
    "judge_descriptors",
    "judge_disk",
    "judge_extras",
    "judge_ledger",
    "judge_proxy",
    "judge_settings",
    "judge_versions",
]

GIGABYTE = 1e9
SCARCE_BYTES, LOW_BYTES = 200e6, 2 * GIGABYTE
"""A 4k video of a minute has some 100 MB; below the first not even two of them have room."""
FEW_DESCRIPTORS = 512


def judge_versions(python: str, versions: Mapping[str, str]) -> Finding:
    """Say which versions are installed; what is too old is refused when the package is imported."""
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Finding(check="versions", level=Level.OK, text=f"Python {python}, {listed}")


def judge_extras(present: Mapping[str, bool]) -> Finding:
    """Say which extras can be used; none is needed."""
    absent = [name for name, there in present.items() if not there]
    there = [name for name, is_there in present.items() if is_there]
    text = f"installed: {', '.join(there) or 'none'}; absent: {', '.join(absent) or 'none'}"
    advice = f"pip install 'aihubmix-video[{','.join(absent)}]' adds what is absent" if absent else ""
    return Finding(check="extras", level=Level.OK, text=text, advice=advice)


def judge_settings(error: VideoError | None, base_url: str) -> Finding:
    """Judge the form of the key and of the base URL, as the session does."""
    if error is not None:
        advice = "set AIHUBMIX_API_KEY and AIHUBMIX_BASE_URL, or their options"
        return Finding(check="settings", level=Level.PROBLEM, text=error.message, advice=advice)
    return Finding(check="settings", level=Level.OK, text=f"the key has a possible form; the gateway is {base_url}")


def judge_proxy(proxy: str | None) -> Finding:
    """Say whether requests take a proxy; its credentials are not shown."""
    if proxy is None:
        return Finding(check="proxy", level=Level.OK, text="none; requests go straight to the gateway")
    parts = urlsplit(proxy)
    port = "" if parts.port is None else f":{parts.port}"
    return Finding(check="proxy", level=Level.OK, text=f"requests go by way of {parts.scheme}://{parts.hostname}{port}")


def judge_disk(folder: str, *, free: int | None, fault: str | None) -> Finding:
    """Judge the folder for videos.

    Args:
        folder: Its path.
        free: Bytes that may be written; None where it is not known.
        fault: Why no file can be made there; None if one could.
    """
    if fault is not None:
        advice = "choose another folder with -o"
        return Finding(check="disk", level=Level.PROBLEM, text=f"{folder}: no file can be made: {fault}", advice=advice)
    if free is None:
        return Finding(check="disk", level=Level.WARNING, text=f"{folder}: the free space is not known")
    text = f"{folder}: {free / GIGABYTE:.1f} GB free"
    if free >= LOW_BYTES:
        return Finding(check="disk", level=Level.OK, text=text)
    level = Level.PROBLEM if free < SCARCE_BYTES else Level.WARNING
    return Finding(
        check="disk", level=level, text=text, advice="make room: a video has 1 to 2 MB per second, and 4k more"
    )


def judge_descriptors(limit: int | None) -> Finding:
    """Judge how many files and connections the process may have open; None for any number."""
    text = "no limit" if limit is None else f"{limit} files and connections may be open"
    if limit is None or limit >= FEW_DESCRIPTORS:
        return Finding(check="descriptors", level=Level.OK, text=text)
    return Finding(
        check="descriptors",
        level=Level.WARNING,
        text=text,
        advice="`ulimit -n 4096` lets more requests be sent at once",
    )


def judge_ledger(path: str, outcome: Mapping[str, int] | VideoError | None) -> Finding:
    """Judge a ledger.

    Args:
        path: Where it is.
        outcome: How many jobs are in each state, or why it cannot be read; None if there is none.
    """
    if outcome is None:
        return Finding(check="ledger", level=Level.SKIPPED, text=f"{path}: there is none yet")
    if isinstance(outcome, LedgerInUse):
        return Finding(check="ledger", level=Level.OK, text=f"{path}: another process is working with it")
    if not isinstance(outcome, dict):
        text = getattr(outcome, "message", "cannot be read")
        return Finding(
            check="ledger", level=Level.PROBLEM, text=f"{path}: {text}", advice="keep the file, and copy it first"
        )
    listed = ", ".join(f"{number} {state}" for state, number in outcome.items() if number) or "no jobs"
    if uncertain := outcome.get("uncertain", 0):
        advice = "`aihubmix-video resume` names them, and takes a decision with --attach, --resubmit or --drop"
        text = f"{path}: {listed}; {uncertain} may have been bought"
        return Finding(check="ledger", level=Level.WARNING, text=text, advice=advice)
    return Finding(check="ledger", level=Level.OK, text=f"{path}: {listed}")
