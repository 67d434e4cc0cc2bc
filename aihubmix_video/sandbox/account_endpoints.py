"""What the gateway tells beside videos: its models and the account's balance. Pure.

Models are public; both lists are in the forms of AIHubMix field observations, 2026-09. The balance is told in the form of the
gateway's code base: dollars that may be spent, and cents that were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aihubmix_video.sandbox.gateway_response import GatewayResponse, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aihubmix_video.sandbox.vendors.vendor import Vendor

__all__ = ["balance_answer", "catalog_answer", "models_answer"]

TEXT_ONLY = frozenset({"veo-3.0-generate-preview", "veo-2.0-generate-001"})
CREATED = 1_780_000_000
DEVELOPERS = {"sora": 1, "veo": 2, "wan": 3, "jimeng": 4, "doubao": 4, "kling": 5}
JOB_USD = 1.0
"""What one job costs at the sandbox, so that a balance of jobs is one of dollars."""
NO_LIMIT_USD = 1_000_000.0
CACHED = (("Cache-Control", "max-age=300"),)


def models_answer(vendors: Mapping[str, Vendor]) -> GatewayResponse:
    """Answer ``GET /v1/models``, in OpenAI's form."""
    models = [{"id": model, "object": "model", "created": CREATED, "owned_by": "aihubmix"} for model in vendors]
    return json_answer(200, {"object": "list", "data": models})


def catalog_answer(vendors: Mapping[str, Vendor], kinds: Iterable[str]) -> GatewayResponse:
    """Answer ``GET /api/v1/models``; *kinds* are the asked types, of which there is only ``video`` here."""
    wanted = set(kinds)
    models = [_catalog_row(model) for model in vendors] if not wanted or "video" in wanted else []
    answer = json_answer(200, {"success": True, "message": "", "data": models})
    return GatewayResponse(answer.status, answer.body, answer.content_type, CACHED)


def _catalog_row(model: str) -> dict[str, object]:
    family = next((name for name in DEVELOPERS if model.startswith(name)), "")
    return {
        "model_id": model,
        "model_name": model,
        "developer_id": DEVELOPERS.get(family, 0),
        "desc": f"{model}, at the sandbox",
        "types": "video",
        "features": "",
        "input_modalities": "text" if "t2v" in model or model in TEXT_ONLY else "text,image",
        "endpoints": "videos",
        "max_output": 0,
        "context_length": 0,
        "pricing": {},
    }


def balance_answer(route: str, jobs: int, balance: int | None) -> GatewayResponse:
    """Answer one of the billing endpoints: ``subscription``, ``usage`` or ``remain``.

    Args:
        route: Which.
        jobs: How many jobs were bought.
        balance: How many the account can pay for; None for no limit.
    """
    limit = NO_LIMIT_USD if balance is None else balance * JOB_USD
    spent = jobs * JOB_USD
    if route == "usage":
        return json_answer(200, {"object": "list", "total_usage": spent * 100})
    if route == "remain":
        return json_answer(200, {"object": "list", "total_usage": max(limit - spent, 0.0)})
    return json_answer(
        200,
        {
            "object": "billing_subscription",
            "has_payment_method": True,
            "soft_limit_usd": limit,
            "hard_limit_usd": limit,
            "system_hard_limit_usd": limit,
            "access_until": 0,
        },
    )
