"""Figures of several rounds, for people and for machines: medians with their spread."""

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from benchmarks.serving.load import Result

_BUSY_LOAD = 0.7


def spread(values: Iterable[float], *, digits: int = 0, unit: str = "") -> str:
    """The median, and in brackets the lowest and the highest; a dash where there is nothing."""
    found = sorted(values)
    if not found:
        return "–"
    middle, low, high = (
        f"{value:,.{digits}f}{unit}" for value in (statistics.median(found), found[0], found[-1])
    )
    return middle if len(found) == 1 else f"{middle} ({low}–{high})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, so that what slowed the machine in one round slowed both."""
    return [a / b for a, b in zip(ours, theirs, strict=True) if b]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, aligned so that it reads well in a terminal too."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(w) for cell, w in zip(cells, widths, strict=True)]
        return f"| {' | '.join(padded)} |"

    return "\n".join([line(header), line(["-" * w for w in widths]), *map(line, rows)])


def failures(results: Iterable[Result]) -> str:
    """How many requests failed, and why."""
    found: dict[str, int] = {}
    for result in results:
        for kind, count in result.failures.items():
            found[kind] = found.get(kind, 0) + count
    if not found:
        return "0"
    return f"{sum(found.values())}: " + ", ".join(f"{n} × {kind}" for kind, n in found.items())


def require_no_failures(results: Iterable[Result]) -> None:
    """Stop where requests failed: what is fast because it fails is not fast.

    Raises:
        SystemExit: some did.
    """
    found = failures(results)
    if found != "0":
        raise SystemExit(f"Requests failed ({found}), so these figures do not count.")


def machine() -> dict[str, Any]:
    """Where the figures were taken."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def warn_if_busy() -> None:
    """Say so where other programs work on this machine: figures would be theirs too."""
    load = os.getloadavg()[0]
    if load > _BUSY_LOAD:
        print(f"This machine is busy (load {load:.1f}): take these figures as rough.\n")


def save(file: Path | None, results: Mapping[str, Sequence[Result]], **about: Any) -> None:
    """Write every round's results as JSON, where a file is named."""
    if file is not None:
        rounds = {name: [asdict(r) for r in found] for name, found in results.items()}
        body = {"machine": machine(), **about, "results": rounds}
        file.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))
