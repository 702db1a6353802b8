"""Finds personal data in a text, by presidio where a text could hold any.

Most texts can't: they have no digit, no @, no dot within a word and none of the words that announce
a name. Those are told by one look, and of the others the types are told that they could hold, since
presidio takes a hundred times as long as that look.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tuning.dataset.options import PersonalDataOptions
from tuning.dataset.personal_data.kinds import Find, Kind
from tuning.dataset.personal_data.overlaps import without_overlaps
from tuning.dataset.personal_data.own_types import check_kept, own_patterns
from tuning.dataset.personal_data.said import may_say_birth_date, may_say_name
from tuning.dataset.personal_data.without_modules import without_modules

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]*)_([1-9][0-9]{0,5})>")
"""What stands for a find: its type, and a number that tells it from others of its type."""
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, which no library can encode."""
_SPELLED = r"\b(?:dot|punkt)\b|[\[({<]\s?(?:at|ät)\s?[\])}>]"


def _look(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE).search


_HINTS: Mapping[Kind, Callable[[str], object]] = {
    Kind.EMAIL: _look(rf"[@\uff20\ufe6b]|{_SPELLED}"),
    Kind.IBAN: _look(r"[a-z]\W?[a-z](?:\W{0,3}\d){2}(?:\W{0,3}[a-z\d]){10}"),
    Kind.CARD: _look(r"(?:\d\D{0,3}){13}"),
    Kind.PHONE: _look(r"(?:\d\D{0,4}){7}"),
    Kind.SOCIAL_SECURITY: _look(r"(?:\d\D{0,3}){9}"),
    Kind.NATIONAL_ID: _look(
        r"\b[a-z]{2} ?\d\d ?\d\d ?\d\d ?[a-d]\b|\b[0-9xyz]\d{6,7}-?[a-z]\b"
        r"|[a-z]{6}[\dlmnpqrstuv]{2}[a-z]"
    ),
    Kind.IP_ADDRESS: _look(r"\d(?:\W{1,5}\d{1,3}){2}\W{1,5}\d|:[\da-f]{0,4}:"),
    Kind.MAC_ADDRESS: _look(
        r"[0-9a-f]{2}([:-])[0-9a-f]{2}\1[0-9a-f]{2}\1|\b[0-9a-f]{4}\.[0-9a-f]{4}\."
    ),
    Kind.CRYPTO: _look(r"(?:bc1|[13])[a-z0-9]{25}"),
    Kind.URL: _look(r"://|www\.|[a-z0-9]\W{0,2}\.\W{0,2}[a-z]{2}"),
    Kind.BIRTH_DATE: may_say_birth_date,
    Kind.NAME: may_say_name,
}
"""By type whether a text could hold it: wider than what is found, and quick."""


class Finder:
    """Finds what an assistant's options ask for."""

    def __init__(self, options: PersonalDataOptions) -> None:
        """Read the options; presidio is loaded with the first text that could hold something.

        Raises:
            ConfigurationError: an unknown type to keep, or a pattern that cannot be used.
        """
        self._threshold = options.threshold
        self._own = own_patterns(options.patterns)
        check_kept(options.keep, self._own)
        self._kinds = [kind for kind in Kind if kind not in options.keep]
        self._names = [name for name in self._own if name not in options.keep]

    def find(self, text: str) -> list[Find]:
        """What a text holds, in order, without overlaps, and none of it in a placeholder."""
        wanted = self._wanted(text)
        if not wanted:
            return []
        results = self._engine.analyze(
            _HALF.sub("\ufffd", text),
            language="en",
            entities=wanted,
            score_threshold=self._threshold,
        )
        finds = [Find(r.start, r.end, r.entity_type, r.score) for r in results]
        return outside_placeholders(finds, text, own=self._own)

    def _wanted(self, text: str) -> list[str]:
        """The types that a text could hold, by a look; a team's own always, since who knows."""
        likely = [str(kind) for kind in self._kinds if _HINTS[kind](text)]
        return likely + self._names

    @cached_property
    def _engine(self) -> "AnalyzerEngine":
        with without_modules("torch", "transformers"):
            from tuning.dataset.personal_data.engine import build_engine

        return build_engine([(name, self._own[name]) for name in self._names])


def outside_placeholders(
    finds: Iterable[Find], text: str, *, own: Collection[str] = ()
) -> list[Find]:
    """Finds without overlaps, and without what placeholders cover; `own` are a team's own types."""
    return without_overlaps((part for find in finds for part in _outside(find, text)), own=own)


def _outside(find: Find, text: str) -> Iterator[Find]:
    """The parts of a find that no placeholder covers; mostly it is one, the find."""
    at = find.start
    for match in PLACEHOLDER.finditer(text):
        if match.start() >= find.end:
            break
        if match.end() > at:
            yield from _part(find, at, match.start(), text)
            at = max(at, match.end())
    yield from _part(find, at, find.end, text)


def _part(find: Find, start: int, end: int, text: str) -> Iterator[Find]:
    if text[start:end].strip():
        yield Find(start, end, find.kind, find.score)
