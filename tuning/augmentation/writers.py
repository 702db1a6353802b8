"""Who words questions anew: a model that is asked, or rules. Both answer a batch at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tuning.augmentation import rules
from tuning.augmentation.asking import Asker
from tuning.augmentation.paraphrasing import paraphrase, translate, wording_of
from tuning.dataset.examples import TrainingExample

_EVERY_THIRD = 3
_ENGLISH = "English"
_NAMES = {
    "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": _ENGLISH, "es": "Spanish",
    "fi": "Finnish", "fr": "French", "hu": "Hungarian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
    "zh": "Chinese",
}  # fmt: skip


class Writer(Protocol):
    """Gives other wordings of what is asked last."""

    @property
    def name(self) -> str:
        """As the dataset's card names it."""

    def wordings(self, examples: Sequence[TrainingExample], count: int) -> list[list[str]]:
        """Up to `count` wordings for each example, unchecked.

        Raises:
            EngineError: nobody can be asked.
        """


@dataclass(frozen=True, slots=True)
class RulesWriter:
    """Words questions anew by rules; the same for the same seed."""

    seed: int
    name: str = "rules"

    def wordings(self, examples: Sequence[TrainingExample], count: int) -> list[list[str]]:
        """See `Writer`."""
        return [
            rules.wordings(e.prompt[-1].content, count, seed=f"{self.seed}\0{e.id}")
            for e in examples
        ]


class ModelWriter:
    """Asks a model: paraphrases in several manners, and every third one there and back again."""

    def __init__(
        self,
        asker: Asker,
        *,
        languages: Sequence[str] = (),
        home: Callable[[str], str] = lambda _: _ENGLISH,
    ) -> None:
        """Ask `asker`; `languages` are gone through, `home` names the language of a text."""
        self.name = asker.endpoint.model
        self._asker, self._languages, self._home = asker, tuple(languages), home

    def wordings(self, examples: Sequence[TrainingExample], count: int) -> list[list[str]]:
        """See `Writer`."""
        questions = [example.prompt[-1].content for example in examples]
        abroad = [n for n in range(count) if self._languages and n % _EVERY_THIRD == 2]
        near = [n for n in range(count) if n not in abroad]
        asks = [paraphrase(question, number=n) for question in questions for n in near]
        said = iter(self._asker.answers(asks))
        paraphrased = [[wording_of(next(said)) for _ in near] for _ in questions]
        homes = [self._home(f"{q} {e.answer}") for q, e in zip(questions, examples, strict=True)]
        trips = [
            [(question, self._language(n, home), home) for n in abroad]
            for question, home in zip(questions, homes, strict=True)
        ]
        returned = iter(self._there_and_back([trip for several in trips for trip in several]))
        return [
            [*ours, *(next(returned) for _ in several)]
            for ours, several in zip(paraphrased, trips, strict=True)
        ]

    def _language(self, number: int, home: str) -> str:
        """The language that the wording of a number goes through; never its own."""
        foreign = [name for name in self._languages if name != home] or [_ENGLISH]
        return foreign[(number // _EVERY_THIRD) % len(foreign)]

    def _there_and_back(self, trips: Sequence[tuple[str, str, str]]) -> list[str]:
        """Each question through a language and home; what couldn't be translated is empty."""
        there = self._asker.answers([translate(q, language=abroad) for q, abroad, _ in trips])
        foreign = [wording_of(answer) for answer in there]
        arrived = [at for at, text in enumerate(foreign) if text]
        back = self._asker.answers(
            [translate(foreign[at], language=trips[at][2]) for at in arrived]
        )
        found = dict(zip(arrived, map(wording_of, back), strict=True))
        return [found.get(at, "") for at in range(len(trips))]


def home_language() -> Callable[[str], str]:
    """A function that names the language of a text; English where it can't be told."""
    from tuning.dataset.steps.language import language_guess

    guess = language_guess()
    return lambda text: _NAMES.get(guess(text) or "", _ENGLISH)
