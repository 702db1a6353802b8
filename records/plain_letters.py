"""A text as it is read: digits of any script as ASCII's, any dash as a hyphen. Pure.

Only what stands for the same letter is changed, one for one; what can't be seen is left out.
"""

import unicodedata
from collections.abc import Sequence


def plain_letters(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is read, and for each of its characters where it stood in the given one."""
    if text.isascii():
        return text.translate(_ASCII), range(len(text))
    plain = text.translate(_PLAIN)
    if len(plain) == len(text):
        return plain, range(len(text))
    return plain, [at for at, letter in enumerate(text) if _PLAIN[ord(letter)] != ""]


class _Plain(dict[int, str]):
    """What each character is read as, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = read = _read(chr(code))
        return read


def _read(letter: str) -> str:
    kind = unicodedata.category(letter)
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    if kind == "Cf" or letter in _UNSEEN:
        return ""
    if kind == "Zs" or letter in "\t\r":
        return " "
    if kind in ("Zl", "Zp"):
        return "\n"
    if kind == "Pd" or letter == "\N{MINUS SIGN}":
        return "-"
    wide = unicodedata.normalize("NFKC", letter) if "\uff01" <= letter <= "\uff5e" else letter
    return _ALIKE.get(wide, wide)


_UNSEEN = "\u034f\u115f\u1160\u3164\uffa0"
_ALIKE = {"\u2024": ".", "\u3002": ".", "\uff61": ".", "\ufe6b": "@", "\u2044": "/", "\u2215": "/"}
_ASCII = {ord("\t"): " ", ord("\r"): " "}
_PLAIN = _Plain()
