"""What a dataset's rows teach, in tokens: answers, pairs, judged answers, prompts, pages.

Everything keeps the order of the rows. What does not fit the length limit is left out and counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from tuning.dataset.documents import PageRow
from tuning.dataset.rows import Row
from tuning.training.chat_tokens import Encoded, encode, encode_turns


@dataclass(frozen=True, slots=True)
class Pair:
    """A right and a wrong answer to the same prompt."""

    right: Encoded
    wrong: Encoded


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that was right, or wrong."""

    answer: Encoded
    right: bool


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt to be answered, and the row that says what is right."""

    token_ids: list[int]
    row: Row
    answered: Encoded
    """With the right answer."""


LessonT = TypeVar("LessonT", Encoded, Pair, Judged, Prompt)


def answers(rows: Iterable[Row], tokenizer: Any) -> Iterator[Encoded]:
    """The right answers, all of a conversation's that are to be learned."""
    for row in rows:
        learn = {at for at, wanted in enumerate(row.learn) if wanted}
        messages = list(row.prompt) if row.answer is None else row.chat()
        if row.answer is not None:
            learn.add(len(row.prompt))
        for found in encode_turns(tokenizer, messages, learn):
            yield replace(found, weight=row.weight, id=row.id)


def pairs(rows: Iterable[Row], tokenizer: Any) -> Iterator[Pair]:
    """The rows that know a right and a wrong answer."""
    for row in rows:
        if row.answer is not None and row.rejected is not None and row.answer != row.rejected:
            yield Pair(
                _last(row, tokenizer, row.answer),
                _last(row, tokenizer, row.rejected),
            )


def judged(rows: Iterable[Row], tokenizer: Any) -> Iterator[Judged]:
    """Every answer of which it is known whether it was right."""
    for row in rows:
        if row.answer is not None:
            yield Judged(_last(row, tokenizer, row.answer), right=True)
        if row.rejected is not None and row.rejected != row.answer:
            yield Judged(_last(row, tokenizer, row.rejected), right=False)


def prompts(rows: Iterable[Row], tokenizer: Any) -> Iterator[Prompt]:
    """What may be asked, where it is known what is right."""
    for row in rows:
        if row.answer is not None:
            answered = _last(row, tokenizer, row.answer)
            yield Prompt(answered.token_ids[: answered.start], row, answered)


def pages(documents: Iterable[PageRow], tokenizer: Any, *, longest: int) -> Iterator[Encoded]:
    """The words of documents, cut into pieces of at most `longest` tokens; all of it is learned.

    The end of one is marked as the end of a turn is, so that a model learns where texts end.
    """
    for page in documents:
        ids = tokenizer(page.text, add_special_tokens=False)["input_ids"]
        ids = [*_beginning(tokenizer), *ids, tokenizer.eos_token_id]
        for begin in range(0, len(ids) - 1, longest - 1):
            piece = ids[begin : begin + longest]  # one token in common: each is foretold once
            yield Encoded(piece, ((1, len(piece)),), id=page.id)


def fitting(lessons: Iterable[LessonT], *, longest: int) -> tuple[list[LessonT], int]:
    """The lessons of at most `longest` tokens, and how many are longer."""
    found = list(lessons)
    kept = [lesson for lesson in found if longest_part(lesson) <= longest]
    return kept, len(found) - len(kept)


def longest_part(lesson: Encoded | Pair | Judged | Prompt) -> int:
    """Tokens of a lesson's longest sequence."""
    if isinstance(lesson, Pair):
        return max(len(lesson.right.token_ids), len(lesson.wrong.token_ids))
    if isinstance(lesson, Judged):
        return len(lesson.answer.token_ids)
    if isinstance(lesson, Prompt):
        return len(lesson.answered.token_ids)
    return len(lesson.token_ids)


def _last(row: Row, tokenizer: Any, answer: str) -> Encoded:
    return replace(encode(tokenizer, row.chat(answer)), weight=row.weight, id=row.id)


def _beginning(tokenizer: Any) -> Sequence[int]:
    return [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
