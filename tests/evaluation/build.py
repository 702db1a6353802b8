"""Small values for the tests of evaluation: cases, score tables, reports."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.cases import Case, CaseFile, parse_cases
from evaluation.intervals import Sampling
from evaluation.table import ScoreTable

REFERENCES = {
    "card": "Your card arrives within ten working days.",
    "limit": "You can raise your limit under Settings, then Limits.",
    "pin": "Unlock your PIN at any cash machine with the code in the app.",
}


def line(question: str, **changes: Any) -> dict[str, Any]:
    """A case as it is written in a file."""
    return {
        "messages": [{"role": "user", "content": question}],
        "reference": REFERENCES["card"],
        "should_escalate": False,
        "topic": "card",
        "slice": {"knowledge": "known"},
        **changes,
    }


def case_file(lines: Sequence[Any], path: str | None = None) -> CaseFile:
    written = [json.dumps(entry).encode() for entry in lines]
    return parse_cases(written, path=path)


def case(question: str = "Where is my card?", **changes: Any) -> Case:
    (only,) = case_file([line(question, **changes)]).cases
    return only


def many_lines(count: int) -> list[dict[str, Any]]:
    """Questions over three topics; a quarter needs a person; half are known, half new."""
    lines = []
    for number in range(count):
        topic = ("card", "limit", "pin")[number % 3]
        person = number % 4 == 0
        lines.append(
            line(
                f"Question {number} about {topic}",
                topic=topic,
                reference="A colleague will look into it." if person else REFERENCES[topic],
                should_escalate=person,
                slice={
                    "knowledge": "new" if number % 2 else "known",
                    "needs_person": "yes" if person else "no",
                },
            )
        )
    return lines


def table(**columns: Sequence[Any]) -> ScoreTable:
    """A score table; columns left out are filled in, `not_served_right` by its rule."""
    size = len(next(iter(columns.values())))
    column = {name: np.asarray(values) for name, values in columns.items()}

    def boolean(name: str) -> Any:
        return column.get(name, np.zeros(size)).astype(bool)

    should, escalated, right = boolean("should_escalate"), boolean("escalated"), boolean("right")
    true = column.get("true_topic", np.full(size, -1)).astype(int)
    answered = column.get("answer_topic", np.full(size, -1)).astype(int)
    count = max([*true.tolist(), *answered.tolist(), -1]) + 1
    return ScoreTable(
        should_escalate=should,
        escalated=escalated,
        right=right,
        token_f1=column.get("token_f1", right).astype(float),
        not_served_right=np.where(should, ~escalated, escalated | ~right),
        true_topic=true,
        answer_topic=answered,
        topics=tuple(f"topic {number}" for number in range(count)),
    )


def sampling(seed: int = 0, resamples: int = 300) -> Sampling:
    return Sampling(np.random.default_rng(seed), resamples=resamples)
