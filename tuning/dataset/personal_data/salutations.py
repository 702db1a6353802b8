"""Salutations by name: an answer that begins with one teaches a model to address everybody so."""

import regex

from tuning.dataset.personal_data.said import SALUTATION

_SALUTATION = regex.compile(rf"\s*{SALUTATION}<NAME_\d+>[ ]?(?:[,!.–-]|(?=\n|$))\s*")


def without_salutation(text: str) -> str:
    """The text without "Dear <NAME_1>," before its first sentence, which then begins it. Pure.

    A text that is nothing but a salutation stays.
    """
    while (found := _SALUTATION.match(text)) is not None and found.end() < len(text):
        rest = text[found.end() :]
        text = rest[0].upper() + rest[1:]
    return text
