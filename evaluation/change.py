"""What became of a case's answer between two versions. Pure."""

from enum import StrEnum

from evaluation.scores import Score

_HANDED_OVER = "(handed over) "


class Change(StrEnum):
    """How an answer changed; the worst first."""

    BROKEN = "broken"
    FIXED = "fixed"
    REWORDED = "reworded"
    """Other words, as right or as wrong as before."""


def change(old: Score, new: Score) -> Change | None:
    """How an answer changed; None where both say the same."""
    if old.not_served_right != new.not_served_right:
        return Change.BROKEN if new.not_served_right else Change.FIXED
    return Change.REWORDED if said(old) != said(new) else None


def said(score: Score) -> str:
    """An answer's words, and whether it handed over."""
    return f"{_HANDED_OVER}{score.text}".strip() if score.escalated else score.text
