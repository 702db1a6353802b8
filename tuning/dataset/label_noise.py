"""Examples that were probably corrected wrongly: those with questions like theirs teach otherwise.

An answer, or a group of answers that say the same, is a label; questions vote on each other's
labels (`evaluation/label_noise.py`). Nothing is trained, and memory does not grow with the number
of examples.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from evaluation.label_noise import Disagreement, Vectors, disagreement, word_vectors
from evaluation.table import Integers
from tuning.dataset.answer_groups import answer_groups
from tuning.dataset.examples import place
from tuning.dataset.options import Features
from tuning.dataset.rows import Row

CLEAR = 0.3
"""Lead of the other answer's votes (0..1) from which an example is a candidate."""
MOST = 20_000
"""Examples that are compared with each other; of frequent answers some are left out."""
MOST_READ = 60_000
"""Examples that are held in memory; of more, a sample is."""
_SENTENCES = range(100, 3_001)
"""So many examples for which the slower, better features are worth their time (half a minute)."""
_QUESTION_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Taught:
    """What an example says is right: a question with its answer."""

    id: str
    question: str
    answer: str
    escalates: bool = False

    @classmethod
    def of(cls, row: Row) -> "Taught | None":
        """What a dataset's row says is right; None for one that is only wrong, or synthetic.

        Synthetic questions would vote for the example that they were made from.
        """
        if row.answer is None or row.synthetic_of is not None:
            return None
        asked = [m["content"] for m in reversed(row.prompt) if m["role"] == "user"]
        question = "\n".join(asked)[:_QUESTION_CHARACTERS]
        return cls(row.id, question, row.answer, row.should_escalate)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An example that may be wrong."""

    id: str
    score: float
    """Lead of the other answer's votes, `CLEAR`..1; higher is clearer."""
    expected_id: str
    """The example most like it that teaches the other answer."""
    expected: str
    """The answer that the others teach."""
    expects_escalation: bool
    voters: int
    """How many of its nearest questions are answered so."""
    neighbours: int

    @property
    def why(self) -> str:
        """In words."""
        return f"{self.voters} of the {self.neighbours} questions most like it are answered so"

    @property
    def detail(self) -> dict[str, Any]:
        """For a doubt: figures only."""
        return {"score": round(self.score, 3), "voters": self.voters, "of": self.neighbours}


@dataclass(frozen=True, slots=True)
class Noise:
    """Candidates, the clearest first, and how many examples they were looked for among."""

    candidates: list[Candidate] = field(default_factory=list)
    judged: int = 0
    unjudged: int = 0
    """Examples whose answer no other has: nobody can agree or disagree with them."""
    left_out: int = 0
    """Examples past the limits, and so not looked at."""
    answers: int = 0
    """Different answers that were given more than once."""
    features: Features = Features.WORDS

    def as_json(self, *, most: int = 50) -> dict[str, Any]:
        """For a dataset's card; only the clearest `most` candidates are named."""
        named = [{**asdict(one), "why": one.why} for one in self.candidates[:most]]
        return {**asdict(self), "found": len(self.candidates), "candidates": named}


def find_noise(
    taught: Iterable[Taught],
    *,
    features: Features = Features.AUTO,
    least: float = CLEAR,
    most: int = MOST,
    seed: int = 0,
) -> Noise:
    """Examples that others disagree with by at least `least`.

    The same examples give the same result, in whatever order they come. An answer that only one
    example gives cannot be judged. Of more than `most_read` examples a sample by id is looked at,
    and of those at most `most`: as many of each answer as the rarer answers leave room for.
    """
    read, seen = _sample(taught, MOST_READ)
    labels = _labels(read)
    counts = Counter(labels)
    alone = sum(counts[label] < 2 for label in labels)
    chosen = _capped(labels, most=most)
    if len({labels[at] for at in chosen}) < 2:
        return Noise(judged=0, unjudged=alone, left_out=seen - alone, answers=0)
    kept = [read[at] for at in chosen]
    used = _pick(features, len(kept))
    vectors = _vectors([one.question for one in kept], used, seed=seed)
    numbers = _dense([labels[at] for at in chosen])
    return Noise(
        candidates=_candidates(kept, disagreement(vectors, numbers), least=least),
        judged=len(kept),
        unjudged=alone,
        left_out=seen - alone - len(kept),
        answers=int(numbers.max()) + 1,
        features=used,
    )


def _sample(taught: Iterable[Taught], most: int) -> tuple[list[Taught], int]:
    """At most so many, in the order of their ids; which ones does not depend on who else is there.

    Returned with how many there were.
    """
    seen = 0

    def counted() -> Iterable[tuple[float, str, Taught]]:
        nonlocal seen
        for one in taught:
            seen += 1
            yield -place("label noise", one.id), one.id, one

    kept = heapq.nlargest(most, counted(), key=lambda item: item[:2])
    return sorted((one for _, _, one in kept), key=lambda one: one.id), seen


def _labels(read: Sequence[Taught]) -> list[tuple[bool, int]]:
    groups = answer_groups([one.answer for one in read])
    return [(one.escalates, group) for one, group in zip(read, groups, strict=True)]


def _capped(labels: Sequence[tuple[bool, int]], *, most: int) -> list[int]:
    """Places of those that are compared: of each answer that several give, at most equally many."""
    sizes = sorted(number for number in Counter(labels).values() if number > 1)
    cap, room = 0, most
    for at, size in enumerate(sizes):
        cap = room // (len(sizes) - at)
        if size > cap:
            break
        room -= size
        cap = size
    taken: Counter[tuple[bool, int]] = Counter()
    counts = Counter(labels)
    chosen = []
    for at, label in enumerate(labels):
        if counts[label] > 1 and taken[label] < max(cap, 2):
            taken[label] += 1
            chosen.append(at)
    return chosen


def _pick(features: Features, number: int) -> Features:
    if features is not Features.AUTO:
        return features
    return Features.SENTENCES if number in _SENTENCES else Features.WORDS


def _vectors(questions: Sequence[str], features: Features, *, seed: int) -> Vectors:
    if features is Features.WORDS:
        return word_vectors(questions, seed=seed)
    from tuning.dataset.sentence_vectors import sentence_vectors

    return sentence_vectors(questions)


def _dense(labels: Sequence[tuple[bool, int]]) -> Integers:
    numbers: dict[tuple[bool, int], int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], np.int64)


def _candidates(kept: Sequence[Taught], found: Disagreement, *, least: float) -> list[Candidate]:
    places = [at for at in np.flatnonzero(found.score >= least) if found.shown_by[at] >= 0]
    candidates = [_candidate(kept, found, int(at)) for at in places]
    return sorted(candidates, key=lambda one: (-one.score, one.id))


def _candidate(kept: Sequence[Taught], found: Disagreement, at: int) -> Candidate:
    shown = kept[found.shown_by[at]]
    return Candidate(
        id=kept[at].id,
        score=float(found.score[at]),
        expected_id=shown.id,
        expected=shown.answer,
        expects_escalation=shown.escalates,
        voters=int(found.voters[at]),
        neighbours=found.neighbours,
    )
