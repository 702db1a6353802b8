"""HTML in a message turned into the text it shows, where it is markup and not talk of it. Pure.

A text counts as markup if it holds a line break's tag or closes a tag of the list below; what
stands in backticks is code and stays. "List<String>", "a < b" and `<EMAIL_1>` hold no such tag.
Each pattern is of bounded length, so that a text of any length is read in time proportional to it.
"""

import html
import re

_BREAKS = "br hr p div li ul ol tr table h[1-6] blockquote section article header footer pre"
_OTHERS = (
    "a abbr b body center code dd dl dt em font head html i img label link meta o:p s small span "
    "strike strong style sub sup tbody td th thead title u"
)
_NAMES = "|".join((*_BREAKS.split(), *_OTHERS.split()))
_ATTRIBUTES = r"(?:\s[^<>]{0,2000})?/?"
_TAG = re.compile(rf"<(/?)({_NAMES}){_ATTRIBUTES}>", re.IGNORECASE)
_SURELY = re.compile(rf"<br\s?/?>|</(?:{_NAMES})\s?>|<!doctype html", re.IGNORECASE)
_LINK = re.compile(
    r"<a\s[^<>]{0,1000}?href\s?=\s?[\"']?([^\"'<>\s]{1,2000})[^<>]{0,1000}>([^<>]{0,500})</a\s?>",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--[^<>]{0,4000}-->|<!doctype[^<>]{0,200}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSAND = re.compile(r"&(?:amp;)+")
"""However often it was escaped."""
_CODE = re.compile(r"(```[^`]{0,20000}```|`[^`\n]{1,500}`)")
_UNSHOWN = ("style", "script")
_BREAKING = re.compile("|".join(_BREAKS.split()), re.IGNORECASE)


def without_markup(text: str) -> str:
    """The text that HTML shows: tags and entities resolved once, code in backticks untouched."""
    if "<" not in text and "&" not in text:
        return text
    pieces = _CODE.split(text)
    is_markup = any(_SURELY.search(piece) for piece in pieces[::2])
    pieces[::2] = [_shown(piece, is_markup=is_markup) for piece in pieces[::2]]
    return "".join(pieces)


def _shown(piece: str, *, is_markup: bool) -> str:
    if is_markup:
        for name in _UNSHOWN:
            piece = _without_element(piece, name)
        piece = _LINK.sub(_link, _COMMENT.sub("", piece))
        piece = _TAG.sub(_in_place_of, piece)
    piece = _AMPERSAND.sub("&", piece)
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), piece)


def _link(found: "re.Match[str]") -> str:
    """A link's words and where it leads, once where they are the same."""
    address, words = html.unescape(found[1]), found[2].strip()
    if not words or words in address or address.startswith("#"):
        return words or address
    return f"{words} ({address})"


def _in_place_of(tag: "re.Match[str]") -> str:
    closes, name = bool(tag[1]), tag[2].lower()
    if name == "li":
        return "" if closes else "\n- "
    if name in ("td", "th"):
        return " " if closes else ""
    return "\n" if _BREAKING.fullmatch(name) else ""


def _without_element(text: str, name: str) -> str:
    """The text without elements of that name, from tag to tag."""
    kept, at = [], 0
    for opening in re.finditer(rf"<{name}\b[^<>]{{0,500}}>", text, re.IGNORECASE):
        if opening.start() < at:
            continue
        closing = text.lower().find(f"</{name}>", opening.end())
        if closing < 0:
            break
        kept.append(text[at : opening.start()])
        at = closing + len(name) + 3
    return "".join((*kept, text[at:]))
