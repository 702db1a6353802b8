"""Reading a document of any kind that is known by its file's name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from records.errors import InvalidInput
from tuning.sources.documents.blocks import Block, Pair, page_text, pairs
from tuning.sources.documents.question_lines import mark_questions

KINDS = {
    ".md": "Markdown",
    ".markdown": "Markdown",
    ".html": "HTML",
    ".htm": "HTML",
    ".xhtml": "HTML",
    ".pdf": "PDF",
    ".txt": "text",
    ".text": "text",
}
"""What is read, by the end of a file's name."""
_REMEDIES = {
    ".docx": "save it as PDF or HTML first",
    ".doc": "save it as PDF or HTML first",
    ".odt": "save it as PDF or HTML first",
    ".rtf": "save it as PDF or HTML first",
    ".pptx": "save it as PDF first",
    ".csv": "it holds rows: understudy import FILE",
    ".tsv": "it holds rows: understudy import FILE",
    ".jsonl": "it holds rows: understudy import FILE",
    ".parquet": "it holds rows: understudy import FILE",
}
_MOST_BYTES = 50 << 20


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document's title, its plain text with headings, and what it asks and answers itself."""

    title: str
    text: str
    pairs: tuple[Pair, ...]


def read_document(path: Path) -> ReadDocument:
    """Read a document.

    Raises:
        InvalidInput: of no known kind, without text, or damaged; the reason without the name.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        remedy = _REMEDIES.get(path.suffix.lower(), f"there are {', '.join(KINDS)}")
        raise InvalidInput(f"it isn't a document that can be read; {remedy}")
    if path.stat().st_size > _MOST_BYTES:
        raise InvalidInput("it is larger than 50 MB; divide it")
    title, blocks, declared = _READERS[kind](path)
    blocks = mark_questions(blocks)
    text = page_text(blocks).replace("\0", "")
    if not text.strip():
        raise InvalidInput("it holds no text")
    said = pairs(blocks)
    known = {pair.question for pair in said}
    said += [pair for pair in declared if pair.question not in known]
    return ReadDocument(" ".join(title.split()) or path.stem, text, tuple(said))


def find_documents(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """The files that are meant, each with the name that its document gets.

    Of a folder all readable kinds, at any depth, hidden files left out; their names are relative to
    it, so that adding the folder from elsewhere replaces the same documents.
    """
    for path in paths:
        if not path.is_dir():
            yield path, path.name
            continue
        for file in sorted(path.rglob("*")):
            inner = file.relative_to(path)
            hidden = any(part.startswith(".") for part in inner.parts)
            if file.is_file() and file.suffix.lower() in KINDS and not hidden:
                yield file, inner.as_posix()


_Read = tuple[str, list[Block], list[Pair]]


def _html(path: Path) -> _Read:
    from tuning.sources.documents.html import declared_pairs, read_html

    text = _text(path)
    return (*read_html(text), declared_pairs(text))


def _markdown(path: Path) -> _Read:
    from tuning.sources.documents.markdown import read_markdown

    return (*read_markdown(_text(path)), [])


def _pdf(path: Path) -> _Read:
    from tuning.sources.documents.pdf import read_pdf

    return (*read_pdf(path), [])


def _plain(path: Path) -> _Read:
    from tuning.sources.documents.plain import read_plain

    return (*read_plain(_text(path)), [])


_READERS: dict[str, Callable[[Path], _Read]] = {
    "HTML": _html,
    "Markdown": _markdown,
    "PDF": _pdf,
    "text": _plain,
}


def _text(path: Path) -> str:
    from tuning.sources.encoding import decoded

    return decoded(path.read_bytes())
