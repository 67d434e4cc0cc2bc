"""A gateway to ask, and requests each model takes."""

from __future__ import annotations

from json import loads
from typing import TYPE_CHECKING, Any

from aihubmix_video.sandbox.gateway import Draws, Gateway, Rules
from aihubmix_video.sandbox.profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aihubmix_video.sandbox.gateway_response import GatewayResponse

KEY = "sk-sandbox-test"
TID = "2026060112000012345678901234567"
EPOCH = 1_780_000_000.0
IMAGE = "https://example.com/cat.png"
DATA_URL = "data:image/png;base64,iVBORw0KGgo="


def gateway(**rules: Any) -> Gateway:  # noqa: ANN401  # the fields of Rules
    """Give a gateway as it was observed, whose jobs take 100 seconds."""
    return Gateway(Rules(api_key=KEY, epoch=EPOCH, **{"generation": 100.0, "profile": PROFILES["field"], **rules}))


def create(asked: Gateway, body: Mapping[str, object] | None, *, now: float = 0.0, **draws: Any) -> GatewayResponse:  # noqa: ANN401  # the fields of Draws
    """Send a create."""
    return asked.create(body, now=now, draws=Draws(**draws), request_id=TID)


def request(model: str, **fields: object) -> dict[str, object]:
    """Give the smallest request a model takes, with more *fields*."""
    image: dict[str, object] = {"input_reference": IMAGE} if "-i2v" in model else {}
    return {"model": model, "prompt": "a cat", **image, **fields}


def said(answer: GatewayResponse) -> dict[str, Any]:
    """Give the JSON object of an answer."""
    value = loads(answer.body)
    assert isinstance(value, dict)
    return value


def message(answer: GatewayResponse) -> str:
    """Find the message of an error in any of its envelopes."""
    value = said(answer)
    return str(value["error"]["message"] if "error" in value else value["message"])
