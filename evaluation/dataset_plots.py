"""Plots of a dataset: how long questions and answers are, and what they are about."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_BLUE, _VERMILLION = "#0072B2", "#D55E00"
"""Okabe and Ito's blue and vermillion: told apart with any colour vision."""
_MOST_TOPICS = 30
_SIDES = (("train", "trained on", _BLUE), ("held_out", "held out", _VERMILLION))


def draw_lengths(lengths: Mapping[str, Any], path: Path) -> str:
    """Write the plot of lengths (`from_characters`, `question`, `answer`); returns it in words."""
    edges: list[int] = lengths["from_characters"]
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for what, at, colour in (("question", -0.2, _BLUE), ("answer", 0.2, _VERMILLION)):
        places = [place + at for place in range(len(edges))]
        axes.bar(places, lengths[what], color=colour, width=0.4, label=f"{what}s")
    axes.set_xticks(range(len(edges)), [f"{edge:,}" for edge in edges], fontsize=8)
    axes.set_xlabel("characters, from")
    axes.legend(frameon=False, fontsize=9)
    _plain(axes, grid="y")
    figure.savefig(path, dpi=110)
    said = [f"{what}s mostly have {_span(edges, lengths[what])}" for what in ("question", "answer")]
    return f"Bars of lengths in characters: {', '.join(said)}."


def draw_topics(by_topic: Mapping[str, Mapping[str, int]], path: Path) -> str:
    """Write the plot of topics by side; returns it in words. There must be a topic."""
    totals: dict[str, int] = {}
    for side, _, _ in _SIDES:
        for topic, number in by_topic.get(side, {}).items():
            totals[topic] = totals.get(topic, 0) + number
    topics = sorted(totals, key=lambda topic: (-totals[topic], topic))[:_MOST_TOPICS]
    figure = Figure(figsize=(8, 1.6 + 0.24 * len(topics)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _stack(axes, by_topic, topics)
    _plain(axes, grid="x")
    axes.set_xlabel("examples")
    figure.savefig(path, dpi=110)
    most, least = topics[0], topics[-1]
    others = f", to {least!r} with {totals[least]:,}" if len(topics) > 1 else ""
    return (
        f"Bars of examples by topic, {len(topics)} of {len(totals)} topics: from {most!r} with "
        f"{totals[most]:,}{others}."
    )


def _stack(axes: Axes, by_topic: Mapping[str, Mapping[str, int]], topics: Sequence[str]) -> None:
    places = range(len(topics) - 1, -1, -1)
    done = [0] * len(topics)
    for side, name, colour in _SIDES:
        numbers = [by_topic.get(side, {}).get(topic, 0) for topic in topics]
        axes.barh(list(places), numbers, left=done, color=colour, label=name, height=0.8)
        done = [a + b for a, b in zip(done, numbers, strict=True)]
    axes.set_yticks(list(places), [_short(topic) for topic in topics], fontsize=8)
    axes.legend(frameon=False, fontsize=9)


def _short(topic: str) -> str:
    """A topic as a label; `$` would begin a formula."""
    plain = topic.replace("$", r"\$")
    return plain if len(plain) <= 40 else plain[:39] + "…"


def _span(edges: Sequence[int], counts: Sequence[int]) -> str:
    """Between which edges the middle half lies."""
    total = sum(counts)
    if not total:
        return "none"
    bounds, seen = [], 0
    for edge, number in zip(edges, counts, strict=True):
        before, seen = seen, seen + number
        bounds += [edge for share in (0.25, 0.75) if before < share * total <= seen]
    after = next((edge for edge in edges if edge > bounds[-1]), None)
    return f"{bounds[0]:,} to {after:,}" if after else f"{bounds[0]:,} or more"


def _plain(axes: Axes, *, grid: Literal["x", "y"]) -> None:
    axes.grid(axis=grid, color="#E5E5E5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
