"""Other wordings of the newest corrections: written, checked, and marked as synthetic.

An endpoint that is down costs wordings, never the run: what went wrong is told in the card.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from records.assistant import Assistant
from records.database import Database
from records.errors import EngineError, UnderstudyError
from records.messages import Message, Role
from tuning.augmentation.asking import Asker
from tuning.augmentation.checks import Vectors, nearest_answers, similarity_problem, text_problem
from tuning.augmentation.endpoint import Endpoint
from tuning.augmentation.paraphrasing import keeps_answer, says_yes
from tuning.augmentation.settings import AnswerCheck, AugmentationSettings, Wording
from tuning.augmentation.writers import ModelWriter, RulesWriter, Writer, home_language
from tuning.dataset.examples import TrainingExample, place

_BATCH = 64
_NEIGHBOURS = 2000
"""Labelled questions that wordings are compared with, beside those that are worded anew."""
_FEWEST_WORDS, _MOST_WORDS = 3, 120
_SAMPLES = 5

Vectorise = Callable[[Sequence[str]], Vectors]
"""Unit vectors of what sentences mean, shape (sentences, d)."""


@dataclass(slots=True)
class Report:
    """What augmentation did, for the dataset's card."""

    written_by: str = ""
    examples: int = 0
    """Corrections that were worded anew."""
    written: int = 0
    added: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    """Sent to the endpoint; the rest was answered before."""
    failure: str | None = None
    """Why it ended early, or did not begin."""
    samples: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "written_by": self.written_by,
            "examples": self.examples,
            "written": self.written,
            "added": self.added,
            "dropped": dict(self.dropped.most_common()),
            "requests": self.requests,
            "failure": self.failure,
            "samples": self.samples,
        }


@dataclass(frozen=True, slots=True)
class Checks:
    """What wordings of a model are checked by; rules need neither, they can't change a meaning."""

    vectorise: Vectorise
    asker: Asker | None = None
    """Asked whether the answer is right still; without it the nearest labelled question says so."""


class Augmentation:
    """Words corrections anew when it is called with what is trained on; `report` says what came."""

    def __init__(
        self,
        settings: AugmentationSettings,
        database: Database,
        assistant: Assistant,
        *,
        per_example: int,
        seed: int,
        check: Callable[[], None] = lambda: None,
        vectorise: Vectorise | None = None,
    ) -> None:
        """Want up to `per_example` wordings each; `check` is called often, and may raise."""
        self.report = Report()
        self._settings, self._database, self._assistant = settings, database, assistant
        self._per_example, self._seed, self._check = per_example, seed, check
        self._vectorise = vectorise

    def __call__(self, examples: Iterator[TrainingExample]) -> Iterator[TrainingExample]:
        """The wordings alone, by the ids of the examples that they are made from."""
        chosen, neighbours = choose(examples, most=self._settings.augment_examples)
        self.report.examples = len(chosen)
        if not chosen:
            return
        with ExitStack() as opened:
            try:
                writer, checks = self._begin(opened)
                yield from wordings(
                    chosen, neighbours, writer=writer, checks=checks, report=self.report,
                    per_example=self._per_example, check=self._check,
                )  # fmt: skip
            except EngineError as error:
                self.report.failure = f"{error} The run went on without further wordings."
            except UnderstudyError as error:
                if self.report.written_by:
                    raise
                self.report.failure = f"{error} The run went on without other wordings."

    def _begin(self, opened: ExitStack) -> tuple[Writer, Checks | None]:
        settings = self._settings
        if settings.augment_with is Wording.RULES:
            return RulesWriter(self._seed), None
        endpoint = Endpoint.of(settings, self._database, self._assistant)
        cache, at_once = settings.augmentation_cache, settings.augment_at_once
        asker = opened.enter_context(
            Asker(endpoint, cache=cache, at_once=at_once, check=self._check)
        )
        opened.callback(lambda: setattr(self.report, "requests", asker.asked))
        writer = ModelWriter(asker, languages=settings.pivots, home=home_language())
        asks = settings.augment_check is AnswerCheck.MODEL
        return writer, Checks(self._vectorise or _sentence_vectors, asker if asks else None)


def choose(
    examples: Iterable[TrainingExample], *, most: int, neighbours: int = _NEIGHBOURS
) -> tuple[list[TrainingExample], list[TrainingExample]]:
    """The newest corrections to be worded anew, by id, and labelled questions to compare with.

    The latter are drawn by hash. Memory holds no more than both, however many examples there are.
    """
    newest: list[tuple[Any, str, TrainingExample]] = []
    drawn: list[tuple[float, str, TrainingExample]] = []
    for example in examples:
        if not example.answer.strip() or example.synthetic_of is not None:
            continue
        _keep(drawn, (-place("neighbour", example.id), example.id, example), neighbours)
        if _is_worth_it(example):
            _keep(newest, (example.created_at, example.id, example), most)
    chosen = sorted((example for *_, example in newest), key=lambda e: e.id)
    known = {example.id for example in chosen}
    others = [example for *_, example in drawn if example.id not in known]
    return chosen, sorted(others, key=lambda e: e.id)


def wordings(
    chosen: Sequence[TrainingExample],
    neighbours: Sequence[TrainingExample],
    *,
    writer: Writer,
    checks: Checks | None,
    per_example: int,
    report: Report,
    check: Callable[[], None] = lambda: None,
) -> Iterator[TrainingExample]:
    """Wordings that passed all checks, as examples named `ID+1`, `ID+2` and so on.

    Raises:
        EngineError: nobody can be asked any more.
    """
    report.written_by = writer.name
    labelled = [*chosen, *neighbours]
    vectors: Vectors | None = None
    waiting = iter(chosen)
    while batch := list(islice(waiting, _BATCH)):
        check()
        written = [
            _usable(example, texts, report)
            for example, texts in zip(batch, writer.wordings(batch, per_example), strict=True)
        ]
        if checks is not None:
            if vectors is None:
                vectors = checks.vectorise([_asked(example) for example in labelled])
            written = _meant(batch, written, checks, labelled, vectors, report)
        for example, texts in zip(batch, written, strict=True):
            yield from _examples(example, texts, report)


def _is_worth_it(example: TrainingExample) -> bool:
    if example.source.is_customers_word or example.prompt[-1].role is not Role.CUSTOMER:
        return False
    return _FEWEST_WORDS <= len(_asked(example).split()) <= _MOST_WORDS


def _keep(heap: list[Any], entry: Any, most: int) -> None:
    if len(heap) < most:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def _usable(example: TrainingExample, texts: Sequence[str], report: Report) -> list[str]:
    kept: list[str] = []
    for text in texts:
        report.written += 1
        problem = text_problem(_asked(example), text, kept)
        if problem is None:
            kept.append(text)
        else:
            report.dropped[problem] += 1
    return kept


def _meant(
    batch: Sequence[TrainingExample],
    written: Sequence[Sequence[str]],
    checks: Checks,
    labelled: Sequence[TrainingExample],
    vectors: Vectors,
    report: Report,
) -> list[list[str]]:
    """The wordings that mean what is asked, and whose right answer is the same."""
    pairs = [(at, text) for at, texts in enumerate(written) for text in texts]
    if not pairs:
        return [[] for _ in batch]
    places = {example.id: at for at, example in enumerate(labelled)}
    ours = checks.vectorise([text for _, text in pairs])
    theirs = vectors[[places[batch[at].id] for at, _ in pairs]]
    similar = np.sum(ours * theirs, axis=1)
    right = _keep_answers(batch, pairs, checks, labelled, ours, vectors)
    kept: list[list[str]] = [[] for _ in batch]
    for (at, text), similarity, is_right in zip(pairs, similar, right, strict=True):
        problem = similarity_problem(float(similarity))
        problem = problem or (None if is_right else "has another right answer")
        if problem is None:
            kept[at].append(text)
        else:
            report.dropped[problem] += 1
    return kept


def _keep_answers(
    batch: Sequence[TrainingExample],
    pairs: Sequence[tuple[int, str]],
    checks: Checks,
    labelled: Sequence[TrainingExample],
    ours: Vectors,
    vectors: Vectors,
) -> list[bool]:
    if checks.asker is not None:
        asks = [keeps_answer(text, batch[at].answer) for at, text in pairs]
        return [says_yes(answer) for answer in checks.asker.answers(asks)]
    answers = nearest_answers(ours, vectors, [example.answer_key for example in labelled])
    return [batch[at].answer_key == answer for (at, _), answer in zip(pairs, answers, strict=True)]


def _examples(
    example: TrainingExample, texts: Sequence[str], report: Report
) -> Iterator[TrainingExample]:
    for number, text in enumerate(texts, start=1):
        report.added += 1
        if len(report.samples) < _SAMPLES:
            report.samples.append({"asked": _asked(example)[:160], "wording": text[:160]})
        yield replace(
            example,
            id=f"{example.id}+{number}",
            prompt=(*example.prompt[:-1], Message(Role.CUSTOMER, text)),
            synthetic_of=example.id,
            rejected=None,
        )


def _asked(example: TrainingExample) -> str:
    return example.prompt[-1].content


def _sentence_vectors(texts: Sequence[str]) -> Vectors:
    from tuning.dataset.sentence_vectors import sentence_vectors

    return sentence_vectors(texts)
