"""What may not be in the repository, and how its tests are written; each detector is also tried on small pieces."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"

# Pieces are joined here and below, so that this file itself is clean.
HOME = "/" + "home"

MACHINE_PATH = re.compile(
    rf"(?<![\w.~/-])/(?:work|root|tmp|mnt|opt/\w+)/\w|{HOME}/(?!user\b|me\b)\w|/Users/(?!me\b)\w|[A-Z]:\\Users\\\w"
)
REGISTRY = re.compile(
    r"(?:PIP|UV)_(?:EXTRA_)?(?:DEFAULT_)?INDEX|(?:^|[\s\"'-])(?:extra-)?index-url\b|\[\[tool\.uv\.index\]\]"
    r"|\b(?:artifac[t]ory|dev[p]i|jf[r]og|ne[x]us)[\w-]*\.[a-z]|pypi\.org/simple|files\.pythonhosted\.org|registry\.npmjs\.org",
    re.IGNORECASE,
)
KEY = re.compile(
    r"\bsk-(?:proj-)?(?P<tail>[A-Za-z0-9]{24,})|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{16,}"
)
DISTINCT_IN_A_REAL_KEY = 12  # sk-xxxxxxxx is plainly none

CLOCKS = {"time.sleep": "real", "asyncio.sleep": "virtual", "anyio.sleep": "virtual", "trio.sleep": "virtual"}
HARMLESS_PATCHES = {"setenv", "delenv", "chdir", "syspath_prepend", "context", "undo"}


def files() -> list[Path]:
    """Give every file that is, or is about to be, in the repository; without git, all but the hidden ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # whichever git there is
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [
            file for file in ROOT.rglob("*") if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
        ]
    return [file for file in found if file.is_file()]


def texts() -> Iterator[tuple[str, str]]:
    """Give name and text of every text file."""
    for file in files():
        data = file.read_bytes()
        if b"\0" not in data[:8192]:
            yield file.relative_to(ROOT).as_posix(), data.decode(errors="replace")


def python_tests() -> Iterator[tuple[str, ast.Module]]:
    """Give name and tree of every Python file of the tests."""
    for file in sorted(TESTS.rglob("*.py")):
        yield file.relative_to(TESTS).as_posix(), ast.parse(file.read_text("utf-8"))


def matches(pattern: re.Pattern[str], name: str, text: str) -> Iterator[str]:
    """Give where a pattern is found; of keys only those that could be real."""
    for found in pattern.finditer(text):
        tail = found.groupdict().get("tail")
        if tail is None or len(set(tail)) >= DISTINCT_IN_A_REAL_KEY:
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: {found[0][:12]}…"


def undocumented(name: str, tree: ast.Module) -> Iterator[str]:
    """Find tests that do not say why they must hold."""
    for node in ast.walk(tree):
        is_test = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
        if is_test and not ast.get_docstring(node):
            yield f"{name}:{node.lineno} {node.name}"


def origins(tree: ast.Module) -> dict[str, str]:
    """Give the full name of everything imported, by the name it has here."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Give every call with the full name of what is called, as far as imports tell it."""
    known = origins(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, _, rest = ast.unparse(node.func).partition(".")
            yield node, ".".join(filter(None, (known.get(first, first), rest)))


def sleeps(name: str, tree: ast.Module) -> Iterator[str]:
    """Find waiting by the clock: none but in `loopback`, or on virtual time in `virtual`; sleep(0) only yields."""
    for node, called in calls(tree):
        clock = CLOCKS.get(called)
        yields_only = clock == "virtual" and [ast.unparse(each) for each in node.args] == ["0"]
        folder = name.partition("/")[0]
        if clock and not yields_only and folder != "loopback" and not (folder == clock == "virtual"):
            yield f"{name}:{node.lineno} {called}"


def patches(name: str, tree: ast.Module) -> Iterator[str]:
    """Find mocks, and monkeypatch used on anything but the environment and other people's modules."""
    known = origins(tree)
    for where in known.values():
        if where.partition(".")[0] == "mock" or where.startswith("unittest.mock"):
            yield f"{name} imports {where}"
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield f"{name}:{node.lineno} asks for mocker"
    for node, called in calls(tree):
        owner, _, verb = called.rpartition(".")
        if owner.rpartition(".")[2] in {"monkeypatch", "patch"} and verb not in HARMLESS_PATCHES:
            target = ast.unparse(node.args[0]).strip("'\"").partition(".")[0] if node.args else ""
            if known.get(target, "aihubmix_video").partition(".")[0] == "aihubmix_video":
                yield f"{name}:{node.lineno} patches {target}"


@pytest.mark.parametrize(
    "pattern",
    [pytest.param(MACHINE_PATH, id="machine path"), pytest.param(REGISTRY, id="registry"), pytest.param(KEY, id="key")],
)
def test_nothing_private_is_in_the_repository(pattern: re.Pattern[str]):
    """A path, an internal host or a key, once published, stays in the history for ever."""
    assert [] == [found for name, text in texts() for found in matches(pattern, name, text)]


def test_every_test_says_why_it_must_hold():
    """The name says what, the docstring why; without it nobody dares to change the test."""
    assert [] == [found for name, tree in python_tests() for found in undocumented(name, tree)]


def test_tests_do_not_wait_by_the_clock():
    """A sleep is too short on a busy machine and too long on all others; wait for an event, or on virtual time."""
    assert [] == [found for name, tree in python_tests() for found in sleeps(name, tree)]


def test_our_own_code_is_not_patched():
    """A patched test passes while the product is broken; a fake belongs at a port."""
    assert [] == [found for name, tree in python_tests() for found in patches(name, tree)]


def test_the_files_are_found():
    """Detectors that look at nothing find nothing."""
    names = {name for name, _ in texts()}

    assert {"pyproject.toml", "README.md", "aihubmix_video/errors.py", "tests/test_repo.py"} <= names
    assert "test_repo.py" in {name for name, _ in python_tests()}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see /" + "work/x/notes"),
        (MACHINE_PATH, "cd '" + HOME + "/jane/src'"),
        (MACHINE_PATH, "/" + "Users/jane"),
        (MACHINE_PATH, "C:" + r"\Users\jane"),
        (MACHINE_PATH, "/" + "tmp/v/bin"),
        (REGISTRY, "pip install --index" + "-url https://x"),
        (REGISTRY, "PIP_" + "INDEX_URL=https://x"),
        (REGISTRY, "https://" + "nex" + "us.corp.test/pypi"),
        (REGISTRY, "https://pypi.org" + "/simple/"),
        (KEY, "sk-" + "aB3dE6gH9jK2mN5pQ8sT1vW4"),
        (KEY, "ghp_" + "a1" * 18),
        (KEY, "-----BEGIN RSA " + "PRIVATE KEY-----"),
    ],
)
def test_what_is_private_is_seen(pattern: re.Pattern[str], text: str):
    """Each pattern has to find what it is for."""
    assert 1 == len(list(matches(pattern, "x", f"\n{text}\n")))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "https://aihubmix.com/v1/videos, docs/work/x, /etc/passwd and " + HOME + "/user/cat.mp4"),
        (REGISTRY, "https://pypi.org/project/aihubmix-video and the index of a row"),
        (KEY, "sk-sandbox, sk-your-key-here, sk-" + "x" * 48),
    ],
)
def test_what_is_public_is_let_pass(pattern: re.Pattern[str], text: str):
    """Examples and documentation need addresses, paths and placeholders."""
    assert [] == list(matches(pattern, "x", text))


def test_an_undocumented_test_is_seen():
    """In classes and async too; helpers need none."""
    code = "def helper(): pass\ndef test_a():\n    'Why.'\nclass T:\n    async def test_b(self): pass\ndef test_c(): ''"

    assert ["x:5 test_b", "x:6 test_c"] == sorted(undocumented("x", ast.parse(code)))


@pytest.mark.parametrize(
    ("name", "code", "found"),
    [
        ("pure/test_x.py", "import time\ntime.sleep(1)", 1),
        ("pure/test_x.py", "from time import sleep as nap\nnap(1)", 1),
        ("pure/test_x.py", "import asyncio\nasyncio.sleep(0.01)", 1),
        ("conftest.py", "import anyio\nanyio.sleep(1)", 1),
        ("pure/test_x.py", "import asyncio\nasyncio.sleep(0)", 0),
        ("virtual/test_x.py", "import asyncio\nasyncio.sleep(90)", 0),
        ("virtual/test_x.py", "import time\ntime.sleep(1)", 1),
        ("loopback/test_x.py", "import time\ntime.sleep(1)", 0),
        ("pure/test_x.py", "clock.sleep(1)", 0),
    ],
)
def test_a_sleep_is_seen_where_it_is_real(name: str, code: str, found: int):
    """On virtual time a sleep costs nothing; with real sockets it may have to be."""
    assert found == len(list(sleeps(name, ast.parse(code))))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from unittest.mock import Mock", 1),
        ("import unittest.mock", 1),
        ("from unittest import mock", 1),
        ("def test_a(mocker): pass", 1),
        ("from aihubmix_video import transport\nmonkeypatch.setattr(transport, 'post', None)", 1),
        ("monkeypatch.setattr('aihubmix_video.http.client.post', None)", 1),
        ("monkeypatch.setattr(session.videos, 'create', None)", 1),
        ("import sys\nmonkeypatch.setattr(sys, 'argv', [])", 0),
        ("monkeypatch.setenv('AIHUBMIX_API_KEY', 'sk-x')", 0),
        ("import unittest", 0),
    ],
)
def test_a_patch_of_our_own_code_is_seen(code: str, found: int):
    """The environment and other people's modules may be set up; ours are given fakes."""
    assert found == len(list(patches("x", ast.parse(code))))


def test_each_fault_of_the_catalogue_names_tests_that_exist():
    """A promise whose test was renamed or deleted is a promise that nobody keeps."""
    written = {
        node.name
        for _, tree in python_tests()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    }
    rows = [line for line in (ROOT / "docs/faults.md").read_text("utf-8").splitlines() if line.count(" | ") >= 3]
    told = [(row, re.findall(r"`(test_\w+)`", row)) for row in rows if not row.startswith(("| | fault", "|---"))]
    assert 50 < len(told)
    assert [] == [row for row, names in told if not names]
    assert [] == [name for _, names in told for name in names if name not in written]
