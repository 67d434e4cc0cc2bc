"""All models with a table, in the order of the official page, and the verdict on a request for any model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs

from aihubmix_video.capabilities import jimeng, kling, seedance, sora, veo, wan
from aihubmix_video.capabilities.check import judge
from aihubmix_video.capabilities.common import check_request, in_order, unsendable
from aihubmix_video.capabilities.field_rules import closest
from aihubmix_video.errors import Problem, shown

if TYPE_CHECKING:
    from aihubmix_video.capabilities.capability import Capability
    from aihubmix_video.types.request import VideoRequest

Validate = Literal["known", "strict", "off"]
"""How requests are judged: models with a table checked and others let through, others refused, or nothing checked."""

_ALL = (*sora.MODELS, *veo.MODELS, *wan.MODELS, *jimeng.MODELS, *seedance.MODELS, *kling.MODELS)
_BY_NAME = {capability.model: capability for capability in _ALL}


@attrs.frozen(kw_only=True)
class Verdict:
    """What is to be said of a request before it is sent.

    Attributes:
        problems: Why it must not be sent; empty when it may.
        warnings: What the vendor may refuse or ignore, in sentences.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def list_capabilities() -> tuple[Capability, ...]:
    """List every model that has a table, in the order of the official page."""
    return _ALL


def find_capability(model: str) -> Capability | None:
    """Find a model's table by its exact name; None when there is none."""
    return _BY_NAME.get(model) if isinstance(model, str) else None


def find_problems(request: VideoRequest, *, validate: Validate = "known") -> Verdict:
    """Judge a request as the session's ``validate`` asks for.

    Args:
        request: Its references on disk should have been loaded; those that were not are not judged.
        validate: ``"known"`` lets a model without a table pass with one warning, ``"strict"`` refuses it,
            ``"off"`` reports only what could not be sent at all.
    """
    if validate == "off":
        return Verdict(problems=unsendable(request))
    capability = find_capability(request.model)
    if capability is not None:
        problems, warnings = judge(capability, request)
        return Verdict(problems=problems, warnings=warnings)
    problems = check_request(request)
    if any(problem.field == "model" for problem in problems):
        return Verdict(problems=problems)
    misspelt = _misspelt(request.model)
    if misspelt is not None or validate == "strict":
        return Verdict(problems=in_order((misspelt or _unknown(request.model), *problems)))
    return Verdict(problems=problems, warnings=(_unchecked(request.model),))


def _misspelt(model: str) -> Problem | None:
    """A name that differs from a known one only in spaces or case is surely meant to be it."""
    meant = model.strip().lower()
    if meant not in _BY_NAME:
        return None
    return Problem.of("model", model, f"did you mean {meant}?", allowed=tuple(_BY_NAME), nearest=meant)


def _unknown(model: str) -> Problem:
    message = "has no table here, and validate='strict' refuses such models"
    return Problem.of("model", model, message, allowed=tuple(_BY_NAME), nearest=closest(model, tuple(_BY_NAME)))


def _unchecked(model: str) -> str:
    nearest = closest(model, tuple(_BY_NAME))
    hint = f" (did you mean {nearest}?)" if nearest else ""
    return f"model={shown(model)}: has no table here, so the request is sent unchecked{hint}"
