"""What an answer is worth while a model is trained. Pure.

By evaluation's own scores, so that what is aimed at is what the gate judges.
"""

from dataclasses import dataclass

from evaluation.answers import Answer
from evaluation.cases import Case
from evaluation.scores import Score, Topics, score
from records.handoff import without_marker
from tuning.dataset.rows import Row

_NO_TOPICS = Topics([])


@dataclass(frozen=True, slots=True)
class Marking:
    """The assistant's handoff marker, and the token-F1 from which an answer counts as right."""

    marker: str
    right_answer_f1: float

    def served_right(self, row: Row, text: str) -> float:
        """1 where the customer would be served right: the right answer, or a needed handoff."""
        return float(not self._score(row, text).not_served_right)

    def reward(self, row: Row, text: str) -> float:
        """0..1, for GRPO: half for serving right, half for being near it.

        Near is token-F1 with the right answer; nothing where the handoff is wrong, so that a
        handoff at the wrong time never pays.
        """
        found = self._score(row, text)
        if found.escalated != row.should_escalate:
            return 0.0
        near = 1.0 if row.should_escalate else found.token_f1
        return 0.5 * (not found.not_served_right) + 0.5 * near

    def _score(self, row: Row, text: str) -> Score:
        _, reference = without_marker(row.answer or "", marker=self.marker)
        case = Case(
            id=row.id,
            messages=(),
            reference=reference,
            should_escalate=row.should_escalate,
            topic=None,
            slice={},
        )
        return score(
            case,
            Answer(text),
            marker=self.marker,
            topics=_NO_TOPICS,
            right_answer_f1=self.right_answer_f1,
        )
