"""OpenAI Sora: strict types. Everything it does not know is an error.

Lengths and sizes: AIHubMix video guide, updated 2026-06-01. String lengths and the reference as an object: AIHubMix's own
media adapters, 2026-06, where both were fixed after real refusals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.sandbox.error_bodies import RefusedRequest, openai
from aihubmix_video.sandbox.ids import sora_id
from aihubmix_video.sandbox.vendors.vendor import Order, Vendor, prompt_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FIELDS = frozenset({"model", "prompt", "seconds", "size", "input_reference"})
SECONDS = ("4", "8", "12")
SIZES = {"720x1280": (720, 1280), "1280x720": (1280, 720), "1024x1792": (1024, 1792), "1792x1024": (1792, 1024)}
KINDS = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array", dict: "an object"}


def read(body: Mapping[str, object]) -> Order:
    """Read a Sora request."""
    for field in body:
        if field not in FIELDS:
            raise RefusedRequest(f"Unknown parameter: '{field}'.", "unknown_parameter", field)
    seconds = _choice(body, "seconds", "4", SECONDS)
    width, height = SIZES[_choice(body, "size", "720x1280", SIZES)]
    _check_reference(body.get("input_reference"))
    return Order(str(body["model"]), prompt_of(body), int(seconds), width, height, audio=True)


def _choice(body: Mapping[str, object], field: str, default: str, allowed: Collection[str]) -> str:
    value = body.get(field, default)
    wanted = ", ".join(f"'{choice}'" for choice in allowed)
    if not isinstance(value, str):
        kind = KINDS.get(type(value), "null")
        raise RefusedRequest(
            f"Invalid type for '{field}': expected one of {wanted}, but got {kind} instead.", "invalid_type", field
        )
    if value not in allowed:
        raise RefusedRequest(f"Invalid value: '{value}'. Supported values are: {wanted}.", "invalid_value", field)
    return value


def _check_reference(reference: object) -> None:
    field = "input_reference"
    if reference is None:
        return
    if not isinstance(reference, dict):
        kind = KINDS.get(type(reference), "null")
        raise RefusedRequest(
            f"Invalid type for '{field}': expected an object, but got {kind} instead.", "invalid_type", field
        )
    for key in reference:
        if key not in {"image_url", "file_id"}:
            raise RefusedRequest(f"Unknown parameter: '{field}.{key}'.", "unknown_parameter", f"{field}.{key}")
    if len(reference) != 1:
        raise RefusedRequest(f"'{field}' takes exactly one of 'image_url' and 'file_id'.", "invalid_value", field)
    url = reference.get("image_url")
    if "image_url" in reference and not (
        isinstance(url, str) and url.startswith(("https://", "http://", "data:image/"))
    ):
        raise RefusedRequest(f"Invalid value: '{field}.image_url' is not a URL.", "invalid_value", f"{field}.image_url")


def reference_of(reference: object) -> object:
    """Return a reference in one of the page's forms (URL, base64, mime type and data) as the object that the vendor takes."""
    if isinstance(reference, str):
        is_url = reference.startswith(("https://", "http://", "data:image/"))
        return {"image_url": reference if is_url else f"data:image/png;base64,{reference}"}
    if isinstance(reference, dict) and all(isinstance(reference.get(key), str) for key in ("mime_type", "data")):
        return {"image_url": f"data:{reference['mime_type']};base64,{reference['data']}"}
    return reference


VENDOR = Vendor(
    models={"sora-2": 150.0, "sora-2-pro": 220.0},
    read=read,
    envelope=openai,
    make_id=sora_id,
    moderation=RefusedRequest("Your request was blocked by our moderation system.", "moderation_blocked"),
    failure={"code": "moderation_blocked", "message": "Generated video rejected by content moderation."},
    dialect="openai",
    queues=True,
    progress=True,
)
