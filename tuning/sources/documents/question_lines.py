"""Questions in running text: lines that begin with "Q:" and "A:", or "Frage:", "Réponse:". Pure."""

import re
from collections.abc import Iterator, Sequence

from tuning.sources.documents.blocks import Block, BlockKind, asks

_NUMBER = r"\s?\d{0,3}\s?"
_ASKED = re.compile(
    rf"\s*(?:Q{_NUMBER}[:.)]|(?:Question|Frage|F|Pregunta|P|Domanda|D|Vraag|Pergunta){_NUMBER}:)"
    r"\s*(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_ANSWERED = re.compile(
    rf"\s*(?:A{_NUMBER}[:.)]|(?:Answer|Antwort|R[ée]ponse|R|Respuesta|Risposta|Antwoord|Resposta)"
    rf"{_NUMBER}:)\s*(\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_QUESTION_LINES = 4


def mark_questions(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with what asks made questions.

    That is a line that a line with an answer follows, and an emphasised paragraph that asks.
    """
    lines = [line for block in blocks for line in _apart(block)]
    found: list[Block] = []
    at = 0
    while at < len(lines):
        end = _answer_after(lines, at)
        if end is None:
            found.append(_asking(lines[at]))
            at += 1
        else:
            asked = " ".join(line.text.strip() for line in lines[at:end])
            found.append(Block(BlockKind.QUESTION, _taken(_ASKED, asked)))
            found.append(Block(BlockKind.TEXT, _taken(_ANSWERED, lines[end].text)))
            at = end + 1
    return found


def _apart(block: Block) -> Iterator[Block]:
    """The lines of a text in which something is asked or answered; any other block as it is."""
    lines = block.text.splitlines()
    if block.kind is not BlockKind.TEXT or not any(
        _ASKED.match(line) or _ANSWERED.match(line) for line in lines
    ):
        yield block
        return
    yield from (Block(BlockKind.TEXT, line.strip()) for line in lines if line.strip())


def _answer_after(lines: Sequence[Block], at: int) -> int | None:
    """Where the answer stands to a question that begins here; None where none is asked."""
    if lines[at].kind is not BlockKind.TEXT or not _ASKED.match(lines[at].text):
        return None
    for later in range(at + 1, min(at + 1 + _LONGEST_QUESTION_LINES, len(lines))):
        line = lines[later]
        if line.kind is not BlockKind.TEXT or _ASKED.match(line.text):
            return None
        if _ANSWERED.match(line.text):
            return later
    return None


def _asking(block: Block) -> Block:
    if block.kind is BlockKind.TEXT and block.is_bold and asks(block.text):
        return Block(BlockKind.QUESTION, block.text)
    return block


def _taken(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return found[1].strip() if found else text
