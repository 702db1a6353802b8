"""Every answer that changed between two versions, as a file for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterator

from evaluation.cases import Case
from evaluation.change import Change, change, said
from evaluation.report import Measured, Side
from records.messages import Role

FILE = "changes.csv"
HEADING = (
    "change",
    "topic",
    "question",
    "right answer",
    "champion's answer",
    "challenger's answer",
    "case",
)
_ORDER = list(Change)
_A_PERSON = "(a person)"
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def changes_csv(measured: Measured) -> str | None:
    """What was broken, what was fixed, and what was reworded, in this order.

    None where there is no champion to compare with.
    """
    if measured.champion is None:
        return None
    rows = sorted(_rows(measured, measured.champion), key=lambda row: _ORDER.index(Change(row[0])))
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEADING)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: customers and models write what they like."""
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def _rows(measured: Measured, champion: Side) -> Iterator[tuple[str, ...]]:
    sides = (champion.scores, measured.challenger.scores)
    for case, old, new in zip(measured.cases, *sides, strict=True):
        changed = change(old, new)
        if changed is not None:
            yield (
                changed,
                case.topic or "",
                _asked(case),
                _A_PERSON if case.should_escalate else case.reference,
                said(old),
                said(new),
                case.id,
            )


def _asked(case: Case) -> str:
    return next(m.content for m in reversed(case.messages) if m.role is Role.CUSTOMER)
