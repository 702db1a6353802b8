"""Text on its way into and out of Slack: made harmless, cut to limits, read back as plain words.

Customers' words go into `plain_text` objects, which Slack neither formats, links nor lets ping.
Where a few of them stand inside our own `mrkdwn`, `literal` takes their effect away.
"""

import re
import unicodedata

EMPTY = "(empty)"
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_FORMATTING = re.compile(r"([*_~`:@#>|])")
_WORD_JOINER = "\u2060"
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters of Hangul that show nothing."""


def storable(text: str) -> str:
    """The text as every database can keep it: without NUL and halves of characters."""
    if "\x00" not in text and text.isascii():
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def clean(text: str) -> str:
    """The text without control characters and direction overrides; never empty."""
    text = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INVISIBLE.sub("", text)
    return text if _is_visible(text) else EMPTY


def _is_visible(text: str) -> bool:
    return any(not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc") for c in text)


def length(text: str) -> int:
    """Length as the strictest reader counts it: an emoji outside the basic plane is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """The text, ended with `…` where it is longer than `limit`."""
    if length(text) <= limit:
        return text
    return f"{text[: _fitting(text, limit - 1)].rstrip()}…"


def _fitting(text: str, limit: int) -> int:
    """How many of the first characters fit."""
    used = 0
    for index, character in enumerate(text):
        used += 2 if ord(character) > 0xFFFF else 1
        if used > limit:
            return index
    return len(text)


def pieces(text: str, *, limit: int, most: int) -> tuple[list[str], int]:
    """The text in at most `most` parts of at most `limit`, and how many characters were left out.

    Parts end at a line or a word where one is near.
    """
    parts: list[str] = []
    while text and len(parts) < most:
        end = _fitting(text, limit)
        if end < len(text):
            near = max(text.rfind("\n", end // 2, end), text.rfind(" ", end // 2, end))
            end = near + 1 if near > 0 else end
        parts.append(text[:end])
        text = text[end:]
    kept = [part for part in parts if _is_visible(part)]
    return kept or [EMPTY], len(text)


def escaped(text: str) -> str:
    """The text with the three characters replaced that Slack gives a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def literal(text: str, limit: int = 200) -> str:
    """A short text of somebody else's for our own `mrkdwn`: no pings, links or formatting."""
    line = " ".join(cut(clean(text), limit).split())
    return escaped(_FORMATTING.sub(rf"\1{_WORD_JOINER}", line))


def who(actor: str) -> str:
    """An actor of the records as Slack shows people: a mention, or a plain name."""
    if re.fullmatch(r"S[A-Z0-9]{2,20}", actor):
        return f"<!subteam^{actor}>"
    return f"<@{actor}>" if re.fullmatch(r"[UW][A-Z0-9]{2,20}", actor) else literal(actor)


_ENTITY = re.compile(r"<([^<>]*)>")
_DRESS = re.compile(
    r"<[@#!][^<>]*>|[@#]\w+|:(?![+'_-]*note[+'_-]*:)[\w+'-]+:|\d+|[a-z][.)]|[\W_]", re.IGNORECASE
)
"""What may stand before a note: formatting, brackets, mentions, bullets, numbers and emoji. A note
that is taken for a reply does harm, a reply that is taken for a note does not."""
_NOTE = re.compile(r"note(?:[^\w:]|_)*:", re.IGNORECASE)


def is_note(message: str) -> bool:
    """Whether an agent's message is an internal note (`note:` in any letter case and dress)."""
    plain = decoded(message)
    plain = plain if plain.isascii() else _in_usual_letters(plain)
    at = 0
    while dress := _DRESS.match(plain, at):  # read once: one pattern for all would try for ever
        at = dress.end()
    return _NOTE.match(plain, at) is not None


def _in_usual_letters(text: str) -> str:
    """Letters in their usual form, without what is not seen or only adorns them.

    One by one: to normalise a text as a whole takes seconds where thousands of accents are piled.
    """
    return "".join(unicodedata.normalize("NFKC", c) for c in text if not _only_adorns(c))


def _only_adorns(character: str) -> bool:
    is_blank = character in _FILLERS
    return is_blank or unicodedata.category(character) in ("Cf", "Mn", "Me")


def decoded(text: str) -> str:
    """The text with the three characters restored that Slack escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def spoken(message: str) -> str:
    """A message of Slack's as plain words: links and mentions resolved, entities decoded."""
    return decoded(_ENTITY.sub(_plain_entity, message)).strip()


def _plain_entity(match: re.Match[str]) -> str:
    target, _, label = match[1].partition("|")
    if target.startswith("@"):
        return f"@{label or 'colleague'}"
    if target.startswith("#"):
        return f"#{label or 'channel'}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    return entity(target, label=label)


def entity(target: str, *, label: str) -> str:
    """A link as plain words."""
    target = target.removeprefix("mailto:")
    return f"{label} ({target})" if label and label not in target else target
