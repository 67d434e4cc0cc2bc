"""strace: sees the system calls of a process in their order, and makes them fail or kill."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest

__all__ = ["can_trace", "needs_strace", "traced"]


@cache
def can_trace() -> bool:
    """Say whether there is an strace that may trace, and change what a system call returns."""
    probe = ["strace", "-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", sys.executable, "-c", "pass"]
    try:
        return subprocess.run(probe, capture_output=True, check=False, timeout=30).returncode == 0  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return False


needs_strace = pytest.mark.skipif(not can_trace(), reason="needs strace (apt-get install strace) and leave to trace")


def traced(*options: str, output: str = "/dev/null") -> tuple[str, ...]:
    """Give the beginning of a command line that runs a program under strace with all of its threads."""
    return ("strace", "-f", "-qqq", "-o", output, *options)
