"""PDF text: headings by size, paragraphs by distance, running heads gone, scans said so."""

from pathlib import Path

import pytest

from records.errors import InvalidInput
from tests.tuning.sources.documents.pdf_file import Line, write_pdf
from tuning.sources.documents.blocks import page_text, pairs
from tuning.sources.documents.pdf import Line as ReadLine
from tuning.sources.documents.pdf import read_pdf, to_blocks
from tuning.sources.documents.question_lines import mark_questions


def page(number: int, *lines: Line) -> list[Line]:
    return [("Alder Bank - Terms", 8, 800), *lines, (f"Page {number} of 3", 8, 30)]


PAGES = [
    page(
        1,
        ("Card terms", 20, 760),
        ("How long does it take?", 14, 720),
        ("A card takes three days, or a lit-", 10, 700),
        ("tle longer abroad.", 10, 688),
        ("Ask us if it is late.", 10, 660),
    ),
    page(2, ("Fees", 14, 760), ("* Cards: none", 10, 740), ("* Letters: 1 EUR", 10, 728)),
    page(3, ("Nothing else is charged.", 10, 740), ("That is all.", 10, 728)),
]


def test_a_page_is_read_as_it_looks(tmp_path: Path) -> None:
    title, blocks = read_pdf(write_pdf(tmp_path / "f.pdf", PAGES))
    assert title == "Card terms"
    assert page_text(blocks) == (
        "# Card terms\n\n## How long does it take?\n\n"
        "A card takes three days, or a little longer abroad.\n\nAsk us if it is late.\n\n"
        "## Fees\n\n* Cards: none\n* Letters: 1 EUR\n\nNothing else is charged. That is all."
    )
    (pair,) = pairs(mark_questions(blocks))
    assert pair.question == "How long does it take?"
    assert pair.answer.endswith("Ask us if it is late.")


def test_its_own_title_counts_first(tmp_path: Path) -> None:
    assert read_pdf(write_pdf(tmp_path / "f.pdf", PAGES, title="Terms 2026"))[0] == "Terms 2026"


def test_a_scan_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no text on its pages \(2\).*ocrmypdf"):
        read_pdf(write_pdf(tmp_path / "f.pdf", [[], []]))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"%PDF-1.4\nnonsense"])
@pytest.mark.filterwarnings("ignore")
def test_what_is_no_pdf_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.pdf").write_bytes(content)
    with pytest.raises(InvalidInput, match="can't be read as PDF"):
        read_pdf(tmp_path / "f.pdf")


def test_a_locked_file_is_said_to_be_locked(tmp_path: Path) -> None:
    from pypdf import PdfWriter

    with PdfWriter(clone_from=write_pdf(tmp_path / "open.pdf", PAGES)) as writer:
        writer.encrypt("secret", algorithm="RC4-128")
        writer.write(tmp_path / "f.pdf")
    with pytest.raises(InvalidInput, match="locked with a password"):
        read_pdf(tmp_path / "f.pdf")


def test_no_lines_give_no_blocks() -> None:
    assert to_blocks([]) == []
    assert to_blocks([[], []]) == []


def test_emphasised_lines_are_paragraphs_of_their_own() -> None:
    lines = [
        ReadLine("Is it free?", 10, 700, is_bold=True),
        ReadLine("Yes.", 10, 688),
        ReadLine("Always.", 10, 676),
    ]
    assert [block.text for block in to_blocks([lines])] == ["Is it free?", "Yes. Always."]
