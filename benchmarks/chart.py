"""The frontier as a picture that can be read on light and on dark pages; the same bytes for the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.world import Summary

__all__ = ["draw"]

INK = "#7f868e"  # readable on white and on black
COLOURS = ("#9a9fa5", "#3f8fd9", "#2aa876", "#e07b39")
MARKERS = ("s", "o", "^", "D")
STYLE = {
    "svg.hashsalt": "aihubmix-video",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(curves: Mapping[str, Sequence[Summary]], path: str) -> None:
    """Draw polls per job against the delay, its mean and its 95th percentile side by side."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 4), facecolor="none", layout="constrained")
        for axes, title, delay in zip(figure.subplots(1, 2), ("mean", "95th percentile"), ("mean", "p95"), strict=True):
            axes.set_facecolor("none")
            for (name, points), colour, marker in zip(curves.items(), COLOURS, MARKERS, strict=True):
                polls = [point.polls for point in points]
                axes.plot(
                    polls, [getattr(point, delay) for point in points], color=colour, marker=marker, label=name, lw=2
                )
            axes.set(xlabel="polls per job", ylabel="seconds until a finished job is noticed", title=title)
            axes.set(xlim=(0, None), ylim=(0, None))
            axes.grid(color=INK, alpha=0.25)
            axes.title.set_color(INK)
        handles, names = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False, labelcolor=INK)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
