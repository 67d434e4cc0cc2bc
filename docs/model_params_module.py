# ruff: noqa: INP001 - a program, not a package
"""Write `aihubmix_video/types/model_params.py` from the tables: ``python docs/model_params_module.py && ruff format aihubmix_video``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aihubmix_video.capabilities import BUILT_IN
from aihubmix_video.capabilities.field_rules import Dialect, Flag, Number, WholeNumber

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aihubmix_video.capabilities import Capability

MODULE = Path(__file__).parents[1] / "aihubmix_video" / "types" / "model_params.py"

HEAD = '''\
"""The models and what each family takes, as types: written by `docs/model_params_module.py` from the tables, not by hand.

`ModelName` lets an editor complete the names of models. A dictionary of a family's type lets a type checker name a misspelt model,
a value or a field that the family does not take, before anything runs::

    shot: SoraParams = {"model": "sora-2", "seconds": 8, "size": "1280x720"}
    video = await session.generate("a cat", **shot)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003  # tools read the annotations at run time
from typing import Any, Literal, Required, TypeAlias, TypedDict

from aihubmix_video.types.request import Reference  # noqa: TC001  # as above

'''
TYPES = {
    "video_list": "Sequence[Mapping[str, str]]",
    "content": "Sequence[Mapping[str, Any]]",
    "image_list": "Sequence[Reference]",
    "extra_body": "Mapping[str, Any]",
}


def render() -> str:
    """Return the module's text."""
    families = {dialect: [table for table in BUILT_IN if table.dialect is dialect] for dialect in Dialect}
    names = [f"{dialect.value.title()}Params" for dialect in families]
    parts = [HEAD, f"ModelName: TypeAlias = Literal[{_words(BUILT_IN.names)}]\n"]
    parts += ["\n".join(_family(name, tables)) for name, tables in zip(names, families.values(), strict=True)]
    exported = ", ".join(f'"{name}"' for name in sorted([*names, "ModelName"]))
    return "\n\n".join([parts[0] + f"__all__ = [{exported}]\n", *parts[1:]])


def _family(name: str, tables: list[Capability]) -> Iterator[str]:
    yield f"class {name}(TypedDict, total=False):"
    yield f'    """What models of {tables[0].vendor} {tables[0].family} take; which of them takes what is in the tables."""\n'
    yield f"    model: Required[Literal[{_words(table.model for table in tables)}]]"
    seconds = sorted({length for table in tables for length in table.seconds.legal})
    yield f"    seconds: Literal[{', '.join([*map(str, seconds), *(repr(str(each)) for each in seconds)])}]"
    fields = dict.fromkeys(field for table in tables for field in table.fields)
    for field in fields:
        if field not in {"model", "prompt", "seconds"}:
            yield f"    {field}: {_type(field, tables)}"
    yield ""


def _type(field: str, tables: list[Capability]) -> str:
    if field == "size":
        return f"Literal[{_words(name for table in tables for name in table.size_names)}]"
    option = next((table.options[field] for table in tables if field in table.options), None)
    if option is None:
        return TYPES.get(field, "Reference")
    if isinstance(option, (Flag, Number, WholeNumber)):
        return {Flag: "bool", Number: "float", WholeNumber: "int"}[type(option)]
    words = dict.fromkeys(
        str(word)
        for table in tables
        if field in table.options
        for word in (*table.options[field].allowed, *table.options[field].doubtful)
    )
    return f"Literal[{_words(words)}]" if words else "str"


def _words(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in dict.fromkeys(words))


def main() -> None:
    """Write the module."""
    MODULE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
