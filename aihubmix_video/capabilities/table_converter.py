"""Model tables as plain mappings, and back; every mistake is named by its place, such as ``models[3].seconds.values[1]``.

The plain form is what TOML and JSON hold: the attributes of `Capability` by their names, but for the values that a field may
have, which are called ``values`` in lengths and options alike. An option tells its ``type``. A size may be its pixels alone,
lengths a range such as ``"3-15"``. A table that is ``like`` another says only what differs.
"""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from aihubmix_video.capabilities.capability import Capability
from aihubmix_video.capabilities.field_rules import (
    Audio,
    Choice,
    ContentRule,
    Dialect,
    ExtraBody,
    Flag,
    ImageRule,
    Mode,
    Number,
    Option,
    Seconds,
    Size,
    Text,
    WholeNumber,
    closest,
    one_of,
)
from aihubmix_video.capabilities.table_check import table_mistakes
from aihubmix_video.errors import shown

if TYPE_CHECKING:
    from aihubmix_video.capabilities.registry import CapabilitySet

__all__ = ["Mistake", "TableMistakes", "plain_tables", "structured"]

Plain: TypeAlias = Mapping[str, object]

OPTION_TYPES: Final[Mapping[str, type[Option]]] = {
    "choice": Choice,
    "flag": Flag,
    "number": Number,
    "whole-number": WholeNumber,
    "text": Text,
}
TYPE_NAMES = {kind: name for name, kind in OPTION_TYPES.items()}
RANGE = re.compile(r"(\d{1,4})\s*-\s*(\d{1,4})")
PIXELS = re.compile(r"([1-9]\d{0,5})x([1-9]\d{0,5})")
ARTICLES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@attrs.frozen
class Mistake:
    """What is wrong at one place of a file, such as ``models[3].seconds.values[1]``."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class TableMistakes(ValueError):
    """All mistakes of a file."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(map(str, self.mistakes)))


def structured(data: object, known: CapabilitySet) -> CapabilitySet:
    """Return *known* with the tables that *data* describes, which stand before those of the same model.

    Raises:
        TableMistakes: Everything that is wrong.
    """
    if not isinstance(data, Mapping) or set(data) != {"models"} or not isinstance(data["models"], list):
        raise TableMistakes([Mistake("", "the file must hold one list, `models`, of tables and nothing beside it")])
    mistakes: list[Mistake] = []
    tables: list[Capability] = []
    for number, plain in enumerate(data["models"]):
        found = _table(f"models[{number}]", plain, known.plus(tables))
        if isinstance(found, Capability):
            twice = any(found.model == table.model for table in tables)
            mistakes += [Mistake(f"models[{number}].model", f"{shown(found.model)} stands twice")] if twice else []
            tables.append(found)
        else:
            mistakes += found
    if mistakes:
        raise TableMistakes(mistakes)
    return known.plus(tables)


def plain_tables(tables: Iterable[Capability]) -> dict[str, list[Plain]]:
    """Return tables as plain mappings, each whole; what has its default is left out."""
    return {"models": [_CONVERTER.unstructure(table) for table in tables]}


def _table(place: str, plain: object, known: CapabilitySet) -> Capability | list[Mistake]:
    if not isinstance(plain, Mapping):
        return [Mistake(place, f"must be a table, not {shown(plain)}")]
    whole = _extended(place, plain, known)
    if isinstance(whole, Mistake):
        return [whole]
    try:
        table = _CONVERTER.structure(whole, Capability)
    except (ClassValidationError, ForbiddenExtraKeysError) as error:
        return list(_mistakes(error, place))
    return [Mistake(f"{place}.{where}", message) for where, message in table_mistakes(table)] or table


def _extended(place: str, plain: Plain, known: CapabilitySet) -> Plain | Mistake:
    """Return a table with what it takes over from the one that it is like."""
    if "like" not in plain:
        return plain
    base = known.find(plain["like"])
    if base is None:
        nearest = closest(plain["like"], known.names)
        hint = f"did you mean {nearest}?" if nearest else "give a model that has a table, or one above in this file"
        return Mistake(f"{place}.like", f"{shown(plain['like'])} has no table; {hint}")
    own = {key: value for key, value in plain.items() if key != "like"}
    if "model" not in own:
        return Mistake(f"{place}.model", "is missing: give the gateway's name of the model")
    return _merged(_CONVERTER.unstructure(base), own)


def _merged(base: Plain, own: Plain) -> dict[str, object]:
    """Return *base* with the keys of *own*: tables of one type key by key, all else replaced; a table that is false is taken away."""
    merged = {**base, **own}
    for key, value in own.items():
        before = base.get(key)
        if isinstance(before, Mapping) and value is False:
            del merged[key]
        elif isinstance(before, Mapping) and isinstance(value, Mapping):
            same = value.get("type", before.get("type")) == before.get("type")
            merged[key] = _merged(before, value) if same else value
    return merged


# -- what is wrong, and where -------------------------------------------------------------------------------


def _mistakes(error: Exception, place: str) -> Iterator[Mistake]:
    """Yield the mistakes that an error of the converter holds, however deep."""
    if isinstance(error, ClassValidationError):
        noted, bare = error.group_exceptions()
        for inner, attribute in noted:
            yield from _mistakes(inner, f"{place}.{_key(attribute.name)}")
        for inner in bare:
            yield from _mistakes(inner, place)
    elif isinstance(error, IterableValidationError):
        items, others = error.group_exceptions()
        for inner, item in items:
            at = f"[{item.index}]" if isinstance(item.index, int) else f".{item.index}"
            yield from _mistakes(inner, f"{place}{at}")
        for inner in others:
            yield from _mistakes(inner, place)
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(map(str, error.extra_fields)):
            allowed = _keys(error.cl)
            nearest = closest(key, allowed)
            hint = f"did you mean {nearest}?" if nearest else f"there are {one_of(allowed)}"
            yield Mistake(f"{place}.{key}", f"is not a key here; {hint}")
    elif isinstance(error, KeyError):
        yield Mistake(place, "is missing")
    else:
        yield Mistake(place, str(error))


def _key(attribute: str) -> str:
    return "values" if attribute == "allowed" else attribute


def _keys(cls: type[Any] | None) -> tuple[str, ...]:
    """Return the keys that a mapping of a class may have."""
    if cls is None:
        return ()
    fields = tuple(_key(field.name) for field in attrs.fields(cls))
    if cls is Capability:
        return (*fields, "like")
    if issubclass(cls, Option):
        return ("type", *(field for field in fields if field != "values" or cls is Choice))
    return fields


# -- the converter ------------------------------------------------------------------------------------------


def _strict(kind: type) -> Callable[[object, object], object]:
    """Return a hook that takes values of one type as they are, and changes none into another."""

    def read(value: object, _: object) -> object:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise TypeError(f"must be {ARTICLES[kind]}, not {shown(value)}")
        return value

    return read


def _one_of_the_words(value: object, kind: Any) -> object:  # noqa: ANN401 - an enumeration or a Literal
    """Return the member of an enumeration, or of a Literal, that a word names."""
    words = [str(member) for member in (get_args(kind) or kind)]
    if not isinstance(value, str) or value not in words:
        nearest = closest(value, words)
        raise ValueError(f"{shown(value)}: {f'did you mean {nearest}?' if nearest else f'give {one_of(words)}'}")
    return kind(value) if isinstance(kind, type) else value


def _collection_hook(kind: Any, converter: Converter) -> Callable[[object, object], object]:  # noqa: ANN401 - a type of typing
    """Return a hook for ``tuple[T, ...]`` from a list, or for ``Mapping[K, V]`` from a table."""
    is_tuple = get_origin(kind) is tuple
    plain: Any = GenericAlias(list, get_args(kind)[0]) if is_tuple else GenericAlias(dict, get_args(kind))

    def read(value: object, _: object) -> object:
        if not isinstance(value, (list, tuple) if is_tuple else Mapping):
            raise TypeError(f"must be a {'list' if is_tuple else 'table'}, not {shown(value)}")
        found = converter.structure(value, plain)
        return tuple(found) if is_tuple else found

    return read


def _allowed(kind: type) -> dict[str, Any]:
    """Return how the attribute `allowed` of a class stands in its plain form: as ``values``, or not at all."""
    if issubclass(kind, (Seconds, Choice)):
        return {"allowed": override(rename="values")}
    return {"allowed": override(omit=True)} if issubclass(kind, Option) else {}


def _object_hook(kind: Any, converter: Converter) -> Callable[[object, object], object]:  # noqa: ANN401 - a class of attrs
    make: Callable[[Any, object], object] = make_dict_structure_fn(kind, converter, **_allowed(kind))

    def read(value: object, _: object) -> object:
        if kind is Size and isinstance(value, str):
            return _size_of(value)
        if kind is Seconds:
            value = _with_range(value)
        if not isinstance(value, Mapping):
            raise TypeError(f"must be a table, not {shown(value)}")
        return make(value, kind)

    return read


def _object_writer(kind: Any, converter: Converter) -> Callable[[Any], dict[str, object]]:  # noqa: ANN401 - a class of attrs
    write: Callable[[Any], dict[str, object]] = make_dict_unstructure_fn(
        kind, converter, _cattrs_omit_if_default=True, **_allowed(kind)
    )
    named = {"type": TYPE_NAMES[kind]} if kind in TYPE_NAMES else {}
    return lambda value: {**named, **write(value)}


def _size_of(text: str) -> Size:
    pixels = PIXELS.fullmatch(text)
    if pixels is None:
        raise ValueError(f"{shown(text)}: give pixels, such as '1280x720', or a table with width and height")
    return Size(int(pixels[1]), int(pixels[2]))


def _option(value: object, _: object) -> object:
    if not isinstance(value, Mapping) or value.get("type") not in OPTION_TYPES:
        raise ValueError(f"must be a table whose type is {one_of(OPTION_TYPES)}, not {shown(value)}")
    plain = {key: item for key, item in value.items() if key != "type"}
    return _CONVERTER.structure(plain, OPTION_TYPES[value["type"]])


def _with_range(value: object) -> object:
    text = value.get("values") if isinstance(value, Mapping) else None
    limits = RANGE.fullmatch(text) if isinstance(text, str) else None
    if limits is None or not isinstance(value, Mapping):
        return value
    return {**value, "values": list(range(int(limits[1]), int(limits[2]) + 1))}


def _new_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in ARTICLES:
        converter.register_structure_hook(kind, _strict(kind))
    converter.register_structure_hook(object, lambda value, _: value)
    for words in (Dialect, Mode, Audio, ExtraBody):
        converter.register_structure_hook(words, _one_of_the_words)
    converter.register_structure_hook_func(_is_literal, _one_of_the_words)
    converter.register_structure_hook_factory(_is_collection, lambda kind: _collection_hook(kind, converter))
    converter.register_structure_hook(Option, _option)
    converter.register_unstructure_hook_func(
        _is_collection,
        lambda value: (
            {key: converter.unstructure(item) for key, item in value.items()}
            if isinstance(value, Mapping)
            else [converter.unstructure(item) for item in value]
        ),
    )
    for cls in (*OPTION_TYPES.values(), Size, ImageRule, ContentRule, Seconds, Capability):
        attrs.resolve_types(cls)
        converter.register_structure_hook(cls, _object_hook(cls, converter))
        converter.register_unstructure_hook(cls, _object_writer(cls, converter))
    return converter


def _is_literal(kind: Any) -> bool:  # noqa: ANN401 - a type of typing
    return get_origin(kind) is Literal


def _is_collection(kind: Any) -> bool:  # noqa: ANN401 - a type of typing
    return get_origin(kind) in {tuple, abc.Mapping}


_CONVERTER = _new_converter()
