"""Personal data out of examples, and answers that must not be learned without it.

At work the model reads real values, never placeholders, so what it learns of placeholders is only
that one can say them. Hence two steps:

1. Everything personal is replaced, in all texts (`tuning/dataset/personal_data/`).
2. An answer with a placeholder is not learned: nothing that the team tells one customer is an
   answer to others, and a model that learned "We have written to <EMAIL_1>" says just that. The
   example is dropped; an earlier answer in a conversation is only read; a handoff, which needs no
   words of its own, gets the assistant's sentence. A rejected answer may hold one: training leads
   away from it.
   With `data.personal_data.learn_copies` an answer is learned if the conversation holds all its
   placeholders and it says anything else; that is for models that are known to copy.
"""

from collections.abc import Sequence
from dataclasses import replace

from records.assistant import Assistant
from records.handoff import with_marker
from records.messages import Message, Role
from tuning.dataset.examples import TrainingExample
from tuning.dataset.options import PersonalDataOptions
from tuning.dataset.personal_data.conceal import Concealer, Said
from tuning.dataset.personal_data.finder import PLACEHOLDER
from tuning.dataset.personal_data.salutations import without_salutation
from tuning.dataset.steps.step import Dropped
from tuning.dataset.steps.texts import around_marker, with_new_texts


class PersonalDataOut:
    """The first step: replaces personal data, and never drops anything."""

    def __init__(self, options: PersonalDataOptions, assistant: Assistant) -> None:
        """Read the options.

        Raises:
            ConfigurationError: see `Finder`.
        """
        self._concealer = Concealer(options, system_prompt=assistant.system_prompt)
        self._marker = assistant.handoff_marker

    def __call__(self, example: TrainingExample) -> TrainingExample:
        """The example with placeholders in all its texts, and no salutation by name."""
        before = [Said(m.content, m.role is not Role.CUSTOMER) for m in example.prompt]
        answer, rejected = self._pieces(example.answer), self._pieces(example.rejected or "")
        after = self._concealer.conceal([*before, *answer, *rejected])
        turns = zip(example.prompt, after, strict=False)
        return with_new_texts(
            example,
            prompt=tuple(_with_content(message, text) for message, text in turns),
            answer=self._joined(after[len(before) :][: len(answer)]),
            rejected=None if example.rejected is None else self._joined(after[-len(rejected) :]),
        )

    def _pieces(self, answer: str) -> list[Said]:
        """What stands around the marker, which no pattern may touch."""
        pieces = answer.split(self._marker) if self._marker else [answer]
        return [Said(piece, by_team=True) for piece in pieces]

    def _joined(self, pieces: Sequence[str]) -> str:
        whole = self._marker.join(pieces)
        return around_marker(whole, without_salutation, marker=self._marker)


class AnswersWithoutPersonalData:
    """The second step: what of answers with placeholders may be learned."""

    def __init__(self, options: PersonalDataOptions, assistant: Assistant) -> None:
        """Read the options."""
        self._learns_copies = options.learn_copies
        self._marker, self._sentence = assistant.handoff_marker, assistant.handoff_sentence

    def __call__(self, example: TrainingExample) -> TrainingExample | Dropped:
        """The example, dropped if its answer must not be learned."""
        example = self._without_turns(example)
        said = _placeholders(*(message.content for message in example.prompt))
        if self._is_learnable(example.answer, said):
            return example
        if example.should_escalate:
            return replace(example, answer=with_marker(self._sentence, marker=self._marker))
        if _placeholders(example.answer) <= said:
            return Dropped("answer repeats the customer's personal data")
        return Dropped("answer tells personal data; what is yours belongs into `own`")

    def _is_learnable(self, answer: str, said: frozenset[str]) -> bool:
        used = _placeholders(answer)
        if not used:
            return True
        says_more = any(map(str.isalpha, PLACEHOLDER.sub("", answer.replace(self._marker, ""))))
        return self._learns_copies and used <= said and says_more

    def _without_turns(self, example: TrainingExample) -> TrainingExample:
        """With earlier answers only read, not learned, where they must not be."""
        unlearned = set(example.unlearned)
        for at, message in enumerate(example.prompt):
            said = _placeholders(*(earlier.content for earlier in example.prompt[:at]))
            if message.role is not Role.CUSTOMER and not self._is_learnable(message.content, said):
                unlearned.add(at)
        if unlearned == example.unlearned:
            return example
        return replace(example, unlearned=frozenset(unlearned))


def _placeholders(*texts: str) -> frozenset[str]:
    return frozenset(found[0] for text in texts for found in PLACEHOLDER.finditer(text))


def _with_content(message: Message, text: str) -> Message:
    if message.role is not Role.CUSTOMER:
        text = without_salutation(text)
    return message if text == message.content else Message(message.role, text)
