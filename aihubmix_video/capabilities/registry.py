"""Sets of model tables, the one that comes with the package, and the verdict on a request for any model."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import attrs

from aihubmix_video.capabilities import jimeng, kling, seedance, sora, veo, wan
from aihubmix_video.capabilities.check import judge
from aihubmix_video.capabilities.common import check_request, in_order, unsendable
from aihubmix_video.capabilities.field_rules import closest
from aihubmix_video.errors import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aihubmix_video.capabilities.capability import Capability
    from aihubmix_video.types.request import VideoRequest

Validate = Literal["known", "strict", "off"]
"""How requests are judged: models with a table checked and others let through, others refused, or nothing checked."""

_PAGE_ORDER = (*sora.MODELS, *veo.MODELS, *wan.MODELS, *jimeng.MODELS, *seedance.MODELS, *kling.MODELS)


@attrs.frozen(kw_only=True)
class Verdict:
    """What is to be said of a request before it is sent.

    Attributes:
        problems: Why it must not be sent; empty when it may.
        warnings: What the vendor may refuse or ignore, in sentences.
    """

    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def _by_name(tables: Iterable[Capability]) -> Mapping[str, Capability]:
    return MappingProxyType({table.model: table for table in tables})


def _names_of(tables: Mapping[str, Capability]) -> str:
    return repr(list(tables))


@attrs.frozen
class CapabilitySet:
    """The model tables that a session knows; iterating yields them in order.

    Attributes:
        tables: The tables by model. Built from any iterable of them; of two for one model the later stands.
    """

    tables: Mapping[str, Capability] = attrs.field(converter=_by_name, eq=tuple, hash=False, repr=_names_of)

    def __iter__(self) -> Iterator[Capability]:
        return iter(self.tables.values())

    def __len__(self) -> int:
        return len(self.tables)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models, in order."""
        return tuple(self.tables)

    def find(self, model: object) -> Capability | None:
        """Return a model's table by its exact name; None when there is none."""
        return self.tables.get(model) if isinstance(model, str) else None

    def plus(self, tables: Iterable[Capability]) -> CapabilitySet:
        """Return these tables and others; a table for the same model replaces the one here."""
        return CapabilitySet((*self, *tables))

    def judge(self, request: VideoRequest, *, validate: Validate = "known") -> Verdict:
        """Judge a request as the session's ``validate`` asks for.

        Args:
            request: Its references on disk should have been loaded; those that were not are not judged.
            validate: ``"known"`` lets a model without a table pass with one warning, ``"strict"`` refuses it,
                ``"off"`` reports only what could not be sent at all.
        """
        if validate == "off":
            return Verdict(problems=unsendable(request))
        capability = self.find(request.model)
        if capability is not None:
            problems, warnings = judge(capability, request)
            return Verdict(problems=problems, warnings=warnings)
        problems = check_request(request)
        if any(problem.field == "model" for problem in problems):
            return Verdict(problems=problems)
        misspelt = self._misspelt(request.model)
        if misspelt is not None or validate == "strict":
            return Verdict(problems=in_order((misspelt or self._unknown(request.model), *problems)))
        return Verdict(problems=problems, warnings=(self._unchecked(request.model),))

    def _misspelt(self, model: str) -> Problem | None:
        """A name that differs from a known one only in spaces or case is surely meant to be it."""
        meant = model.strip().lower()
        if meant not in self.tables:
            return None
        return Problem.of("model", model, f"did you mean {meant}?", allowed=self.names, nearest=meant)

    def _unknown(self, model: str) -> Problem:
        message = "has no table here, and validate='strict' refuses such models"
        return Problem.of("model", model, message, allowed=self.names, nearest=closest(model, self.names))

    def _unchecked(self, model: str) -> str:
        nearest = closest(model, self.names)
        hint = f" (did you mean {nearest}?)" if nearest else ""
        return f"model={shown(model)}: has no table here, so the request is sent unchecked{hint}"


BUILT_IN = CapabilitySet(_PAGE_ORDER)
"""The tables that come with the package, in the order of the official page."""


def list_capabilities() -> tuple[Capability, ...]:
    """List every model that has a table in the package, in the order of the official page."""
    return tuple(BUILT_IN)


def find_capability(model: str) -> Capability | None:
    """Find a model's table in the package by its exact name; None when there is none."""
    return BUILT_IN.find(model)
