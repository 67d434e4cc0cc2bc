"""The gateway's public model list, decoded.

    {"success": true, "message": "", "data": [{"model_id", "model_name", "developer_id", "desc", "types", "features",
     "input_modalities", "endpoints", "pricing": {…}}, …]}

Several values stand in one string, with commas between them. `pricing` is of tokens for most models. Durations and sizes are
not told. Source: AIHubMix field observations, 2026. A row that cannot be read is counted and left out; a list of which no
row can be read is an error, since it would look like a gateway without models.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from aihubmix_video.catalog.live_prices import LivePrice, price_of
from aihubmix_video.errors import MalformedReply
from aihubmix_video.protocol.json_fields import name
from aihubmix_video.protocol.json_reader import read_object
from aihubmix_video.protocol.sanitize import kept

__all__ = ["LIST_PATH", "LiveModel", "decode_models"]

LIST_PATH = "/api/v1/models?type=video"
MOST_MODELS = 5000
MOST_WORDS = 32  # of one comma-joined value


@attrs.frozen(kw_only=True)
class LiveModel:
    """One model as the gateway lists it.

    Attributes:
        model: The name to ask for it by.
        types: What it makes, such as ``video``.
        features: What it can do, in the gateway's words.
        input_modalities: What it takes, such as ``text`` and ``image``; empty when the gateway does not say.
        endpoints: Which interfaces offer it; empty when the gateway does not say.
        retired: Whether the gateway marks it as retired or about to be.
        price: Its price, where one is given per second or per video.
    """

    model: str
    types: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    input_modalities: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    retired: bool = False
    price: LivePrice | None = None


def decode_models(body: bytes) -> tuple[tuple[LiveModel, ...], int]:
    """Return the video models of a list, each once, and how many rows could not be read.

    Raises:
        MalformedReply: It is not a model list, or none of its rows can be read.
    """
    rows = read_object(body).get("data")
    if not isinstance(rows, list):
        raise MalformedReply("the answer is not a model list: it has no `data` array", body=kept(body))
    found = {each.model: each for row in rows[:MOST_MODELS] if (each := _model(row)) is not None}
    unread = sum(_model(row) is None for row in rows[:MOST_MODELS])
    if rows and not found:
        raise MalformedReply("the answer is not a model list: no row has a `model_id`", body=kept(body))
    # Another gateway may ignore the filter; a row that does not say its type was asked for as a video model.
    videos = (each for each in found.values() if not each.types or any("video" in kind for kind in each.types))
    return tuple(videos), unread


def _model(row: object) -> LiveModel | None:
    if not isinstance(row, Mapping):
        return None
    model = name(row.get("model_id")) or name(row.get("id"))
    if model is None:
        return None
    return LiveModel(
        model=model,
        types=_words(row.get("types")),
        features=_words(row.get("features")),
        input_modalities=_words(row.get("input_modalities")),
        endpoints=_words(row.get("endpoints")),
        retired=_is_retired(row),
        price=price_of(row.get("pricing")),
    )


def _words(value: object) -> tuple[str, ...]:
    """Return the values of a comma-joined string, or of a list of strings, in lower case."""
    parts = value.split(",", MOST_WORDS) if isinstance(value, str) else value if isinstance(value, list) else []
    words = (word.strip().lower() for part in parts[:MOST_WORDS] if (word := name(part)) is not None)
    return tuple(dict.fromkeys(filter(None, words)))


RETIRED = {"retired", "deprecated", "deprecating", "offline", "disabled"}


def _is_retired(row: Mapping[str, object]) -> bool:
    marks = (row.get("status"), row.get("lifecycle"), row.get("features"))
    return any(not RETIRED.isdisjoint(_words(mark)) for mark in marks) or row.get("retired") is True
