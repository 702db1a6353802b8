"""What is in a dataset, counted on the sheet: by side, source, language, topic, length, licence."""

from typing import Any

from tuning.dataset.sheet import Sheet

SIDES = ("train", "held_out")
EDGES = (0, 20, 40, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 2560, 5120)
"""Characters at which the bars of length begin; the last one has no end."""
_NAMED = 50
"""Topics that are named; the others are one."""
OTHERS = "(others)"


def statistics(sheet: Sheet) -> dict[str, Any]:
    """Figures of the live examples; wants `split.split`."""
    sheet.run("""
        CREATE VIEW parts AS
        SELECT *, CASE WHEN held THEN 'held_out' ELSE 'train' END AS side
        FROM live JOIN sides USING (n)
    """)
    found = dict.fromkeys(SIDES, (0, 0))
    for side, number, escalating in sheet.rows(
        "SELECT side, count(*), count_if(escalates) FROM parts GROUP BY side"
    ):
        found[side] = number, escalating
    return {
        "counts": {side: number for side, (number, _) in found.items()},
        "by_source": _by(sheet, "source"),
        "should_escalate": {side: escalating for side, (_, escalating) in found.items()},
        "by_language": _by(sheet, "coalesce(language, 'undecided')"),
        "by_topic": {side: _most(found) for side, found in _by(sheet, "topic").items()},
        "licences": _by(sheet, "licence"),
        "lengths": {
            "from_characters": list(EDGES),
            "question": _lengths(sheet, "asked_characters"),
            "answer": _lengths(sheet, "answer_characters"),
        },
    }


def _by(sheet: Sheet, expression: str) -> dict[str, dict[str, int]]:
    """How many of each kind are on each side, by name; those without a kind are left out."""
    rows = sheet.rows(
        f"SELECT side, {expression} AS kind, count(*) FROM parts "  # noqa: S608 - ours
        "WHERE kind IS NOT NULL GROUP BY ALL ORDER BY kind"
    )
    return {side: {kind: n for at, kind, n in rows if at == side} for side in SIDES}


def _most(counts: dict[str, int]) -> dict[str, int]:
    """The most frequent kinds, and how many the others are together."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(number for _, number in ordered[_NAMED:])
    return {**dict(ordered[:_NAMED]), **({OTHERS: rest} if rest else {})}


def _lengths(sheet: Sheet, column: str) -> list[int]:
    """How many have a length from each edge to the next."""
    rows = sheet.rows(
        f"SELECT list_count(list_filter($1::INTEGER[], lambda edge: edge <= {column})) AS bar, "  # noqa: S608
        "count(*) FROM parts GROUP BY bar",
        [list(EDGES)],
    )
    found = dict(rows)
    return [found.get(bar, 0) for bar in range(1, len(EDGES) + 1)]
