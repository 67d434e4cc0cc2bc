"""What a command loads before it does anything: a user waits for that each time."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"aiohttp", "cattrs", "sqlite3", "aihubmix_video.session.session", "aihubmix_video.sandbox.server"}
RUN = "from aihubmix_video.cli.main import run; sys.stdout, out = open(__import__('os').devnull, 'w'), sys.stdout\ntry: run({})\nexcept SystemExit: pass\nsys.stdout = out"


def loaded(statement: str) -> set[str]:
    """Return the modules that a new interpreter holds after a statement."""
    program = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own interpreter
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["models"], ["models", "sora-2"], ["models", "--json"]]
)
def test_what_needs_no_session_loads_none(arguments: list[str]):
    """The HTTP library alone takes as long to load as these commands should."""
    assert set() == HEAVY & loaded(RUN.format(arguments))


def test_the_package_loads_only_what_is_used():
    """A program that builds requests, or reads the tables, does not wait for the rest."""
    assert set() == HEAVY & loaded("import aihubmix_video")
    assert set() == HEAVY & loaded("from aihubmix_video import VideoRequest, find_capability, errors")
    assert "aihubmix_video.session.session" in loaded("from aihubmix_video import VideoSession")
