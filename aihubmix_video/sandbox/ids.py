"""Job ids and request ids of the form the gateway gives out.

A job id is a routing token, not a UUID: base64 of ``{"model": ..., "id": <the vendor's own id>}`` without padding, then
``channel`` and the number of the upstream account. (AIHubMix field observations, 2026-01 to 2026-03.) Random bits are
arguments.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONDecodeError, dumps, loads
from uuid import UUID

PROJECT = "projects/sandbox0"


def routing_token(model: str, upstream_id: str, channel: int) -> str:
    """Return the id the gateway hands out for a vendor's job, 90 to 260 characters."""
    inner = dumps({"model": model, "id": upstream_id}, separators=(",", ":"))
    return f"{b64encode(inner.encode()).decode().rstrip('=')}channel{channel}"


def decode_token(token: str) -> tuple[str, str, int] | None:
    """Take a job id apart into model, the vendor's id and channel; None for anything the gateway never gave out."""
    payload, separator, channel = token.rpartition("channel")
    if not separator or not (channel.isascii() and channel.isdigit()):
        return None
    try:
        inner = loads(b64decode(payload + "=" * (-len(payload) % 4), validate=True))
    except (BadBase64, ValueError, JSONDecodeError):
        return None
    if not isinstance(inner, dict) or not isinstance(inner.get("model"), str) or not isinstance(inner.get("id"), str):
        return None
    return inner["model"], inner["id"], int(channel)


def sora_id(model: str, bits: int, unix: int) -> str:
    """Begin with the creation time in hex, as OpenAI's do; sora-2-pro's are longer."""
    digits = 48 if model == "sora-2-pro" else 32
    return f"video_{unix:08x}{bits % 16 ** (digits - 8):0{digits - 8}x}"


def veo_id(model: str, bits: int, unix: int) -> str:  # noqa: ARG001  # every vendor's maker of ids takes the same
    """Name a Vertex operation."""
    return f"{PROJECT}/locations/global/publishers/google/models/{model}/operations/{UUID(int=bits % 2**128)}"


def wan_id(model: str, bits: int, unix: int) -> str:  # noqa: ARG001  # see above
    """Name a DashScope task: a UUID."""
    return str(UUID(int=bits % 2**128))


def seedance_id(model: str, bits: int, unix: int) -> str:  # noqa: ARG001  # see above
    """Name an Ark task: its time and five characters."""
    return f"cgt-{datetime.fromtimestamp(unix, UTC):%Y%m%d%H%M%S}-{bits % 16**5:05x}"


def numeric_id(model: str, bits: int, unix: int) -> str:  # noqa: ARG001  # see above
    """Name a Kling or Jimeng task: a long decimal number."""
    return str(10**18 + bits % (8 * 10**18))


def request_id(unix: float, number: int) -> str:
    """Return the 31 digits that mark one request: its time in UTC to the second, then 17 that tell requests apart."""
    # A step coprime to 10**17 visits every value, so no two numbers share their digits.
    return f"{_second(int(unix))}{number * 40_014_177_793_246_771 % 10**17:017d}"


@lru_cache(maxsize=4)
def _second(unix: int) -> str:
    # Remembered, as writing a date costs more than all the rest of an answer.
    return f"{datetime.fromtimestamp(unix, UTC):%Y%m%d%H%M%S}"
