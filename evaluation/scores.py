"""Scores: what one answer to one case is worth. Pure; what many of them say is `metrics`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evaluation.answers import REFUSED, Answer
from evaluation.cases import Case
from records.handoff import without_marker
from records.text import normalise, token_f1, words

NO_TOPIC = "none"
"""The topic of an answer that is like no reference."""

TOPIC_FLOOR = 0.3
"""Token-F1 under which an answer is about no topic of the file."""


@dataclass(frozen=True, slots=True)
class Score:
    """One answer, judged. `text` is what the customer would read of it."""

    case_id: str
    text: str
    escalated: bool
    right: bool
    """Token-F1 with the reference reaches the threshold; says nothing of the handoff."""
    token_f1: float
    exact: bool
    not_served_right: bool
    """Kept though a person was needed; or handed over without need, or answered wrongly."""
    topic: str | None
    """The topic whose reference the answer is most like; None where it was handed over."""
    length_words: int
    duration_ms: float | None
    marker_clean: bool
    """The handoff marker is absent, or stands once, whole, at the very start."""
    truncated: bool
    refused: bool


class Topics:
    """Which topic of a case file a text is about.

    A reference that several topics share (a common handoff sentence) points to none of them.
    """

    def __init__(self, cases: Iterable[Case], *, floor: float = TOPIC_FLOOR) -> None:
        """Learn the references of the cases' topics."""
        topics: dict[str, set[str]] = {}
        for case in cases:
            if case.topic is not None and normalise(case.reference):
                topics.setdefault(normalise(case.reference), set()).add(case.topic)
        self._references = [
            (Counter(reference.split()), next(iter(named)))
            for reference, named in sorted(topics.items())
            if len(named) == 1
        ]
        self._floor = floor
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        """The topic with the highest token-F1 (the first by reference of equal ones)."""
        key = normalise(text)
        if key not in self._known:
            self._known[key] = self._nearest(Counter(key.split()))
        return self._known[key]

    def _nearest(self, given: Counter[str]) -> str:
        best, topic = 0.0, NO_TOPIC
        for reference, name in self._references:
            likeness = 2 * (given & reference).total() / (given.total() + reference.total())
            if likeness > best:
                best, topic = likeness, name
        return topic if best >= self._floor else NO_TOPIC


def score(
    case: Case, answer: Answer, *, marker: str, topics: Topics, right_answer_f1: float
) -> Score:
    """Judge one answer; `right_answer_f1` is the token-F1 from which it counts as right."""
    escalated, text = without_marker(answer.content, marker=marker)
    likeness = token_f1(text, case.reference)
    right = likeness >= right_answer_f1
    return Score(
        case_id=case.id,
        text=text,
        escalated=escalated,
        right=right,
        token_f1=likeness,
        exact=normalise(text) == normalise(case.reference),
        not_served_right=not escalated if case.should_escalate else escalated or not right,
        topic=None if escalated else topics.of(text),
        length_words=len(words(text)),
        duration_ms=answer.duration_ms,
        marker_clean=_marker_clean(answer.content, marker=marker),
        truncated=answer.finish_reason == "length",
        refused=answer.finish_reason == REFUSED,
    )


def score_all(
    cases: Sequence[Case],
    answers: Mapping[str, Answer],
    *,
    marker: str,
    topics: Topics,
    right_answer_f1: float,
) -> list[Score]:
    """The score of each case, in the order of the cases."""
    return [
        score(case, answers[case.id], marker=marker, topics=topics, right_answer_f1=right_answer_f1)
        for case in cases
    ]


def _marker_clean(content: str, *, marker: str) -> bool:
    start = content.lstrip()
    rest = start.removeprefix(marker)
    # A marker that lost its first or last character would be read by the customer.
    return not any(part in rest for part in (marker, marker[1:], marker[:-1]) if len(part) > 1)
