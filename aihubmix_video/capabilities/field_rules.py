"""The words in which capability tables are written: lengths, sizes, options and reference rules as values."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003  # cattrs reads the annotations
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeGuard

import attrs

AUTO = -1
"""The value of ``seconds`` that lets the model choose."""


def one_of(words: Iterable[object]) -> str:
    """Join words as a sentence does: ``4, 8 or 12``."""
    *most, last = map(str, words)
    return f"{', '.join(most)} or {last}" if most else last


def closest(value: object, words: Sequence[str]) -> str | None:
    """Find the word most like *value*, or None when none is much like it."""
    found = get_close_matches(str(value)[:100].lower(), words, n=1)
    return found[0] if found else None


def is_number(value: object) -> TypeGuard[float]:
    """Return whether *value* is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Dialect(StrEnum):
    """The form in which a family's requests are written on the wire."""

    SORA = "sora"
    VEO = "veo"
    WAN = "wan"
    JIMENG = "jimeng"
    SEEDANCE = "seedance"
    KLING = "kling"


class Mode(StrEnum):
    """What a video can be made from."""

    TEXT = "text"
    IMAGE = "image"
    MULTI_IMAGE = "multi-image"
    OMNI = "omni"


class Audio(StrEnum):
    """Whether finished videos have sound."""

    NONE = "none"
    ALWAYS = "always"
    SWITCHED = "switched"
    """By the option ``generate_audio`` or ``sound``."""


class ExtraBody(StrEnum):
    """Where the keys of ``extra_body`` go."""

    MERGED = "merged"
    """Into the body itself, beneath the fields."""
    NESTED = "nested"
    """As an object named ``extra_body``."""
    LIFTED = "lifted"
    """Nested, but keys that are also fields move to the top level, where they have effect."""


def _lengths(lengths: Iterable[int]) -> tuple[int, ...]:
    return tuple(lengths)


@attrs.frozen
class Seconds:
    """The lengths a model makes.

    Attributes:
        allowed: Seconds, ascending.
        default: Seconds when none are asked for.
        auto: Whether -1 lets the model choose.
        upstream: What the vendor itself is known to take, where that is less; the rest passes with a warning.
    """

    allowed: tuple[int, ...] = attrs.field(converter=_lengths)
    default: int = attrs.field(kw_only=True)
    auto: bool = attrs.field(default=False, kw_only=True)
    upstream: tuple[int, ...] = attrs.field(default=(), kw_only=True)

    @property
    def legal(self) -> tuple[int, ...]:
        """Every value ``seconds`` may have."""
        return (AUTO, *self.allowed) if self.auto else self.allowed

    @property
    def words(self) -> str:
        """The lengths in words, such as ``4, 8 or 12`` or ``4 to 15``."""
        first, last = self.allowed[0], self.allowed[-1]
        whole = len(self.allowed) > 3 and self.allowed == tuple(range(first, last + 1))
        words = f"{first} to {last}" if whole else one_of(self.allowed)
        return f"{words}, or {AUTO} to let the model choose" if self.auto else words

    def nearest(self, value: object) -> int | None:
        """Find the length closest to *value*, read as a number wherever that is possible."""
        try:
            wanted = float(str(value).strip().rstrip("s"))
        except ValueError:
            return None
        return min(self.allowed, key=lambda length: abs(length - wanted)) if math.isfinite(wanted) else None


def _own_name(size: Size) -> tuple[str, ...]:
    return (size.pixels,)


@attrs.frozen
class Size:
    """One picture size, and what asks for it.

    Attributes:
        width: Real pixels of the finished video; also `height`.
        tier: Clarity, such as ``"720P"``; where a field chooses it, that field's value.
        ratio: The frame, such as ``"16:9"``; where a field chooses it, that field's value.
        names: Values of ``size`` that ask for it, the one to send first; empty where `size` is not taken.
        doubt: Why the gateway may refuse it; shown as a warning.
        upstream_seconds: The one length the vendor is known to make at this size; others pass with a warning.
    """

    width: int
    height: int
    tier: str = ""
    ratio: str = ""
    names: tuple[str, ...] = attrs.field(default=attrs.Factory(_own_name, takes_self=True), kw_only=True)
    doubt: str = attrs.field(default="", kw_only=True)
    upstream_seconds: int | None = attrs.field(default=None, kw_only=True)

    @property
    def pixels(self) -> str:
        """Real pixels as text, such as ``1280x720``."""
        return f"{self.width}x{self.height}"


@attrs.frozen
class Option(ABC):
    """A request field that only some models take.

    Attributes:
        allowed: The values of the official page, where they can be listed.
        default: The value when the field is not given; None where the vendor does not say.
        doubtful: Values that pass with a warning, and the reason; listed on the page or not.
        note: Why the gateway may refuse or ignore the field at all; shown as a warning when it is given.
    """

    allowed: tuple[object, ...] = ()
    default: object = attrs.field(default=None, kw_only=True)
    doubtful: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    note: str = attrs.field(default="", kw_only=True)

    @property
    @abstractmethod
    def words(self) -> str:
        """What is allowed, in words."""

    @abstractmethod
    def accepts(self, value: object) -> bool:
        """Return whether the field may have this value."""

    def nearest(self, value: object) -> object:
        """Find the allowed value most like *value*, if there is one."""
        return closest(value, tuple(map(str, self.allowed)))

    def doubt(self, value: object) -> str:
        """Return why an accepted value may be refused by the gateway; empty when nothing is known against it."""
        return self.doubtful.get(str(value), self.note)


@attrs.frozen
class Choice(Option):
    """One of some words."""

    @property
    def words(self) -> str:
        """Name the choices."""
        return one_of(self.allowed)

    def accepts(self, value: object) -> bool:
        """Take the listed words, and the doubtful ones."""
        return isinstance(value, str) and (value in self.allowed or value in self.doubtful)


@attrs.frozen
class Flag(Option):
    """True or False; a JSON boolean, never a word."""

    allowed: tuple[object, ...] = (True, False)

    @property
    def words(self) -> str:
        """Rule out the words that look like booleans."""
        return "True or False, not a word"

    def accepts(self, value: object) -> bool:
        """Take booleans only."""
        return isinstance(value, bool)

    def nearest(self, value: object) -> object:
        """Read the words that mean yes and no."""
        words = {
            "yes": True,
            "true": True,
            "on": True,
            "1": True,
            "no": False,
            "false": False,
            "off": False,
            "0": False,
        }
        return words.get(str(value).strip().lower())


@attrs.frozen
class Number(Option):
    """A number from `minimum` to `maximum`, both included."""

    minimum: float = attrs.field(kw_only=True)
    maximum: float = attrs.field(kw_only=True)

    @property
    def words(self) -> str:
        """Name the bounds."""
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def accepts(self, value: object) -> bool:
        """Take int and float within the bounds; NaN is within none."""
        return is_number(value) and self.minimum <= value <= self.maximum

    def nearest(self, value: object) -> object:
        """Find the bound on the value's side."""
        return f"{min(max(value, self.minimum), self.maximum):g}" if is_number(value) and value == value else None  # noqa: PLR0124 - NaN


@attrs.frozen
class WholeNumber(Option):
    """A whole number, 0 or more."""

    @property
    def words(self) -> str:
        """Name the lower bound."""
        return "a whole number, 0 or more"

    def accepts(self, value: object) -> bool:
        """Take int only; text and booleans are none."""
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@attrs.frozen
class Text(Option):
    """Any text."""

    @property
    def words(self) -> str:
        """Name the type."""
        return "text"

    def accepts(self, value: object) -> bool:
        """Take str only."""
        return isinstance(value, str)


@attrs.frozen
class ImageRule:
    """One field that takes reference images.

    Attributes:
        field: Its name in the request.
        required: Whether the model makes nothing without it.
        maximum: How many images, in a field that takes a list; None in one that takes a single image.
        seconds: The only length there is with a reference; None when it changes nothing.
        match_size: Whether the image must have the very size of the video.
        needs: Another field that must be given with it.
        note: Why the gateway may refuse it; shown as a warning.
    """

    field: str
    required: bool = attrs.field(default=False, kw_only=True)
    maximum: int | None = attrs.field(default=None, kw_only=True)
    seconds: int | None = attrs.field(default=None, kw_only=True)
    match_size: bool = attrs.field(default=False, kw_only=True)
    needs: str | None = attrs.field(default=None, kw_only=True)
    note: str = attrs.field(default="", kw_only=True)


@attrs.frozen
class ContentRule:
    """One type of item in Seedance's ``content``.

    Attributes:
        type: The item's ``type``; its URL lies under a key of the same name.
        roles: What the item may be used for.
        maximum: How many items of this type one request may hold.
        frames: Roles that fix a frame; they cannot be mixed with the others.
    """

    type: str
    roles: tuple[str, ...] = attrs.field(kw_only=True)
    maximum: int = attrs.field(kw_only=True)
    frames: tuple[str, ...] = attrs.field(default=(), kw_only=True)
