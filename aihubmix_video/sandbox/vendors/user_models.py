"""Models that only a user's own table knows, from plain data: each behaves as a model of its vendor that is known here.

What the data says of lengths, sizes and options is judged here; the rest of a request is read as the known model's. The data is
that of a file of tables (``model``, ``like`` or ``dialect``, ``seconds``, ``sizes``, ``options``); nothing else of it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os.path import commonpath
from typing import TYPE_CHECKING

import attrs

from aihubmix_video.errors import ConfigurationError
from aihubmix_video.sandbox.error_bodies import RefusedRequest
from aihubmix_video.sandbox.vendors import jimeng, kling, seedance, sora, veo, wan
from aihubmix_video.sandbox.vendors.vendor import Order, duration_of, pixels_of

if TYPE_CHECKING:
    from aihubmix_video.sandbox.vendors.vendor import Vendor

__all__ = ["PlainModel", "with_user_models"]

PlainModel = Mapping[str, object]
DIALECTS = {
    "sora": sora.VENDOR,
    "veo": veo.VENDOR,
    "wan": wan.VENDOR,
    "jimeng": jimeng.VENDOR,
    "seedance": seedance.VENDOR,
    "kling": kling.VENDOR,
}


def with_user_models(known: Mapping[str, Vendor], plain: Sequence[PlainModel]) -> Mapping[str, Vendor]:
    """Return the vendors by model, with those of the user's own models.

    Raises:
        ConfigurationError: A model has no name, or is like none that is known.
    """
    found = dict(known)
    stands_for: dict[str, str] = {}
    for place, table in enumerate(plain):
        name = table.get("model")
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"models[{place}].model: give the name of the model.")
        like = table.get("like", _similar(name, table.get("dialect")))
        if not isinstance(like, str) or like not in found:
            raise ConfigurationError(f"models[{place}].like: give a model that is known, or a dialect.")
        stands_for[name] = base = stands_for.get(like, like)
        vendor = found[like]
        reader = _TableReader(name, base, known[base], _as_dict(table))
        found[name] = attrs.evolve(vendor, models={name: known[base].models[base]}, read=reader.read)
    return found


def _similar(name: str, dialect: object) -> str | None:
    """Return the model of a dialect whose name begins most alike."""
    vendor = DIALECTS.get(dialect) if isinstance(dialect, str) else None
    return None if vendor is None else max(vendor.models, key=lambda model: len(commonpath([model, name])))


def _as_dict(value: object) -> dict[str, object]:
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def _as_list(value: object) -> list[object]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


@attrs.frozen
class _TableReader:
    """Reads requests for one model of the user's, as those for *base*."""

    name: str
    base: str
    vendor: Vendor
    table: Mapping[str, object]

    def read(self, body: Mapping[str, object]) -> Order:
        """Read a request, or raise `RefusedRequest`."""
        seconds, size = self._seconds(body), self._size(body)
        ours = {"seconds", "duration"} if seconds is not None else set()
        ours |= {"size"} if self._sizes() and self.table.get("tier_field") is None else set()
        ours |= self._options(body)
        order = self.vendor.read({key: value for key, value in body.items() if key not in ours} | {"model": self.base})
        order = attrs.evolve(order, model=self.name)
        if seconds is not None:
            order = attrs.evolve(order, seconds=seconds)
        return order if size is None else attrs.evolve(order, width=size[0], height=size[1])

    def _seconds(self, body: Mapping[str, object]) -> int | None:
        lengths = _as_dict(self.table.get("seconds"))
        values = _lengths(lengths.get("values"))
        if not values:
            return None
        default = lengths.get("default", values[0])
        seconds = duration_of(body, default if isinstance(default, int) else values[0])
        if seconds not in values and not (seconds == -1 and lengths.get("auto") is True):
            raise RefusedRequest(f"duration {seconds} is not supported by {self.name}", "InvalidParameter", "duration")
        return seconds

    def _sizes(self) -> list[dict[str, object]]:
        return [_size(size) for size in _as_list(self.table.get("sizes"))]

    def _size(self, body: Mapping[str, object]) -> tuple[int, int] | None:
        sizes = self._sizes()
        if not sizes:
            return None
        tier, ratio = (self._chosen(body, str(self.table.get(field))) for field in ("tier_field", "ratio_field"))
        asked = body.get("size") or self.table.get("default_size")
        for size in sizes:
            names = _as_list(size.get("names")) or [f"{size.get('width')}x{size.get('height')}"]
            if (asked in names) if tier is None else (size.get("tier"), size.get("ratio")) == (tier, ratio):
                return _sides(size)
        if tier is None and asked is not None:
            raise RefusedRequest(f"size {asked!r} is not supported by {self.name}", "InvalidParameter", "size")
        return _sides(sizes[0])

    def _chosen(self, body: Mapping[str, object], field: str) -> object:
        option = _as_dict(_as_dict(self.table.get("options")).get(field))
        return body.get(field, option.get("default"))

    def _options(self, body: Mapping[str, object]) -> set[str]:
        """Return the given options of which the data lists the values, which are none of the vendor's business."""
        listed = {
            name: _as_list(_as_dict(option).get("values"))
            for name, option in _as_dict(self.table.get("options")).items()
        }
        for name, values in listed.items():
            if values and body.get(name) is not None and body[name] not in values:
                raise RefusedRequest(
                    f"{name} {body[name]!r} is not supported by {self.name}", "invalid_parameter", name
                )
        return {name for name, values in listed.items() if values and name in body and name != "sound"}


def _lengths(values: object) -> list[int]:
    if isinstance(values, str):
        first, _, last = values.partition("-")
        return list(range(int(first), int(last) + 1)) if first.isdigit() and last.isdigit() else []
    return [value for value in _as_list(values) if isinstance(value, int)]


def _size(size: object) -> dict[str, object]:
    pixels = pixels_of(size)
    return _as_dict(size) if pixels is None else {"width": pixels[0], "height": pixels[1]}


def _sides(size: Mapping[str, object]) -> tuple[int, int] | None:
    width, height = size.get("width"), size.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
