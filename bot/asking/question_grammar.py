"""What an agent who writes to the bot wants: which versions shall answer which question. Pure.

Forgiving: a version's number or the beginning of its name is enough, and whatever does not name a
version is the question itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot import wording
from bot.views.version_names import VersionNames

_COMMAND = re.compile(r"(ask|try|compare)\b[ \t]+", re.IGNORECASE)
_KEYWORD = re.compile(r"versions?\b[ \t]*:?[ \t]*", re.IGNORECASE)
_BETWEEN = re.compile(r"[ \t]*(?:,|&|\+|\b(?:and|vs\.?|versus|with|against)(?=[ \t]))[ \t]*", re.I)
_WORD = re.compile(r"[*_`]*([\w.-]+)[*_`]*(:?)")
_SPELLED = re.compile(r"[0-9a-f]+|base")
_HASH = re.compile(r"v?(?=[0-9a-f]*[0-9])([0-9a-f]{4,})", re.IGNORECASE)
_NUMBER = re.compile(r"(v?)([0-9]{1,6})", re.IGNORECASE)
_HELP = {"", "help", "hilfe", "?", "hi", "hello"}
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What may be named, and what is meant where nothing is."""

    assistants: Sequence[str]
    versions: Mapping[str, str]
    """The assistant of each version; the newest first."""
    champions: Mapping[str, str]
    arms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By assistant: the versions of its running experiment's arms, by the arms' names."""
    here: str | None = None
    """The assistant that is meant where none is named."""
    going_on: Sequence[str] = ()
    """The versions that this thread speaks with."""
    numbers: Mapping[str, int] = field(default_factory=dict)
    """The number of each version among its assistant's."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom."""

    assistant: str
    versions: tuple[str, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Help:
    """Wants to know how to ask."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Cannot be answered as it is; what to write instead."""

    sentence: str


class _Misnamed(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def understand(text: str, known: Known, *, may_be_empty: bool = False) -> Question | Help | Unclear:
    """Read what somebody wrote to the bot; `may_be_empty`: the question may be left out."""
    text = text.strip()
    if text.lower() in _HELP and not (may_be_empty and not text):
        return Help()
    assistant, rest = _named_assistant(text, known)
    try:
        named, words = _named_versions(rest, known, assistant)
        versions, assistant = _settled(named, known, assistant)
    except _Misnamed as error:
        return Unclear(error.sentence)
    if not words and not may_be_empty:
        example = VersionNames(known.numbers).short(versions[0])
        return Unclear(wording.asking.NO_QUESTION.format(example=example))
    return Question(assistant, versions, words)


def _named_assistant(text: str, known: Known) -> tuple[str | None, str]:
    """The assistant at the beginning (`support: …`), and the rest."""
    name, colon, rest = text.partition(":")
    if colon and (wanted := name.strip().lower()) in known.assistants:
        return wanted, rest.strip()
    return None, text


def _named_versions(text: str, known: Known, assistant: str | None) -> tuple[list[str], str]:
    """The versions that are named at the beginning, and the question after them."""
    command = _COMMAND.match(text)
    rest = text[command.end() :] if command else text
    keyword = _KEYWORD.match(rest) if command else None
    comparing = command is not None and command[1].lower() == "compare"
    reader = _Reader(
        known,
        assistant,
        commanded=command is not None,
        comparing=comparing,
        surely=keyword is not None,
    )
    found, after = reader.read(rest[keyword.end() :] if keyword else rest)
    if not found:
        return [], text
    if comparing and len(found) == 1:
        found.append(_champion(known, known.versions[found[0]]))
    return found, after


def _settled(
    named: Sequence[str], known: Known, assistant: str | None
) -> tuple[tuple[str, ...], str]:
    """The versions that are asked, and their assistant."""
    if not named:
        return _unnamed(known, assistant)
    names = VersionNames(known.numbers)
    if len(named) == 2 and named[0] == named[1]:
        raise _Misnamed(wording.asking.SAME_VERSION.format(version=names.full(named[0])))
    owners = [known.versions[version] for version in named]
    if len(set(owners)) > 1:
        raise _Misnamed(wording.asking.TWO_ASSISTANTS.format(first=named[0], second=named[1]))
    return tuple(named), owners[0]


def _unnamed(known: Known, assistant: str | None) -> tuple[tuple[str, ...], str]:
    """Whom the thread speaks with already, or else the champion."""
    going_on = [v for v in known.going_on if v in known.versions]
    owner = known.versions[going_on[0]] if going_on else None
    if owner is not None and assistant in (None, owner):
        return tuple(going_on), owner
    name = _require_assistant(known, assistant)
    return (_champion(known, name),), name


def _require_assistant(known: Known, assistant: str | None) -> str:
    name = assistant or known.here
    if name is None:
        names = ", ".join(known.assistants)
        raise _Misnamed(
            wording.asking.WHICH_ASSISTANT.format(assistants=names, example=known.assistants[0])
        )
    return name


def _champion(known: Known, assistant: str) -> str:
    found = known.champions.get(assistant)
    if found is None:
        raise _Misnamed(wording.asking.NO_VERSION_YET.format(assistant=assistant))
    return found


@dataclass(slots=True)
class _Reader:
    """Reads names of versions off the beginning of a text."""

    known: Known
    assistant: str | None
    commanded: bool
    """Whether `ask` or the like stands before."""
    comparing: bool
    surely: bool
    """Whether the word `version` does, so that a version must follow."""

    def read(self, text: str) -> tuple[list[str], str]:
        """Up to two versions, and what is said to them."""
        first = _WORD.match(text)
        version = self._version(first, must=self.surely) if first else None
        if first is None or version is None:
            return [], text
        rest = text[first.end() :]
        if first[2]:
            return [version], rest.strip()
        between = _BETWEEN.match(rest)
        second = _WORD.match((rest[between.end() :] if between else rest).lstrip())
        other = self._version(second) if second else None
        if (
            second is not None
            and other is not None
            and not self._is_article(first, between, second)
            and not self._is_amount(between, second)
        ):
            return [version, other], _rest(rest, second)
        if (self._is_arm(first[1]) or first[1].isdecimal()) and not self.surely:
            return [], text  # "ask A question", "compare 2 cards": a word like any other
        return [version], rest.strip(" \t\n,")

    def _version(self, word: "re.Match[str]", *, must: bool = False) -> str | None:
        """The version that a word names; None where it is a word of the question."""
        name = word[1].rstrip(".")
        if not (self.commanded or word[2] or self._is_spelled(name)):
            return None
        found = self._named(name)
        if len(found) > 1:
            raise _Misnamed(
                wording.asking.AMBIGUOUS_VERSION.format(name=name, versions=self._listed(found))
            )
        if found:
            return found[0]
        is_meant = self.commanded and name.isdecimal() and word[2]
        if must or is_meant or self._is_spelled(name):
            raise _Misnamed(
                wording.asking.UNKNOWN_VERSION.format(
                    name=name, versions=self._listed(self._candidates())
                )
            )
        return None

    def _named(self, name: str) -> list[str]:
        lower = name.lower()
        if lower in ("champion", "base"):
            owner = _require_assistant(self.known, self.assistant)
            wanted = _champion(self.known, owner) if lower == "champion" else f"{owner}-base"
            return [wanted] if wanted in self.known.versions else []
        if self._is_arm(name):
            return [self._arms()[name]]
        candidates = self._candidates()
        if lower in candidates:
            return [lower]
        if numbered := self._numbered(name):
            return numbered
        if self._is_spelled(name):
            return [v for v in candidates if v.startswith(lower)]
        if digits := _HASH.fullmatch(name):
            return [v for v in candidates if v.rpartition("-")[2].startswith(digits[1].lower())]
        return []

    def _numbered(self, name: str) -> list[str]:
        """The versions of a number; a bare one without a command begins a list, such as `1: …`."""
        digits = _NUMBER.fullmatch(name)
        if digits is None or not (digits[1] or self.commanded):
            return []
        return [v for v in self._candidates() if self.known.numbers.get(v) == int(digits[2])]

    def _candidates(self) -> list[str]:
        of = self.known.versions
        return [v for v in of if self.assistant in (None, of[v])]

    def _is_spelled(self, name: str) -> bool:
        """Whether a word has the form of a version's name."""
        owner, _, digits = name.lower().rpartition("-")
        return owner in self.known.assistants and _SPELLED.fullmatch(digits) is not None

    def _arms(self) -> Mapping[str, str]:
        owner = self.assistant or self.known.here
        return self.known.arms.get(owner, {}) if owner else {}

    def _is_article(
        self, first: "re.Match[str]", between: "re.Match[str] | None", second: "re.Match[str]"
    ) -> bool:
        """Whether the second word only looks like an arm: `ask 3f9c A question`."""
        joined = between is not None and between[0].strip() != ","
        return self._is_arm(second[1]) and not self._is_arm(first[1]) and not joined

    def _is_amount(self, between: "re.Match[str] | None", second: "re.Match[str]") -> bool:
        """Whether the second word only looks like a number: `ask version 3 2 questions`."""
        joined = between is not None and between[0].strip() != ","
        return second[1].isdecimal() and not (second[2] or joined or self.comparing)

    def _listed(self, versions: Sequence[str]) -> str:
        names = VersionNames(self.known.numbers)
        return ", ".join(names.to_paste(v) for v in versions[:_LISTED])

    def _is_arm(self, name: str) -> bool:
        return name in self._arms()


def _rest(text: str, word: "re.Match[str]") -> str:
    """What stands behind a word that was found in the end of a text."""
    return text[len(text) - len(word.string) + word.end() :].strip(" \t\n,")
