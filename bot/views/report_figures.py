"""A report's figures, made small: its tables, what got worse and better, how much changed."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from slack_sdk.models.blocks import Block, MarkdownBlock

from bot import wording
from bot.text import clean, cut, length, literal
from bot.views.content import small
from records.rounding import shown_difference

_LONGEST = 9000
_MOST_ROWS = 40
_MOST_SLICES = 6


def tables(markdown: str) -> list[Block]:
    """The tables of a report that is written in Markdown of ours, cut between rows."""
    rows = [row for row in markdown.splitlines() if row.startswith("|")]
    kept: list[str] = []
    used = 0
    for written in rows[:_MOST_ROWS]:
        row = clean(written).replace("<", "&lt;")
        used += length(row) + 2
        if used > _LONGEST:
            break
        kept.append(row)
    if not kept:
        return []
    blocks: list[Block] = [MarkdownBlock(text=_apart(kept))]
    left = len(rows) - len(kept)
    return [*blocks, small(wording.releases.ROWS_LEFT_OUT.format(number=left))] if left else blocks


def _apart(rows: list[str]) -> str:
    """Rows as text, with an empty line before each table but the first."""
    heads = [n - 1 for n, row in enumerate(rows) if n and set(row) <= set("| -:")]
    return "\n".join(f"\n{row}" if n in heads and n else row for n, row in enumerate(rows))


def slice_lines(body: Mapping[str, Any]) -> list[str]:
    """The slices in which customers are served worse, and better; the greatest change first."""
    changed = []
    for entry in body.get("slices") or []:
        difference = entry.get("difference") or {}
        if difference.get("value") and (points := _points(entry)):
            changed.append((points, str(entry["name"]), difference))
    changed.sort(key=lambda row: -abs(row[0]))
    worse = [_slice(*row) for row in changed if row[0] > 0]
    better = [_slice(*row) for row in changed if row[0] < 0]
    found = []
    for words, names in ((wording.releases.WORSE, worse), (wording.releases.BETTER, better)):
        if names:
            found.append(words.format(slices=_listed(names)))
    return found


def _listed(names: list[str]) -> str:
    shown = list(islice(names, _MOST_SLICES))
    if len(names) > len(shown):
        shown.append(wording.releases.MORE_SLICES.format(number=len(names) - len(shown)))
    return ", ".join(shown)


def _points(entry: Mapping[str, Any]) -> float:
    """How much worse a slice is, in points: as a reader of the tables works it out."""
    before, after = ((entry.get(side) or {}).get("value") for side in ("champion", "challenger"))
    if before is None or after is None:
        return round(100 * float(entry["difference"]["value"]), 1)
    return shown_difference(100 * float(before), 100 * float(after), digits=1)


def _slice(points: float, name: str, difference: Mapping[str, Any]) -> str:
    """A slice with its change in points; `perhaps` where it may as well be none."""
    low, high = difference.get("low"), difference.get("high")
    is_sure = low is not None and high is not None and (low > 0 or high < 0)
    words = wording.releases.SLICE if is_sure else wording.releases.SLICE_PERHAPS
    return words.format(name=literal(cut(name, 80)), points=f"{points:+.1f}")


def changed_line(body: Mapping[str, Any]) -> str:
    """How many answers changed, and how; nothing where none was compared."""
    changes, words = body.get("changes") or {}, wording.releases
    fixed, broken, reworded = (changes.get(kind) for kind in ("fixed", "broken", "reworded"))
    if fixed is None or broken is None:
        return ""
    if reworded is None:
        return words.CHANGED.format(fixed=f"{fixed:,}", broken=f"{broken:,}")
    return words.CHANGED_REWORDED.format(
        fixed=f"{fixed:,}", broken=f"{broken:,}", reworded=f"{reworded:,}"
    )
