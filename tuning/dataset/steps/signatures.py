"""Signatures: what ends a message and says who wrote it, or on what. Pure.

They hold names, addresses and numbers, and a model that learned them would sign with them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from records.patterns import Pattern, pattern_of

_DEVICE = re.compile(
    r"\W*(?:(?:sent|get|gesendet|envoyé|enviado|inviato|verzonden) (?:from|with|via|using|von|mit"
    r"|depuis|de mon|desde|da|dal|met|vanaf)\b|(?:von|mit) (?:mein|der|dem|outlook|gmx|web\.de)"
    r"[^\n]{0,60}\b(?:gesendet|geschickt|verschickt)\b|get outlook for|outlook für (?:ios|android))"
    r"[^\n]{0,100}",
    re.IGNORECASE,
)
_GREETING = (
    r"(?:(?:with )?(?:best|kind|kindest|warm|warmest|many)? ?regards|best wishes|(?:yours )?"
    r"sincerely(?: yours)?|yours (?:truly|faithfully)|respectfully|mit (?:freundlichen|besten|"
    r"lieben|herzlichen) gr(?:ü|ue)(?:ß|ss)en|(?:viele|beste|liebe|freundliche|herzliche|schöne) "
    r"gr(?:ü|ue)(?:ß|ss)e|mfg|lg|vg|cordialement|bien à vous|saludos(?: cordiales)?|atentamente|"
    r"cordiali saluti|atenciosamente|met vriendelijke groet(?:en)?)"
)
_THANKS = r"(?:(?:many )?thanks(?: a lot| again| in advance)?|thank you(?: very much)?|cheers|best|"
_THANKS += r"danke(?: schön| im voraus)?|vielen dank(?: im voraus)?|merci|gracias|grazie)"
_GREETING_ALONE = re.compile(rf"{_GREETING}[ ,.!]*", re.IGNORECASE)
_CLOSING = re.compile(rf"(?:{_GREETING}|{_THANKS})[ ,.!]*", re.IGNORECASE)
_NAME = r"(?:[^\W\d_a-z][\w'’.-]{0,24})"
_CLOSING_AND_NAME = re.compile(rf"(?i:{_GREETING}|{_THANKS})(?:,|,? {{1,2}})(?:{_NAME} ?){{1,3}}")
_SENTENCE = re.compile(r".*[?!:;]|.*[^\W\d_]{3}\.|.{61,}|(?-i:[a-zäöüß]).* .* .*")
_DELIMITER = "--"
_LINES_BELOW_DELIMITER = 12
_LINES_BELOW_CLOSING = 5
_LONGEST_LINE = 300


def signature_remover(patterns: Iterable[str]) -> Callable[[str], str]:
    """A function that takes a text's signature away.

    Args:
        patterns: The team's own, each a regular expression for a whole line.

    Raises:
        ValueError: one is no regular expression.
    """
    theirs = [pattern_of(pattern) for pattern in patterns]

    def without_signature(text: str) -> str:
        lines = text.split("\n")
        while (cut := _signed_from(lines, theirs)) is not None:
            del lines[cut:]
        if len(lines) == text.count("\n") + 1 or not "".join(lines).strip():
            return text
        return "\n".join(lines).strip()

    return without_signature


def _signed_from(lines: Sequence[str], theirs: Sequence[Pattern]) -> int | None:
    """The line from which they are a signature, or empty; None where they aren't (any more).

    A message that is nothing but a signature isn't one: the last words left stay.
    """
    if lines and not lines[-1].strip():
        return len(lines) - 1
    for cut in (_delimiter(lines), _closing(lines), _last_line(lines, theirs)):
        if cut is not None and any(line.strip() for line in islice(lines, cut)):
            return cut
    return None


def _delimiter(lines: Sequence[str]) -> int | None:
    """The line that mail programs put before a signature (RFC 3676, 4.3), near the end."""
    first = max(0, len(lines) - _LINES_BELOW_DELIMITER)
    return next((at for at in range(first, len(lines)) if lines[at].rstrip() == _DELIMITER), None)


def _closing(lines: Sequence[str]) -> int | None:
    """A complimentary close, alone or with what looks like a name and address below it."""
    if lines and _GREETING_ALONE.fullmatch(lines[-1].strip()):
        return len(lines) - 1
    for at in range(max(0, len(lines) - 1 - _LINES_BELOW_CLOSING), len(lines) - 1):
        below = [line.strip() for line in lines[at + 1 :] if line.strip()]
        if _CLOSING.fullmatch(lines[at].strip()) and not any(map(_SENTENCE.fullmatch, below)):
            return at
    return None


def _last_line(lines: Sequence[str], theirs: Sequence[Pattern]) -> int | None:
    last = lines[-1].strip() if lines and len(lines[-1]) <= _LONGEST_LINE else ""
    is_one = _DEVICE.fullmatch(last) or _CLOSING_AND_NAME.fullmatch(last)
    if last and (is_one or any(one.is_all_of(last) for one in theirs)):
        return len(lines) - 1
    return None
