"""Markdown as blocks, by way of the HTML that it stands for. The one door to markdown-it."""

import re

from markdown_it import MarkdownIt

from tuning.sources.documents.blocks import Block
from tuning.sources.documents.html import read_html

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*\n", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)


def read_markdown(text: str) -> tuple[str, list[Block]]:
    """The title of a page (its front matter's, or its first heading) and its blocks."""
    front = _FRONT_MATTER.match(text)
    declared = _TITLE.search(front[1]) if front else None
    content = text[front.end() :] if front else text
    rendered = MarkdownIt("commonmark", {"breaks": True}).enable("table").render(content)
    title, blocks = read_html(rendered, whole=True)
    return (declared[1] if declared else title), blocks
