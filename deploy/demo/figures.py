"""What the demo ends with: figures in a file, a table, and a plot before and after."""

import json
import shutil
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

LABELS = {
    "knowledge=known": "topics it knew before",
    "knowledge=new": "topics it had to learn",
    "needs_person=yes": "a person was needed",
    "needs_person=no": "no person was needed",
}


def make_console(*, on_error_stream: bool = False) -> Console:
    """The terminal, or a hundred columns where the output goes elsewhere."""
    console = Console(stderr=on_error_stream)
    return console if console.is_terminal else Console(stderr=on_error_stream, width=100)


def percent(estimate: dict[str, Any]) -> str:
    """An estimated share with its 95 % interval."""
    value, low, high = (100 * estimate[key] for key in ("value", "low", "high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def points(estimate: dict[str, Any]) -> str:
    """An estimated difference of shares with its 95 % interval, in points."""
    value, low, high = (100 * estimate[key] for key in ("value", "low", "high"))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def primary(report: dict[str, Any]) -> dict[str, Any]:
    """The report's entry of the share of customers not served right."""
    found: dict[str, Any] = next(m for m in report["metrics"] if m["name"] == "not_served_right")
    return found


def relative_fall(report: dict[str, Any]) -> float:
    """By what share fewer customers are not served right (0.4 is 40 % fewer)."""
    entry = primary(report)
    before, after = entry["champion"]["value"], entry["challenger"]["value"]
    return float((before - after) / before) if before else 0.0


def before_after(report: dict[str, Any]) -> Table:
    """The table that the demo ends with."""
    entry = primary(report)
    table = Table(
        title="Customers not served right, in %, on queries that never trained (95 % intervals)"
    )
    for heading in ("", "cases", "before", "after", "points"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    rows = [("all", entry["champion"]["cases"], entry)]
    rows += [(LABELS.get(s["name"], s["name"]), s["cases"], s) for s in report["slices"]]
    for label, cases, row in rows:
        table.add_row(
            label,
            str(cases),
            percent(row["champion"]),
            percent(row["challenger"]),
            points(row["difference"]),
        )
    return table


def write(folder: Path, figures: dict[str, Any], *, plot: Path) -> Path:
    """Keep the figures, and the plot beside them; returns the file of figures."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(plot, folder / "before_after.png")
    path = folder / "report.json"
    path.write_text(json.dumps(figures, indent=2, ensure_ascii=False, default=str) + "\n")
    return path
