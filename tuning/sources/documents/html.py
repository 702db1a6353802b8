"""Web pages as blocks: what a visitor reads of them, without navigation, footers and scripts.

The one door to selectolax.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from tuning.sources.documents.blocks import Block, BlockKind, Pair, asks, page_text

_LEFT_OUT = frozenset(
    {"aside", "canvas", "dialog", "footer", "form", "head", "iframe", "nav", "noscript", "object"}
    | {"script", "select", "style", "svg", "template", "video", "audio", "math", "-comment"}
)
_LEFT_OUT_ROLES = frozenset(
    {"banner", "complementary", "contentinfo", "dialog", "menu", "menubar", "navigation", "search"}
)
_LEFT_OUT_CLASSES = re.compile(
    r"(?:^|[\s_-])(?:breadcrumbs?|cookies?|navbar|navigation|sidebar|site-footer|site-header|"
    r"skip-link|social|share|newsletter|related)(?:$|[\s_-])",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "caption", "center", "div", "fieldset"}
    | {"figcaption", "figure", "header", "hgroup", "hr", "main", "ol", "p", "section", "table"}
    | {"tbody", "tfoot", "thead", "ul", "details", "dl", "dd", "pre", "button"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ASKING = frozenset({"dt", "summary"})
_ROWS = frozenset({"li", "tr"})
_BOLD = frozenset({"b", "strong"})
_SPACE = re.compile(r"[ \t\r\f\v\u00a0]*\n[ \t\r\f\v\u00a0]*|[ \t\r\f\v\u00a0]+")


@dataclass(slots=True)
class _Reader:
    """What has been read so far, and the words that are not a block yet."""

    blocks: list[Block] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    plain: bool = False
    """Some of the words are not emphasised."""
    lists: list[int] = field(default_factory=list)
    """For each open list the number of its next item; 0 where items aren't numbered."""
    bold: int = 0
    verbatim: int = 0
    opened: list[tuple[BlockKind, int, str]] = field(default_factory=list)
    """The headings, questions and items that are open, the innermost last."""

    def say(self, text: str) -> None:
        """Take words in; line breaks of the source are spaces unless they are kept verbatim."""
        said = text if self.verbatim else re.sub(r"\s+", " ", text)
        self.words.append(said)
        if said.strip() and not self.bold:
            self.plain = True

    def break_line(self) -> None:
        """Begin a new line; an emphasised question before it stands by itself."""
        if not self.plain and asks("".join(self.words)):
            self.flush()
        else:
            self.words.append("\n")

    def flush(self) -> None:
        """Make a block of the words that wait."""
        joined = "".join(self.words)
        text = joined.strip("\n").rstrip() if self.verbatim else _tidy(joined)
        bold = not self.plain
        self.words, self.plain = [], False
        if not text.strip():
            return
        if not self.opened:
            self.blocks.append(Block(BlockKind.TEXT, text, is_bold=bold))
            return
        kind, level, mark = self.opened[-1]
        if kind is BlockKind.ITEM:
            self.opened[-1] = (kind, level, "")  # a second paragraph of it has no mark
            self.blocks.append(Block(kind, f"{mark}{text}", level))
        else:
            self.blocks.append(Block(kind, " ".join(text.split()), level))


def read_html(text: str, *, whole: bool = False) -> tuple[str, list[Block]]:
    """The title of a page and its blocks; with `whole`, nothing around its content is expected."""
    tree = LexborHTMLParser(text)
    body = tree.body
    if body is None:
        return "", []
    root = body if whole else _content(body)
    reader = _Reader()
    _walk(root, reader, body_id=body.mem_id, keep=whole)
    reader.flush()
    title = _tidy(head.text()) if (head := tree.css_first("title")) else ""
    headings = [block for block in reader.blocks if block.kind is BlockKind.HEADING]
    highest = next((block.text for block in headings if block.level == 1), "")
    return highest or title or (headings[0].text if headings else ""), reader.blocks


def declared_pairs(text: str) -> list[Pair]:
    """Questions that a page declares to search engines (schema.org's FAQPage as JSON-LD)."""
    found = []
    for script in LexborHTMLParser(text).css('script[type="application/ld+json"]'):
        try:
            content = json.loads(script.text())
        except json.JSONDecodeError:
            continue
        for question, answer in _declared(content):
            found.append(Pair(question, answer, question))
    return found


def _content(body: Any) -> Any:
    """The element that holds what the page is about: its one `main`, or its one `article`."""
    for wanted in ("main, [role=main]", "article"):
        nodes = body.css(wanted)
        if len(nodes) == 1 and nodes[0].text(strip=True):
            return nodes[0]
    return body


def _walk(root: Any, reader: _Reader, *, body_id: int, keep: bool) -> None:
    """Go through an element in the order of the page, however deep it is nested."""
    waiting: list[tuple[Any, bool]] = [(root, True)]
    while waiting:
        node, opens = waiting.pop()
        if not opens:
            _close(node.tag, reader)
            continue
        if node.tag == "-text":
            reader.say(node.text_content or "")
            continue
        if node is not root and _is_left_out(node, reader, body_id=body_id, keep=keep):
            continue
        _open(node, reader)
        waiting.append((node, False))
        waiting.extend((child, True) for child in reversed(list(_children(node))))


def _children(node: Any) -> Iterator[Any]:
    yield from node.iter(include_text=True)


def _is_left_out(node: Any, reader: _Reader, *, body_id: int, keep: bool) -> bool:
    tag, attributes = node.tag, node.attributes
    if tag in _LEFT_OUT or "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    if tag == "button":  # of an accordion it is the question; elsewhere something to press
        return not reader.opened
    if keep:
        return False
    if tag == "header" and node.parent is not None and node.parent.mem_id == body_id:
        return True
    named = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return attributes.get("role") in _LEFT_OUT_ROLES or bool(_LEFT_OUT_CLASSES.search(named))


def _open(node: Any, reader: _Reader) -> None:
    tag = node.tag
    if tag in _HEADINGS:
        reader.flush()
        reader.opened.append((BlockKind.HEADING, _HEADINGS[tag], ""))
    elif tag in _ASKING:
        reader.flush()
        reader.opened.append((BlockKind.QUESTION, 1, ""))
    elif tag in _ROWS:
        reader.flush()
        mark = _mark(reader) if tag == "li" else ""
        reader.opened.append((BlockKind.ITEM, max(1, len(reader.lists)), mark))
    elif tag == "br":
        reader.break_line()
    elif tag in ("td", "th"):
        if "".join(reader.words).strip():
            reader.words.append(" | ")
    elif tag in _BOLD:
        reader.bold += 1
    elif tag in _BLOCKS and not (tag == "button" and reader.opened):
        reader.flush()
        if tag in ("ol", "ul"):
            reader.lists.append(1 if tag == "ol" else 0)
        reader.verbatim += tag == "pre"


def _close(tag: str, reader: _Reader) -> None:
    if tag in _HEADINGS or tag in _ASKING or tag in _ROWS:
        reader.flush()
        reader.opened.pop()
    elif tag in _BOLD:
        reader.bold -= 1
    elif tag in _BLOCKS and not (tag == "button" and reader.opened):
        reader.flush()
        reader.verbatim -= tag == "pre"
        if tag in ("ol", "ul"):
            reader.lists.pop()
        elif tag in ("details", "dl"):
            reader.blocks.append(Block(BlockKind.END))


def _mark(reader: _Reader) -> str:
    if not reader.lists or not reader.lists[-1]:
        return "- "
    number = reader.lists[-1]
    reader.lists[-1] += 1
    return f"{number}. "


def _tidy(text: str) -> str:
    """One space between words, line breaks kept where the page has some."""
    return _SPACE.sub(lambda m: "\n" if "\n" in m[0] else " ", text).strip()


def _declared(content: Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, list):
        for one in content:
            yield from _declared(one)
    elif isinstance(content, dict):
        kinds = content.get("@type")
        if "Question" in (kinds if isinstance(kinds, list) else [kinds]):
            answer = content.get("acceptedAnswer")
            said = answer.get("text") if isinstance(answer, dict) else None
            asked = content.get("name")
            if isinstance(asked, str) and isinstance(said, str) and asked.strip():
                yield _tidy(asked), _words(said)
        for key in ("mainEntity", "@graph", "hasPart"):
            yield from _declared(content.get(key))


def _words(markup: str) -> str:
    return page_text(read_html(markup, whole=True)[1])
