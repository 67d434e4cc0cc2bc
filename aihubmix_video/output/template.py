"""Names of output files: the user's template, filled with values nobody vouches for.

The template's own words and folders are the user's and stay as written. A value put into it (an id from the gateway,
a prompt's words, a row's key) is data: it can lengthen one name, and nothing else. It never adds a separator, a
parent folder, a device name of Windows, a control or direction character, or a byte over what file systems take.

Whatever has to be changed or cut carries a short hash of what it was, so two values that differ stay two names.
"""

from __future__ import annotations

import hashlib
import re
from difflib import get_close_matches
from pathlib import PurePath
from string import Formatter
from typing import TYPE_CHECKING
from unicodedata import category, normalize

import attrs

from aihubmix_video.errors import InvalidRequest
from aihubmix_video.types.object_url import names_store, split_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FIELDS", "NAME_BYTES", "Template", "collision_key", "is_plain_name", "slug"]

FIELDS = ("index", "id", "key", "model", "slug")
"""What a template may contain, in braces."""

UNIQUE_FIELDS = frozenset({"index", "id", "key"})
"""The fields that tell one job from all others."""

NAME_BYTES = 255 - 32
"""Longest name rendered: file systems take 255 bytes, and the temp file beside it adds a suffix of its own."""

FOLDER_BYTES = 255
MAX_WIDTH = 32
DIGEST_DIGITS = 10
SMALLEST_VALUE = DIGEST_DIGITS + 2  # a hash, a dash and one character
SLUG_CHARACTERS = 40
SLUG_SOURCE_CHARACTERS = 400  # of a prompt of any length, enough to find the first words in

# Also the superscript digits, which Windows reads as digits there (Microsoft, "Naming Files, Paths, and Namespaces").
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{n}" for port in ("COM", "LPT") for n in "0123456789¹²³"}
)
FORBIDDEN = frozenset('<>:"/\\|?*')
# Joiners hold emoji and Persian or Indic letters together; every other format character is a direction or a blank.
JOINERS = frozenset("\u200c\u200d")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_NUMBER_SPEC = re.compile(r"0?(?P<width>\d{0,9})d?", re.ASCII)
_TEXT_SPEC = re.compile(r"(?:\.(?P<width>\d{1,9}))?", re.ASCII)


@attrs.frozen
class _Field:
    name: str
    spec: str


_Pieces = tuple[str | _Field, ...]


@attrs.frozen(kw_only=True)
class Template:
    """A path with ``{index} {id} {key} {model} {slug}`` in it, checked once and rendered per job.

    Attributes:
        text: The template as written.
        fields: The fields it contains.
        root: The object store that it names, such as ``s3://bucket``; None for a path.
    """

    text: str
    fields: frozenset[str]
    root: str | None = None
    _components: tuple[_Pieces, ...] = attrs.field(repr=False)

    @classmethod
    def parse(cls, to: str | PurePath) -> Template:
        """Read a template.

        Args:
            to: A path, relative or absolute, or an object's URL. ``{index:04d}`` pads with zeros, ``{slug:.20}`` and ``{model:.20}`` keep
                so many characters; ``{{`` and ``}}`` stand for the braces themselves.

        Raises:
            InvalidRequest: Field ``to``: an unknown field, a format other than those, a folder instead of a file,
                a control character, or a name that could become longer than a file system takes.
        """
        root, rest = split_root(str(to)) or (None, to)
        parts = _path(rest).parts
        components = tuple(_pieces(part, is_file=number == len(parts)) for number, part in enumerate(parts, 1))
        fields = frozenset(piece.name for pieces in components for piece in pieces if isinstance(piece, _Field))
        text = str(to) if root is None else f"{root}/{rest}"
        return cls(text=text, fields=fields, root=root, components=components)

    @property
    def unique(self) -> bool:
        """Whether it gives every job of a batch a name of its own."""
        return bool(self.fields & UNIQUE_FIELDS)

    @property
    def needs_id(self) -> bool:
        """Whether it can be rendered only once the gateway has given the job its id, that is after the purchase."""
        return "id" in self.fields

    def require_unique(self) -> None:
        """Refuse a template that would give several jobs one path.

        Raises:
            InvalidRequest: Field ``to``.
        """
        if not self.unique:
            raise _refused(
                self.text,
                "must contain {index}, {id} or {key}, or all videos would get one name",
                nearest=PurePath(self.text).with_name("{index:04d}-" + PurePath(self.text).name),
            )

    def render(self, *, index: int, id: str | None, key: str, model: str, slug: str) -> PurePath:  # noqa: A002  # named as in the template
        """Fill in one job's values, without the root; any text is taken, and made harmless.

        Args:
            index: Position of the job, from 0.
            id: The gateway's id; may be None only where `needs_id` is False.
            key: The job's local key.
            model: The model's name.
            slug: The prompt's first words, from `slug`.

        Raises:
            ValueError: The template needs an id and there is none yet.
        """
        if self.needs_id and id is None:
            raise ValueError(f"{self.text} can be rendered only after the gateway gave the job its id")
        values = {"index": index, "id": id, "key": key, "model": model, "slug": slug}
        return PurePath(*(_rendered(pieces, values) for pieces in self._components))


def slug(prompt: str) -> str:
    """Return the first words of a prompt in lower case, joined by dashes: at most 40 characters, ``"video"`` if none."""
    source = normalize("NFC", normalize("NFKC", prompt[:SLUG_SOURCE_CHARACTERS]).lower())
    chosen = ""
    for word in _words(source):
        longer = f"{chosen}-{word}" if chosen else word[:SLUG_CHARACTERS]
        if len(longer) > SLUG_CHARACTERS:
            break
        chosen = longer
    return normalize("NFC", chosen) or "video"


def collision_key(path: str | PurePath) -> str:
    """Return a text that is equal for two paths which some file system takes for one (case, Unicode normal form)."""
    # Canonical caseless matching, Unicode standard, section 3.13, D145.
    return normalize("NFC", normalize("NFD", str(PurePath(path))).casefold())


def is_plain_name(text: str) -> bool:
    """Return whether *text* is one legal file name as it stands, on every common system, with room for a temp suffix."""
    return _size(text) <= NAME_BYTES and _cleaned(text) == text and not _is_reserved(text)


def _path(to: object) -> PurePath:
    if not isinstance(to, (str, PurePath)):
        raise _refused(to, f"must be a str or a pathlib.Path, got {type(to).__name__}")
    text = str(to)
    hidden = next((at for at, character in enumerate(text) if category(character) in {"Cc", "Cs"}), None)
    if hidden is not None:
        raise _refused(to, f"has a control character at position {hidden}")
    if names_store(text):
        raise _refused(to, "names no object; write the bucket out, as in s3://bucket/{index:04d}-{slug}.mp4")
    path = PurePath(text)
    if not text.strip() or text.endswith("/") or path.name in {"", ".", ".."}:
        raise _refused(to, "names a folder; add a file name", nearest=path / "{index:04d}-{slug}.mp4")
    if path.parts[0].startswith("~") and len(path.parts) > 1:
        raise _refused(to, "'~' is not expanded here; write the folder out, or pass pathlib.Path.home() / ...")
    return path


def _pieces(component: str, *, is_file: bool) -> _Pieces:
    pieces: list[str | _Field] = []
    try:
        for literal, name, spec, conversion in Formatter().parse(component):
            if literal:
                pieces.append(literal)
            if name is not None:
                pieces.append(_field(name, spec or "", conversion))
    except InvalidRequest:
        raise
    except ValueError as error:
        raise _refused(component, f"{error}; write {{{{ and }}}} for braces that are not fields") from error
    _check_length(component, pieces, is_file=is_file)
    return tuple(pieces)


def _field(name: str, spec: str, conversion: str | None) -> _Field:
    written = f"{{{name}}}"
    if name not in FIELDS:
        nearest = next(iter(get_close_matches(re.split(r"[.\[]", name)[0], FIELDS, n=1)), None)
        raise _refused(
            written,
            f"unknown field; the fields are {', '.join(_braced())}, without attributes or indices",
            allowed=_braced(),
            nearest=f"{{{nearest}}}" if nearest else None,
        )
    if conversion is not None:
        raise _refused(f"{{{name}!{conversion}}}", "a field takes no conversion", nearest=written)
    pattern = {"index": _NUMBER_SPEC, "model": _TEXT_SPEC, "slug": _TEXT_SPEC}.get(name)
    match = pattern.fullmatch(spec) if pattern else None
    if spec and (match is None or not 1 <= int(match["width"] or 1) <= MAX_WIDTH):
        raise _refused(
            f"{{{name}:{spec}}}",
            f"a field takes no format but a width of 1 to {MAX_WIDTH}, as in {{index:04d}}, {{slug:.20}} or {{model:.20}}",
            allowed=("{index:04d}", "{slug:.20}", "{model:.20}"),
            nearest={"index": "{index:04d}"}.get(name, written),
        )
    return _Field(name, spec)


def _check_length(component: str, pieces: Sequence[str | _Field], *, is_file: bool) -> None:
    fields = sum(isinstance(piece, _Field) for piece in pieces)
    limit = NAME_BYTES if is_file or fields else FOLDER_BYTES
    least = _literal_bytes(pieces) + (DIGEST_DIGITS + 1 + fields * SMALLEST_VALUE if fields else 0)
    if least > limit:
        raise _refused(component, f"would be a name of {least} bytes or more; the limit is {limit}")


def _rendered(pieces: _Pieces, values: Mapping[str, object]) -> str:
    texts = [piece if isinstance(piece, str) else _cleaned(format(values[piece.name], piece.spec)) for piece in pieces]
    fields = {at: piece.name for at, piece in enumerate(pieces) if isinstance(piece, _Field)}
    if not fields:
        return "".join(texts)
    room = NAME_BYTES - _literal_bytes(pieces) - DIGEST_DIGITS - 1  # the last: `_without_device` may add a hash
    limit = _common_limit([_size(texts[at]) for at in fields], room)
    for at, name in fields.items():
        texts[at] = _cut(texts[at], limit, keep_tail=name == "id")
    return _without_device("".join(texts).rstrip(" ."))


def _cleaned(text: str) -> str:
    """Make *text* harmless inside a name; a hash of it is added if that changed anything."""
    shown = "".join("_" if _is_unsafe(character) else character for character in normalize("NFC", text)).strip(" .")
    if shown[:1] in {"", "-", "~"}:  # a leading dash reads as an option, a tilde as a home folder
        shown = "_" + shown[1:]
    return shown if shown == text else f"{shown}-{_digest(text)}"


def _is_unsafe(character: str) -> bool:
    if character in FORBIDDEN or (character.isspace() and character != " "):
        return True
    return category(character) in INVISIBLE and character not in JOINERS


def _cut(text: str, limit: int, *, keep_tail: bool) -> str:
    """Cut to *limit* bytes between characters. Ids begin alike and differ at the end, so theirs is the end kept."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    room = limit - DIGEST_DIGITS - 1
    if keep_tail:
        return f"{_digest(text)}-{encoded[len(encoded) - room :].decode(errors='ignore')}"
    return f"{encoded[:room].decode(errors='ignore')}-{_digest(text)}"


def _common_limit(sizes: Sequence[int], room: int) -> int:
    """Return the largest limit under which values of these sizes fit into *room*; the short ones stay whole."""
    for done, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - done)
        if size > share:
            return share
        room -= size
    return max(sizes)


def _without_device(name: str) -> str:
    if not _is_reserved(name):
        return name
    stem, dot, rest = name.partition(".")
    return f"{stem.rstrip()}-{_digest(name)}{dot}{rest}"


def _is_reserved(name: str) -> bool:
    """Return whether Windows would open a device instead: it looks at what precedes the first dot, without spaces."""
    return name.partition(".")[0].rstrip().upper() in RESERVED


def _words(text: str) -> Iterator[str]:
    word = ""
    for character in text:
        kind = category(character)[0]
        if kind in "LN" or (word and kind == "M"):  # marks complete the letters of many scripts
            word += character
        elif word and character not in "'’":
            yield word
            word = ""
    if word:
        yield word


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGEST_DIGITS]


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _literal_bytes(pieces: Sequence[str | _Field]) -> int:
    return sum(_size(piece) for piece in pieces if isinstance(piece, str))


def _braced() -> tuple[str, ...]:
    return tuple(f"{{{name}}}" for name in FIELDS)


def _refused(value: object, message: str, *, allowed: Sequence[object] = (), nearest: object = None) -> InvalidRequest:
    return InvalidRequest.of("to", value, message, allowed=allowed, nearest=nearest)
