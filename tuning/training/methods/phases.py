"""Which phases a method has, and what each trains on: the dataset's rows become lessons here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from records.errors import TrainingFailed
from records.states import TrainingMethod
from tuning.dataset.documents import read_documents
from tuning.dataset.rows import DOCUMENTS, TRAIN, Row, read_rows
from tuning.training import lessons
from tuning.training.chat_tokens import Encoded
from tuning.training.lessons import Judged, Pair, Prompt, longest_part
from tuning.training.marking import Marking
from tuning.training.methods.answers import Answers
from tuning.training.methods.dpo import Preferences
from tuning.training.methods.grpo import Attempts
from tuning.training.methods.kto import Opinions
from tuning.training.methods.phase import Phase
from tuning.training.order import training_order
from tuning.training.recipe import Recipe

LessonT = TypeVar("LessonT", Encoded, Pair, Judged, Prompt)

_WANTED = {
    "right answers": "correct or import some first",
    "pairs of a right and a wrong answer": "they come from flags that were corrected; sft needs "
    "none",
    "judged answers": "they come from customers' thumbs and agents' flags; sft needs none",
    "documents": "import some (`understudy import FILE.md`); sft needs none",
}


@dataclass(slots=True)
class Course:
    """The phases of a run, and what was found for them."""

    phases: list[Phase] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Lessons by their kind, and how many were too long."""
    shown: list[Encoded] = field(default_factory=list)
    """What is learned, for looking at."""
    longest: int = 0
    """Tokens of the longest sequence."""


class Builder:
    """Reads a dataset for a recipe; each phase asks for the lessons that it needs."""

    def __init__(
        self,
        folder: Path,
        tokenizer: Any,
        recipe: Recipe,
        *,
        longest: int,
        marking: Marking,
        most_tokens: int,
    ) -> None:
        """`longest`: the limit in tokens; `most_tokens`: that of answers written in training."""
        self._folder, self._tokenizer, self._recipe = folder, tokenizer, recipe
        self._longest, self._marking, self._most_tokens = longest, marking, most_tokens
        self._course = Course()

    def build(self) -> Course:
        """The phases of the recipe's method, in their order.

        Raises:
            TrainingFailed: the dataset has nothing that a phase could train on.
        """
        phases: dict[TrainingMethod, Sequence[Callable[[], Phase]]] = {
            TrainingMethod.SFT: [self._answers],
            TrainingMethod.DPO: [self._pairs],
            TrainingMethod.SFT_DPO: [self._answers, self._pairs],
            TrainingMethod.KTO: [self._judged],
            TrainingMethod.DOCUMENTS: [self._documents, self._answers],
            TrainingMethod.GRPO: [self._attempts],
        }
        self._course.phases = [make() for make in phases[self._recipe.method]]
        return self._course

    def _answers(self) -> Phase:
        found = self._kept("right answers", lessons.answers(self._rows(), self._tokenizer))
        self._course.shown += found
        return Answers(
            "answers", found, self._plan(found, self._recipe.epochs), self._recipe.learning_rate
        )

    def _documents(self) -> Phase:
        documents = read_documents(self._folder / DOCUMENTS)
        pages = lessons.pages(documents, self._tokenizer, longest=self._longest)
        found = self._kept("documents", pages)
        return Answers(
            "documents",
            found,
            self._plan(found, self._recipe.document_epochs),
            self._recipe.learning_rate,
            judged=False,  # facts are learned to the end, whatever that does to answers meanwhile
        )

    def _pairs(self) -> Phase:
        found = self._kept(
            "pairs of a right and a wrong answer", lessons.pairs(self._rows(), self._tokenizer)
        )
        self._course.shown += [side for pair in found[:3] for side in (pair.right, pair.wrong)]
        return Preferences(
            found,
            self._plan(found, self._recipe.preference_epochs),
            learning_rate=self._recipe.preference_learning_rate,
            beta=self._recipe.preference_beta,
            answer_weight=self._recipe.preference_answer_weight,
        )

    def _judged(self) -> Phase:
        found = self._kept("judged answers", lessons.judged(self._rows(), self._tokenizer))
        self._course.shown += [one.answer for one in found[:3]]
        return Opinions(
            found,
            self._plan(found, self._recipe.preference_epochs),
            learning_rate=self._recipe.preference_learning_rate,
            beta=self._recipe.preference_beta,
        )

    def _attempts(self) -> Phase:
        found = self._kept("right answers", lessons.prompts(self._rows(), self._tokenizer))
        self._course.longest += self._most_tokens
        self._course.shown += [prompt.answered for prompt in found]
        return Attempts(found, self._marking, self._recipe, self._most_tokens)

    def _rows(self) -> Iterator[Row]:
        return read_rows(self._folder / TRAIN)

    def _kept(self, kind: str, found: Iterator[LessonT]) -> list[LessonT]:
        kept, too_long = lessons.fitting(found, longest=self._longest)
        counts = self._course.counts
        counts[kind] = len(kept)
        counts["too long"] = counts.get("too long", 0) + too_long
        if not kept and too_long:
            raise TrainingFailed(
                f"None of the {too_long} examples fits {self._longest} tokens; raise the recipe's "
                "max_length and the engine's max_model_len."
            )
        if not kept:
            raise TrainingFailed(
                f"method: {self._recipe.method} trains on {kind}, and the dataset has none: "
                f"{_WANTED[kind]}."
            )
        self._course.longest = max(self._course.longest, max(map(longest_part, kept)))
        return kept

    def _plan(self, found: Sequence[LessonT], epochs: float) -> list[list[int]]:
        """For each step the positions of its lessons."""
        batch = self._recipe.effective_batch
        order = training_order(len(found), epochs=epochs, seed=self._recipe.seed)
        return [order[begin : begin + batch] for begin in range(0, len(order), batch)]
