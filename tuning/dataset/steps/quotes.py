"""Mail that a message quotes below or between its own words. Pure.

What stands below "On … wrote:", a forwarded message's rule or its header is the earlier mail, which
the conversation holds already; so are lines that begin with `>`. English, German, French, Spanish,
Italian, Portuguese and Dutch mail programs are known.
"""

import re
from collections.abc import Sequence

_TEXT = r"[^\n]{3,200}"
_DATED = r"(?=[^\n]{0,200}\d)"
_WROTE = re.compile(
    rf"{_DATED}(?:On {_TEXT}\bwrote|Am {_TEXT}\bschrieb\b[^\n]{{0,120}}|Le {_TEXT}\ba écrit"
    rf"|El {_TEXT}\bescribió|Il {_TEXT}\bha scritto|Em {_TEXT}\bescreveu"
    rf"|Op {_TEXT}\bschreef\b[^\n]{{0,120}})\s?:",
    re.IGNORECASE,
)
_WROTE_ON = re.compile(rf"{_TEXT}\bschrieb am [^\n]{{3,120}}\d[^\n]{{0,20}}:", re.IGNORECASE)
_RULE = re.compile(
    r"[-_ ]*(?:-{2,}|_{2,}) ?(?:original message|forwarded message|ursprüngliche nachricht"
    r"|original-?nachricht|weitergeleitete nachricht|message d'origine|message transféré"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht) ?[-_]{2,}"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:",
    re.IGNORECASE,
)
_FROM = re.compile(r"\*?(?:From|Von|De|Da|Van):\*? \S.*", re.IGNORECASE)
_FIELD = re.compile(
    r"\*?(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet|Enviado|Para|Asunto"
    r"|Inviato|Oggetto|Verzonden|Aan|Onderwerp):\*?.*",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"\s{0,3}>")
_QUOTED_ALONE = re.compile(r"\s{0,3}>(?!\s?=?\s?[\d€$£])")
"""Without an announcement "> 30 days" may also mean more than that."""
_HEADER_LINES, _HEADER_FIELDS = 5, 2
_LONGEST_LINE = 300
_WRAPPED_LINES = 3
"""Mail programs break "On … wrote:" over so many lines."""


def without_quotes(text: str) -> str:
    """The text without the mail that it quotes; the text itself where nothing else is left."""
    lines = text.split("\n")
    while (head := _first_head(lines)) is not None:
        lines = _without_mail(lines, *head)
    kept = [line for line in lines if not _QUOTED_ALONE.match(line)]
    if len(kept) == text.count("\n") + 1 or not "".join(kept).strip():
        return text
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _first_head(lines: Sequence[str]) -> tuple[int, int] | None:
    """Where an earlier mail is announced: its first line and how many lines that takes."""
    for at, line in enumerate(lines):
        if not 0 < len(line.strip()) <= _LONGEST_LINE:
            continue
        alone = line.strip()
        if _RULE.fullmatch(alone) or _WROTE_ON.fullmatch(alone) or _is_header(lines, at):
            return at, 1
        for count in range(1, _WRAPPED_LINES + 1):
            joined = " ".join(line.strip(" >") for line in lines[at : at + count])
            if len(joined) <= _LONGEST_LINE and _WROTE.fullmatch(joined):
                return at, count
    return None


def _is_header(lines: Sequence[str], at: int) -> bool:
    """Whether a mail's header begins there: who sent it, then at least two more of its fields."""
    if not _FROM.fullmatch(lines[at].strip()):
        return False
    below = lines[at + 1 : at + 1 + _HEADER_LINES]
    return sum(bool(_FIELD.fullmatch(line.strip())) for line in below) >= _HEADER_FIELDS


def _without_mail(lines: list[str], at: int, count: int) -> list[str]:
    """The lines without an earlier mail: its `>` lines where it has some, else all that follows."""
    below = lines[at + count :]
    first = next((line for line in below if line.strip()), "")
    if not _QUOTED.match(first):
        return lines[:at]
    return [*lines[:at], *(line for line in below if not _QUOTED.match(line))]
