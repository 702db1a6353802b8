"""Regular expressions from people's files, looked for in customers' words.

Some patterns take exponential time on some words, so each search has a limit; it is made by an
engine that keeps it, and that lets other threads work meanwhile.
"""

import logging
from functools import cache

import regex

log = logging.getLogger(__name__)

_LIMIT_SECONDS = 0.02
"""A search that is sound takes microseconds."""


class Pattern:
    """A regular expression that ignores letter case."""

    def __init__(self, pattern: str) -> None:
        """Read the expression.

        Raises:
            ValueError: it is none.
        """
        try:
            self._compiled = regex.compile(pattern, regex.IGNORECASE)
        except regex.error as error:
            raise ValueError(f"pattern is no regular expression ({error})") from error
        self._pattern = pattern
        self._is_told = False

    def is_in(self, text: str) -> bool:
        """Whether it is found in a text; not, where that takes too long, which is logged once."""
        try:
            found = self._compiled.search(text, timeout=_LIMIT_SECONDS, concurrent=True)
        except TimeoutError:
            self._tell()
            return False
        return found is not None

    def is_all_of(self, text: str) -> bool:
        """Whether a whole text is one match; not, where that takes too long (logged once)."""
        try:
            found = self._compiled.fullmatch(text, timeout=_LIMIT_SECONDS, concurrent=True)
        except TimeoutError:
            self._tell()
            return False
        return found is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found, from start up to end, in order and never empty.

        Raises:
            TimeoutError: that takes too long; nothing is known of this text then.
        """
        found = self._compiled.finditer(text, timeout=_LIMIT_SECONDS, concurrent=True)
        return [match.span() for match in found if match.end() > match.start()]

    def _tell(self) -> None:
        if not self._is_told:
            log.warning(
                "the pattern %r takes too long on some words, and counts as not found in them: "
                "write it without nested repetition",
                self._pattern,
            )
        self._is_told = True


@cache
def pattern_of(pattern: str) -> Pattern:
    """The pattern, read once: as many are kept as files name.

    Raises:
        ValueError: it is no regular expression.
    """
    return Pattern(pattern)
