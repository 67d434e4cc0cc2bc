"""Synthetic vendors: how long their jobs take, and in which order they are asked for."""

from __future__ import annotations

import random
from math import exp
from typing import TYPE_CHECKING

from benchmarks.world import Film

if TYPE_CHECKING:
    from collections.abc import Callable

    from aihubmix_video.polling.policy import Kind

__all__ = ["at_once", "bimodal", "classes", "drifting", "keyed", "wide"]

SPREAD = 0.35  # of the logarithm: what a model's durations scatter by when nothing but the model is known
MEDIAN = 120.0
SIZES = {
    ("model-a", "5", "720p"): 60.0,
    ("model-a", "10", "720p"): 100.0,
    ("model-b", "5", "720p"): 110.0,
    ("model-b", "5", "1080p"): 170.0,
    ("model-c", "8", "720p"): 150.0,
    ("model-c", "8", "1080p"): 260.0,
}
CLASSES = {("fast",): 40.0, ("usual",): 120.0, ("slow",): 320.0}


def lognormal(draw: random.Random, median: float, spread: float) -> float:
    """Draw a duration in seconds."""
    return median * exp(spread * draw.gauss(0.0, 1.0))


def made(
    count: int,
    seed: int,
    in_flight: float,
    mean: float,
    one: Callable[[random.Random, int], tuple[Kind, float]],
    **told: float,
) -> list[Film]:
    """Ask for films one after the other, so that about *in_flight* are being made at any time."""
    draw = random.Random(seed)  # noqa: S311 - durations
    return [Film(index * mean / in_flight, *one(draw, index), **told) for index in range(count)]  # type: ignore[arg-type]


def wide(count: int, seed: int, *, median: float = MEDIAN, in_flight: float = 300, **told: float) -> list[Film]:
    """One model of which nothing but its name is known."""
    mean = median * exp(SPREAD**2 / 2)
    return made(count, seed, in_flight, mean, lambda draw, _: (("model",), lognormal(draw, median, SPREAD)), **told)


def keyed(count: int, seed: int, **told: float) -> list[Film]:
    """Three models in two lengths or sizes each, of which each takes its time."""
    names = list(SIZES)
    mean = sum(SIZES.values()) / len(SIZES)

    def one(draw: random.Random, _index: int) -> tuple[Kind, float]:
        name = draw.choice(names)
        return name, lognormal(draw, SIZES[name], 0.15)

    return made(count, seed, 300, mean, one, **told)


def classes(count: int, seed: int, *, spread: float = 0.3) -> list[Film]:
    """A fast, a usual and a slow model, 600 jobs at a time."""
    names = list(CLASSES)

    def one(draw: random.Random, _index: int) -> tuple[Kind, float]:
        name = draw.choice(names)
        return name, lognormal(draw, CLASSES[name], spread)

    return made(count, seed, 600, 167.0, one)


def bimodal(count: int, seed: int) -> list[Film]:
    """A model that answers a third of its jobs from a cache within 20 s."""

    def one(draw: random.Random, _index: int) -> tuple[Kind, float]:
        return ("model",), lognormal(draw, 20.0 if draw.random() < 1 / 3 else 180.0, 0.2)

    return made(count, seed, 300, 130.0, one)


def drifting(count: int, seed: int, *, factor: float = 3.0) -> list[Film]:
    """One model that becomes so many times slower half-way."""

    def one(draw: random.Random, index: int) -> tuple[Kind, float]:
        return ("model",), lognormal(draw, MEDIAN, SPREAD) * (factor if index >= count / 2 else 1.0)

    return made(count, seed, 300, 255.0, one)


def at_once(count: int, seed: int, *, median: float = MEDIAN) -> list[Film]:
    """A batch: everything is asked for in the same moment."""
    return wide(count, seed, median=median, in_flight=1e9)
