"""The walls between the layers, checked on the source itself; each detector is also tried on a small piece of code."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = Path(__file__).parents[1] / "aihubmix_video"

LAYERS = {
    "values": ("errors", "_requirements", "types"),
    "rules": (
        *("references", "capabilities", "protocol", "polling", "scheduling"),
        *("pricing", "catalog", "output", "batch_file", "web"),
    ),
    "edges": ("settings", "storage", "cloud", "download", "http", "ledger", "shared_rate"),
    "assembly": ("session",),
    "features": ("gallery", "telemetry", "doctor"),
    "fronts": ("temporal", "fastapi", "openai_front", "board", "cli"),
}
"""Every folder is of one layer. What stands earlier may be imported by what stands later, never the other way round."""
ORDER = {folder: place for place, folder in enumerate(chain.from_iterable(LAYERS.values()))}

PURE = {*LAYERS["values"], *LAYERS["rules"], "doctor"}
PURE_BUT = {
    "doctor.contract_run": "it is the edge of its folder, too",
    "doctor.examination": "it is the edge of its folder; every verdict is made beside it",
    "capabilities.table_file": "it reads and writes the files of tables that users name",
    "web.asset_files": "it reads the package's own files, which are as constant as its code",
}
IMPURE_MODULES = {
    *("aiofiles", "aiohttp", "anyio", "asyncio", "concurrent", "httpx", "multiprocessing", "os", "random", "secrets"),
    *("select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time", "uuid"),
}
FRAMEWORKS = {"cyclopts", "fastapi", "pydantic", "rich", "starlette", "typing_extensions", "uvicorn"}
"""Of the fronts alone: they come with extras, and the SDK must do without them."""
ONE_PLACE = {
    "obstore": "cloud",
    "opentelemetry": "telemetry",
    "prometheus_client": "telemetry",
    "temporalio": "temporal",
}
"""Libraries of one feature alone, and the folder of it: nothing else may need their extras."""
# pathlib and datetime carry values too, so of these only the calls that touch the world are refused.
IMPURE_CALLS = {
    *("open", "input", "print", "breakpoint"),
    *(".now", ".utcnow", ".today", ".read_bytes", ".read_text", ".write_bytes", ".write_text", ".unlink", ".mkdir"),
}

# What may be imported inside a function, and why.
IMPORTED_LATE = {
    "aihubmix_video.cloud.cloud_storage": "it needs the extra `cloud`, and only targets in object stores need it",
    "av": "PyAV is optional (extra `media`), 100 MB, and needed only when a clip is rendered",
    "aihubmix_video.sandbox.video.picture": "it imports PyAV, see above",
    "aihubmix_video.sandbox.Sandbox": "it loads a server, which commands without `--sandbox` do without",
    "aihubmix_video.cli.board_server": "it needs the extra `fastapi`, and the command must be able to say so",
    "aihubmix_video.openai_front": "it needs the extra `fastapi`, see above",
    "aihubmix_video.cli.main": "it needs the extra `cli`, and the entry point must be able to say so",
    "aihubmix_video.cli.live_models": "it loads the session, which `models` without `--live` does without",
    "aihubmix_video.cli.runner.run_command": "as above",
    "redis": "it is optional (extra `redis`), and needed only where a rate is shared through it",
    "aihubmix_video.telemetry.otel_providers": "it needs the extra `otel`, and `observe_session` must be able to say so",
    "aihubmix_video.cli.temporal_batches": "it needs the extra `temporal`, and a command without `--temporal` does without it",
    "rich.console": "a command that prints no page does without it, and starts sooner",
    "aihubmix_video.capabilities.table_converter": "it loads cattrs, and only files of tables need it",
    "tomli_w": "optional (extra `toml`)",
    "uvloop": "optional (extra `speed`)",
}


def sources() -> dict[str, ast.Module]:
    """Parse every module of the package, by its dotted name without the package's own."""
    return {
        ".".join(file.relative_to(PACKAGE).with_suffix("").parts): ast.parse(file.read_text("utf-8"))
        for file in sorted(PACKAGE.rglob("*.py"))
    }


def imports(tree: ast.AST, *, typing_only: bool = True) -> Iterator[tuple[int, str]]:
    """Give line and full name of everything imported; those for type checkers only if asked for."""
    skipped = set() if typing_only else {node for guard in typing_guards(tree) for node in ast.walk(guard)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{parent}.{alias.name}") for alias in node.names)


def typing_guards(tree: ast.AST) -> Iterator[ast.stmt]:
    """Give the statements under ``if TYPE_CHECKING:``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from node.body


def ours(imported: str) -> str | None:
    """Give the part of the package an import is of, or None for anybody else's."""
    first, _, rest = imported.partition(".")
    return part_of(rest) if first == "aihubmix_video" else None


def part_of(module: str) -> str:
    """Give the folder of a module or of a name in it; of what lies directly in the package its own name."""
    return module.partition(".")[0]


def upward(module: str, tree: ast.AST) -> Iterator[str]:
    """Find imports of a higher layer, and those of the sandbox from below the fronts."""
    here = part_of(module)
    for line, imported in imports(tree):
        there = ours(imported)
        if here == "__init__" or there is None or there == here:
            continue
        if here == "sandbox":
            allowed = there == "errors"
        elif there == "sandbox":
            allowed = here in LAYERS["fronts"]
        else:
            allowed = ORDER[there] < ORDER[here]
        if not allowed:
            yield f"{module}:{line} imports {there}"


def frameworks(module: str, tree: ast.AST) -> Iterator[str]:
    """Find imports of a front's framework below the fronts."""
    here = part_of(module)
    for line, imported in imports(tree):
        library = imported.partition(".")[0]
        if (library in FRAMEWORKS and here not in LAYERS["fronts"]) or ONE_PLACE.get(library, here) != here:
            yield f"{module}:{line} {imported}"


def impure(module: str, tree: ast.AST) -> Iterator[str]:
    """Find what reaches outside: modules that do input, output, time or chance, and calls that do."""
    for line, imported in imports(tree, typing_only=False):
        if imported.partition(".")[0] in IMPURE_MODULES:
            yield f"{module}:{line} imports {imported}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = (
                called.id
                if isinstance(called, ast.Name)
                else f".{called.attr}"
                if isinstance(called, ast.Attribute)
                else ""
            )
            if name in IMPURE_CALLS:
                yield f"{module}:{node.lineno} calls {name}"


def hidden(module: str, tree: ast.AST) -> Iterator[str]:
    """Find imports inside functions, whether by statement or by call."""
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    found = {found for function in functions for found in imports(function)}
    for line, imported in sorted(found):
        if not any(f"{imported}.".startswith(f"{allowed}.") for allowed in IMPORTED_LATE):
            yield f"{module}:{line} imports {imported} inside a function"
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if (
                name in {"import_module", "__import__"} and module != "__init__"
            ):  # which loads public names when they are used
                yield f"{module}:{node.lineno} imports by call"


def indirect(module: str, tree: ast.AST) -> Iterator[str]:
    """Find relative imports, and names taken from the top of the package, which would tie every module to all others.

    `from aihubmix_video import errors` names a module, so the layers see it, and it is allowed.
    """
    for line, imported in imports(tree):
        if imported.startswith("."):
            yield f"{module}:{line} imports relatively"
    for node in ast.walk(tree):
        if module == "__init__" or not isinstance(node, ast.ImportFrom) or node.module != "aihubmix_video":
            continue
        if any(alias.name not in ORDER for alias in node.names):
            yield f"{module}:{node.lineno} imports from the top of the package"


def import_graph(trees: Mapping[str, ast.AST], *, typing_only: bool) -> dict[str, set[str]]:
    """Return, for each module, those of the package that it imports; packages stand for their `__init__`.

    Args:
        trees: The modules, by name.
        typing_only: Whether imports for type checkers count too.
    """
    names = {module.removesuffix(".__init__"): module for module in trees}
    graph: dict[str, set[str]] = {}
    for module, tree in trees.items():
        wanted = (
            name.removeprefix("aihubmix_video.") for _, name in imports(tree, typing_only=typing_only) if ours(name)
        )
        # `from package.module import name` and `from package import module` look alike, so both are tried.
        found = {names.get(name) or names.get(name.rpartition(".")[0]) for name in wanted}
        graph[module] = {name for name in found if name and name != module}
    return graph


def cycles(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the modules that need themselves, however far round."""
    reached = {module: set(needed) for module, needed in graph.items()}
    for middle in graph:
        for module, needed in reached.items():
            if middle in needed:
                reached[module] = needed | reached[middle]
    return sorted(module for module, needed in reached.items() if module in needed)


def test_every_module_has_its_layer():
    """A module of no layer would be held back by no wall; add it to `LAYERS`."""
    with_imports = {part_of(module) for module, tree in sources().items() if any(imports(tree))}
    unplaced = with_imports - ORDER.keys() - {"__init__", "sandbox"}

    assert set() == unplaced


def test_imports_point_down():
    """A lower layer that knows a higher one cannot be tested, or read, without it."""
    assert [] == [found for module, tree in sources().items() for found in upward(module, tree)]


def test_frameworks_stay_in_their_fronts():
    """Whoever installs the SDK alone has none of them."""
    assert [] == [found for module, tree in sources().items() for found in frameworks(module, tree)]


@pytest.mark.parametrize(
    ("module", "code", "found"),
    [
        ("session.session", "from fastapi import FastAPI", 1),
        ("protocol.encode_request", "if TYPE_CHECKING:\n    import rich.text", 1),
        ("fastapi.router", "from fastapi import APIRouter", 0),
        ("session.session", "from aihubmix_video.fastapi import x", 0),
        ("session.session", "from opentelemetry import trace", 1),
        ("board.app", "import prometheus_client", 1),
        ("telemetry.otel_spans", "if TYPE_CHECKING:\n    from opentelemetry.trace import Span", 0),
    ],
)
def test_a_framework_below_its_front_is_seen(module: str, code: str, found: int):
    """Ours is no framework, for all that it is called like one."""
    assert found == len(list(frameworks(module, ast.parse(code))))


def test_the_pure_half_touches_nothing():
    """Values and rules take time and chance as arguments, so that plain numbers test them."""
    walled = {module: tree for module, tree in sources().items() if part_of(module) in PURE and module not in PURE_BUT}
    found = [found for module, tree in walled.items() for found in impure(module, tree)]

    assert [] == found


def test_nothing_is_imported_inside_functions():
    """A hidden import is a dependency that no table of contents shows; the exceptions have their reasons above."""
    assert [] == [found for module, tree in sources().items() for found in hidden(module, tree)]


def test_imports_are_absolute_and_direct():
    """The walls above can see only imports that name their module."""
    assert [] == [found for module, tree in sources().items() for found in indirect(module, tree)]


def test_no_module_needs_itself():
    """A knot of modules can be moved and tested only as one."""
    assert [] == cycles(import_graph(sources(), typing_only=False))


def test_no_module_needs_itself_for_its_types():
    """A module whose types are defined in terms of its own callers can be read only together with them."""
    assert [] == cycles(import_graph(sources(), typing_only=True))


def test_the_source_is_found():
    """Walls around nothing would always hold."""
    assert {"errors", "types.request", "types.video", "types.events"} <= sources().keys()


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("errors", "from aihubmix_video.output.template import slug"),
        ("protocol.encode_request", "import aihubmix_video.http.client"),
        ("protocol.headers", "from aihubmix_video.download.download import Download"),
        ("output.template", "from aihubmix_video.session.session import VideoSession"),
        ("http.client", "from aihubmix_video.cli.main import main"),
        ("sandbox.gateway", "from aihubmix_video.protocol.encode_request import encode"),
        ("session.session", "from aihubmix_video.sandbox import Sandbox"),
        ("errors", "if TYPE_CHECKING:\n    from aihubmix_video.session.session import VideoSession"),
    ],
)
def test_an_import_that_points_up_is_seen(module: str, code: str):
    """Also one for type checkers: the reader has to know the higher layer all the same."""
    assert 1 == len(list(upward(module, ast.parse(code))))


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("session.session", "from aihubmix_video.errors import VideoError"),
        (
            "protocol.encode_request",
            "from aihubmix_video.protocol.video_ids import quoted\nfrom aihubmix_video.types.video import Video",
        ),
        ("sandbox.gateway", "from aihubmix_video.errors import VideoError\nfrom aihubmix_video.sandbox.ids import new"),
        ("cli.demo_command", "from aihubmix_video.sandbox import Sandbox"),
        ("storage.disk", "from aihubmix_video.types.video import Video"),
        ("__init__", "from aihubmix_video.session.session import VideoSession"),
        ("errors", "import attrs"),
    ],
)
def test_an_import_that_points_down_is_let_pass(module: str, code: str):
    """A wall that stops everything says nothing."""
    assert [] == list(upward(module, ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "from os import path",
        "import asyncio.events",
        "open('x')",
        "datetime.now(UTC)",
        "Path('x').read_text()",
        "def f():\n    import random",
    ],
)
def test_reaching_outside_is_seen(code: str):
    """By import or by call, at the top or inside."""
    assert 1 == len(list(impure("output.template", ast.parse(code))))


@pytest.mark.parametrize(
    "code", ["if TYPE_CHECKING:\n    import os", "import hashlib", "from timeit import x", "a.open()"]
)
def test_what_stays_inside_is_let_pass(code: str):
    """Types are no input or output, and neither are pure parts of the standard library."""
    assert [] == list(impure("output.template", ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    import aiohttp",
        "class A:\n    async def f(self):\n        from aihubmix_video.protocol import encode",
        "importlib.import_module('x')",
        "__import__('x')",
    ],
)
def test_a_hidden_import_is_seen(code: str):
    """In functions and methods, and those made by call."""
    assert 1 == len(list(hidden("x", ast.parse(code))))


def test_an_import_with_a_reason_may_be_hidden():
    """The list of exceptions is what makes the rule keepable."""
    assert [] == list(hidden("x", ast.parse("import aiohttp\ndef f():\n    import av")))


@pytest.mark.parametrize(
    "code", ["from . import protocol", "from .protocol import x", "from aihubmix_video import Video"]
)
def test_an_indirect_import_is_seen(code: str):
    """All three hide which module is needed."""
    assert 1 == len(list(indirect("session.session", ast.parse(code))))


def test_a_cycle_is_seen_however_long():
    """Through a package's own module too; imports for type checkers close one only where they count."""
    code = {
        "a": "from aihubmix_video.b import x",
        "b": "from aihubmix_video.c.d import y",
        "c.__init__": "",
        "c.d": "import aihubmix_video.a",
        "e": "from aihubmix_video.a import z\nif TYPE_CHECKING:\n    from aihubmix_video.f import w",
        "f": "from aihubmix_video import e",
    }

    trees = {name: ast.parse(text) for name, text in code.items()}

    assert ["a", "b", "c.d"] == cycles(import_graph(trees, typing_only=False))
    assert ["a", "b", "c.d", "e", "f"] == cycles(import_graph(trees, typing_only=True))


def names_twice(trees: Mapping[str, ast.AST]) -> list[str]:
    """Find classes and files that are called alike; the vendors' tables are, on purpose."""
    places: dict[str, list[str]] = {}
    for module, tree in trees.items():
        stem = module.rpartition(".")[2]
        if stem != "__init__" and "vendors" not in module.split("."):
            places.setdefault(f"{stem}.py", []).append(module)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    vendors = {f"{vendor}.py" for vendor in ("jimeng", "kling", "seedance", "sora", "veo", "wan")}
    return [f"{name} in {', '.join(found)}" for name, found in places.items() if len(found) > 1 and name not in vendors]


def test_no_class_and_no_file_is_called_like_another():
    """Who searches for a name must land at one place."""
    assert [] == names_twice(sources())


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ({"a.x": "class Job: pass", "b.y": "class Job: pass"}, ["Job in a.x, b.y"]),
        ({"a.x": "", "b.x": ""}, ["x.py in a.x, b.x"]),
        ({"a.x": "def f():\n    class Inner: pass", "b.y": "class Inner: pass"}, ["Inner in a.x, b.y"]),
        ({"a.sora": "", "b.sora": "", "a.__init__": "", "b.__init__": ""}, []),
        ({"a.x": "class Job: pass", "b.y": "class Jobs: pass"}, []),
    ],
)
def test_a_name_that_stands_twice_is_seen(code: dict[str, str], found: list[str]):
    """Classes wherever they stand, and files of whichever folder."""
    assert found == names_twice({name: ast.parse(text) for name, text in code.items()})


def test_few_modules_lie_directly_in_the_package():
    """What a newcomer sees first must be a table of contents."""
    direct = {module for module in sources() if "." not in module}

    assert {"__init__", "errors", "settings", "_requirements"} == direct
