"""plot.png: the share of customers not served right, before and after, overall and by slice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluation.metrics import NOT_SERVED_RIGHT

_BEFORE, _AFTER, _LINK = "#0072B2", "#D55E00", "#BBBBBB"
"""Okabe and Ito's blue and vermillion: told apart with any colour vision; the shapes differ too."""
_OFFSET = 0.13
_MOST_SLICES = 20


def draw(body: Mapping[str, Any], path: Path) -> None:
    """Write the plot of a report; a figure that is undefined leaves its row empty."""
    overall = next(m for m in body["metrics"] if m["name"] == NOT_SERVED_RIGHT.name)
    rows = [{**overall, "name": "all", "cases": body["cases"]["count"]}]
    rows += body["slices"][:_MOST_SLICES]
    figure = Figure(figsize=(8, 1.9 + 0.62 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, row in enumerate(reversed(rows)):
        _row(axes, place, row)
    _frame(axes, body, rows)
    figure.savefig(path, dpi=150)


def _row(axes: Axes, place: int, row: Mapping[str, Any]) -> None:
    before, after = row["champion"], row["challenger"]
    if before is None:
        _mark(axes, place, after, colour=_AFTER, shape="s")
        return
    if before["value"] is not None and after["value"] is not None:
        ends = [100 * before["value"], 100 * after["value"]]
        axes.plot(ends, [place + _OFFSET, place - _OFFSET], color=_LINK, linewidth=1, zorder=1)
    _mark(axes, place + _OFFSET, before, colour=_BEFORE, shape="o")
    _mark(axes, place - _OFFSET, after, colour=_AFTER, shape="s")


def _mark(
    axes: Axes, height: float, estimate: Mapping[str, Any], *, colour: str, shape: str
) -> None:
    if estimate["value"] is None:
        return
    value = 100 * estimate["value"]
    if estimate["low"] is not None:
        ends = 100 * estimate["low"], 100 * estimate["high"]
        reach = [[max(0.0, value - ends[0])], [max(0.0, ends[1] - value)]]
        axes.errorbar(value, height, xerr=reach, color=colour, capsize=3, linewidth=1.6, zorder=2)
    axes.plot(
        value,
        height,
        marker=shape,
        color=colour,
        markersize=7,
        linestyle="",
        zorder=3,
        clip_on=False,
    )
    edge = value if estimate["high"] is None else 100 * estimate["high"]
    label = f"{value:.1f} %"
    axes.annotate(
        label,
        (edge, height),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        zorder=2,
    )


def _frame(axes: Axes, body: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    labels = [f"{row['name']}\n{row['cases']} cases" for row in reversed(rows)]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlim(left=0, right=_right_edge(rows))
    confidence = f"{100 * body['confidence']:g}"
    axes.set_xlabel(f"customers not served right, % (bars: {confidence} % intervals)")
    axes.grid(axis="x", color="#E5E5E5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    verdict = f"{body['verdict']}: c" if body["verdict"] else "C"
    axes.set_title(f"{verdict}ustomers of {body['assistant']!r} not served right", loc="left")
    _legend(axes, body)


def _legend(axes: Axes, body: Mapping[str, Any]) -> None:
    sides = [("champion", "o", _BEFORE), ("challenger", "s", _AFTER)]
    for side, shape, colour in sides:
        if body[side] is not None:
            name = f"{side}: {body[side]}" if body["champion"] else body[side]
            axes.plot([], [], marker=shape, color=colour, linestyle="", label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, frameon=False, fontsize=9)


def _right_edge(rows: list[dict[str, Any]]) -> float:
    """Room for the labels right of the longest bar."""
    ends = [
        estimate["high"] if estimate["high"] is not None else estimate["value"]
        for row in rows
        for estimate in (row["champion"], row["challenger"])
        if estimate is not None and estimate["value"] is not None
    ]
    return max(10.0, 112 * max(ends, default=0.0) + 3)
