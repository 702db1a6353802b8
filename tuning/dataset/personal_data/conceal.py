"""A conversation with its personal data replaced by placeholders, the same for the same value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tuning.dataset.options import PersonalDataOptions
from tuning.dataset.personal_data.finder import PLACEHOLDER, Finder, outside_placeholders
from tuning.dataset.personal_data.kinds import Find
from tuning.dataset.personal_data.public import is_own, is_public
from tuning.dataset.personal_data.repeats import find_repeats
from tuning.dataset.personal_data.same_value import Value


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a conversation, and whether the team (or its assistant) said it."""

    text: str
    by_team: bool


class Concealer:
    """Replaces what a finder finds; one for all conversations of an assistant."""

    def __init__(self, options: PersonalDataOptions, *, system_prompt: str) -> None:
        """Read the options.

        Raises:
            ConfigurationError: see `Finder`.
        """
        self._finder = Finder(options)
        self._entries = [entry.strip() for entry in options.own if entry.strip()]
        self._prompt = system_prompt

    def conceal(self, conversation: Sequence[Said]) -> list[str]:
        """The texts in their order with placeholders; concealing them again changes nothing.

        The same value gets the same placeholder in all of them, also where only the words around
        its first mention gave it away. What is the team's own stays, and so does what the team
        says first and what may be anybody's: a help page, a mailbox such as support@.
        """
        texts = [said.text for said in conversation]
        known = _Known(texts)
        while True:  # each round leaves fewer characters outside placeholders
            finds = [
                self._to_replace(text, known, by_team=said.by_team)
                for text, said in zip(texts, conversation, strict=True)
            ]
            changed = [
                _replaced(text, found, known) for text, found in zip(texts, finds, strict=True)
            ]
            if changed == texts:
                return texts
            texts = changed

    @cached_property
    def _own(self) -> list[str]:
        """What a team named, and what its prompt tells every customer."""
        found = self._finder.find(self._prompt)
        return [*self._entries, *(self._prompt[find.start : find.end] for find in found)]

    def _to_replace(self, text: str, known: "_Known", *, by_team: bool) -> list[Find]:
        return [
            find
            for find in self._finder.find(text)
            if not self._stays(Value.of(find, text), known, by_team=by_team)
        ]

    def _stays(self, value: Value, known: "_Known", *, by_team: bool) -> bool:
        """Whether a value stays; that is noted, so that its next mention is treated alike."""
        if known.stays(value):
            return True
        if known.has_placeholder(value):
            return False
        is_ours = value.text in self._prompt or is_own(value, self._own)
        if is_ours or (by_team and is_public(value)):
            known.let_stay(value)
            return True
        known.placeholder(value)
        return False


class _Known:
    """What is known in one conversation: values that stay, and those with a placeholder."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._next: dict[str, int] = {}
        for text in texts:
            for kind, number in PLACEHOLDER.findall(text):
                self._next[kind] = max(self._next.get(kind, 1), int(number) + 1)
        self._staying: list[Value] = []
        self._replaced: dict[Value, str] = {}

    @property
    def replaced(self) -> Iterable[Value]:
        """The values with a placeholder, in the order in which they were met."""
        return self._replaced

    def stays(self, value: Value) -> bool:
        """Whether it is known to stay."""
        return any(value.is_same(other) for other in self._staying)

    def has_placeholder(self, value: Value) -> bool:
        """Whether something stands for it already."""
        return self._known(value) is not None

    def let_stay(self, value: Value) -> None:
        """Take up a value that stays."""
        self._staying.append(value)

    def placeholder(self, value: Value) -> str:
        """What stands for a value; a value met first gets its type's next number."""
        known = self._known(value)
        if known is None:
            number = self._next.get(value.kind, 1)
            self._next[value.kind] = number + 1
            self._replaced[value] = known = f"<{value.kind}_{number}>"
        return known

    def _known(self, value: Value) -> str | None:
        return next((p for other, p in self._replaced.items() if value.is_same(other)), None)


def _replaced(text: str, finds: Sequence[Find], known: _Known) -> str:
    """The text with placeholders for finds and for other mentions of what is replaced."""
    repeated = find_repeats(text, known.replaced)
    parts, at = [], 0
    for find in outside_placeholders([*finds, *repeated], text):
        parts += [text[at : find.start], known.placeholder(Value.of(find, text))]
        at = find.end
    return "".join((*parts, text[at:]))
