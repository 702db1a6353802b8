"""search.png: the quality of each trial's answers, and which of a recipe's numbers mattered."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

_WHOLE, _BEST, _QUIET = "#0072B2", "#D55E00", "#999999"
"""Okabe and Ito's, as in `plot.py`; the shapes differ too."""


def draw_search(found: Mapping[str, Any], path: Path) -> None:
    """Draw what a search found (see `search_wording.py`); what is not known is left empty."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    history, importance = figure.subplots(1, 2, width_ratios=(3, 2))
    _history(history, found)
    _importance(importance, found["importances"])
    figure.savefig(path, dpi=150)


def _history(axes: Axes, found: Mapping[str, Any]) -> None:
    known = [trial for trial in found["trials"] if trial["quality"] is not None]
    whole = [trial for trial in known if trial["end"] == "whole"]
    early = [trial for trial in known if trial["end"] != "whole"]
    _points(axes, early, shape="x", colour=_QUIET, label="left early (its best look)")
    _points(axes, whole, shape="o", colour=_WHOLE, label="trained to its end")
    best = [trial for trial in whole if trial["number"] == found["chosen"]]
    _points(axes, best, shape="s", colour=_BEST, label=f"chosen: trial {found['chosen']}")
    numbers = [trial["number"] for trial in whole]
    heights = [max(t["quality"] for t in whole[: at + 1]) for at in range(len(whole))]
    axes.step(
        numbers, heights, where="post", color=_WHOLE, linewidth=1, alpha=0.6, label="best so far"
    )
    axes.set_title("Quality of held-out answers by trial", loc="left", fontsize=10)
    axes.set_xlabel("trial (1 is the default recipe)")
    axes.set_ylabel("served right, share")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color="#E5E5E5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="best")


def _points(
    axes: Axes, trials: Sequence[Mapping[str, Any]], *, shape: str, colour: str, label: str
) -> None:
    if trials:
        numbers = [trial["number"] for trial in trials]
        heights = [trial["quality"] for trial in trials]
        axes.plot(numbers, heights, shape, color=colour, label=label, markersize=7, zorder=3)


def _importance(axes: Axes, importances: Mapping[str, float]) -> None:
    axes.set_title("What mattered", loc="left", fontsize=10)
    if not importances:
        axes.text(0, 0.9, "Too few trials ran to their end to say.", fontsize=9, va="top")
        axes.set_axis_off()
        return
    ranked = sorted(importances.items(), key=lambda pair: pair[1])
    axes.barh([key for key, _ in ranked], [100 * share for _, share in ranked], color=_WHOLE)
    axes.set_xlabel("share of the differences explained, %")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
