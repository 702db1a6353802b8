"""Texts repaired: broken encodings, HTML, invisible characters, line ends. Pure.

What a reader sees stays: curly quotes, emoji, joined scripts, code's indentation.
"""

import re

from tuning.dataset.steps.markup import without_markup

_ROUNDS = 20
"""Text that was escaped twice is unescaped twice; nobody escapes more often."""
_CLEAN = re.compile(r"(?!\s)(?:[!-%'-;=-~]|[ \n](?=[^ \n]))*")
"""Most texts: plain letters, single spaces and line ends; nothing in them can need repair."""
_INVISIBLE = re.compile(
    "(\U0001f3f4[\U000e0020-\U000e007f]+)"  # flags of countries' parts are spelled with tags
    "|[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_JOINERS = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])")
"""Zero-width (non-)joiners beside a plain letter or nothing; between others they shape the text."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_EMPTY_LINES = re.compile(r"\n{3,}")


def repair(text: str, *, html: bool = True) -> str:
    """The text as it was meant; repairing it again changes nothing.

    Args:
        text: Any.
        html: Whether HTML becomes the text that it shows.
    """
    if _CLEAN.fullmatch(text):
        return text
    for _ in range(_ROUNDS):
        repaired = _repair_once(text, html=html)
        if repaired == text:
            break
        text = repaired
    return text


def _repair_once(text: str, *, html: bool) -> str:
    from ftfy import TextFixerConfig, fix_text

    config = TextFixerConfig(unescape_html=False, uncurl_quotes=False, explain=False)
    text = fix_text(_LINE_ENDS.sub("\n", text), config)
    text = without_markup(text) if html else text
    text = _INVISIBLE.sub(lambda found: found[1] or "", text)
    text = _JOINERS.sub("", _CONTROLS.sub("", text))
    text = "\n".join(line.rstrip(" \t") for line in _SPACES.sub(" ", text).split("\n"))
    return _EMPTY_LINES.sub("\n\n", text).strip()
