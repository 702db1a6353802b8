"""Plain text as blocks: paragraphs, underlined titles, and questions on a line of their own."""

import re

from tuning.sources.documents.blocks import Block, BlockKind, asks

_UNDERLINE = re.compile(r"(={3,}|-{3,})\s*")
_ITEM = re.compile(r"(\s*)([-*•–]|\d{1,3}[.)])\s+(\S.*)")
_LONGEST_QUESTION = 300


def read_plain(text: str) -> tuple[str, list[Block]]:
    """The title of a text (its first heading, or nothing) and its blocks."""
    blocks = [block for paragraph in _paragraphs(text) for block in _blocks(paragraph)]
    title = next((b.text for b in blocks if b.kind is BlockKind.HEADING), "")
    return title, blocks


def _paragraphs(text: str) -> list[list[str]]:
    parts = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return [lines for part in parts if (lines := [t for t in part.split("\n") if t.strip()])]


def _blocks(lines: list[str]) -> list[Block]:
    if len(lines) > 1 and (under := _UNDERLINE.fullmatch(lines[1])):
        level = 1 if under[1].startswith("=") else 2
        rest = _blocks(lines[2:]) if lines[2:] else []
        return [Block(BlockKind.HEADING, lines[0].strip(), level), *rest]
    if len(lines) == 1 and asks(lines[0]) and len(lines[0]) <= _LONGEST_QUESTION:
        return [Block(BlockKind.TEXT, lines[0].strip(), is_bold=True)]
    found: list[Block] = []
    for line in lines:
        item = _ITEM.fullmatch(line)
        if item:
            found.append(Block(BlockKind.ITEM, f"{item[2]} {item[3]}", 1 + len(item[1]) // 2))
        elif found and found[-1].kind is BlockKind.TEXT:
            found[-1] = Block(BlockKind.TEXT, f"{found[-1].text}\n{line.strip()}")
        else:
            found.append(Block(BlockKind.TEXT, line.strip()))
    return found
