"""Scores of many cases as columns, in the order of the cases: what metrics are computed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.cases import Case
from evaluation.scores import Score

Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """One row per case. A topic is an index into `topics`; -1 means none is known."""

    should_escalate: Booleans
    escalated: Booleans
    right: Booleans
    token_f1: Floats
    not_served_right: Booleans
    true_topic: Integers
    answer_topic: Integers
    topics: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.escalated)

    def take(self, rows: Any) -> "ScoreTable":
        """The rows that a mask or an array of indices names."""
        return ScoreTable(
            should_escalate=self.should_escalate[rows],
            escalated=self.escalated[rows],
            right=self.right[rows],
            token_f1=self.token_f1[rows],
            not_served_right=self.not_served_right[rows],
            true_topic=self.true_topic[rows],
            answer_topic=self.answer_topic[rows],
            topics=self.topics,
        )


def tabulate(cases: Sequence[Case], scores: Sequence[Score]) -> ScoreTable:
    """Columns of the scores; each score belongs to the case at its place."""
    topics = tuple(sorted({case.topic for case in cases if case.topic is not None}))
    index = {topic: place for place, topic in enumerate(topics)}
    pairs = list(zip(cases, scores, strict=True))
    if any(case.id != score.case_id for case, score in pairs):
        raise ValueError("scores and cases are not in the same order")
    return ScoreTable(
        should_escalate=np.array([case.should_escalate for case in cases], dtype=bool),
        escalated=np.array([score.escalated for score in scores], dtype=bool),
        right=np.array([score.right for score in scores], dtype=bool),
        token_f1=np.array([score.token_f1 for score in scores], dtype=float),
        not_served_right=np.array([score.not_served_right for score in scores], dtype=bool),
        true_topic=np.array([index.get(case.topic or "", -1) for case in cases], dtype=int),
        answer_topic=np.array([index.get(score.topic or "", -1) for score in scores], dtype=int),
        topics=topics,
    )
