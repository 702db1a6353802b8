"""Encodings: certain where they can be, a told guess where not."""

from pathlib import Path

import pytest

from records.errors import InvalidInput
from tuning.sources.encoding import decoded, named, of_file

GERMAN = "Betreff;Text\nGrüße;Können Sie mir sagen, wo meine Rücksendung bleibt?\n" * 40
RUSSIAN = "тема;текст\nДоставка;Где мой заказ? Он должен был прийти вчера\n" * 40


@pytest.mark.parametrize(
    ("text", "written", "found", "guessed"),
    [
        (GERMAN, "utf-8", "utf-8", False),
        (GERMAN, "utf-8-sig", "utf-8-sig", False),
        (GERMAN, "utf-16", "utf-16", False),
        (GERMAN, "utf-16-le", "utf-16-le", False),
        (GERMAN, "utf-16-be", "utf-16-be", False),
        (GERMAN, "cp1252", "cp1252", True),
        (RUSSIAN, "cp1251", "cp1251", True),
        ("", "utf-8", "utf-8", False),
    ],
)
def test_a_file_is_read_as_it_was_written(
    tmp_path: Path, text: str, written: str, found: str, guessed: bool
) -> None:
    file = tmp_path / "file"
    file.write_bytes(text.encode(written))
    encoding = of_file(file)
    assert (encoding.name, encoding.guessed) == (found, guessed)
    assert file.read_text(encoding=encoding.name) == text


def test_one_odd_byte_at_the_end_of_a_long_file_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"plain words\n" * 200_000 + "Grüße".encode("cp1252"))
    assert of_file(file).name == "cp1252"


def test_a_letter_across_two_pieces_is_no_odd_byte(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 65_535 + "ü".encode() * 700_000)
    assert of_file(file).name == "utf-8"


def test_a_pages_own_word_counts_where_it_is_not_utf_8() -> None:
    page = '<meta charset="windows-1251"><p>Где мой заказ?'
    assert decoded(page.encode("cp1251")) == page
    assert decoded("<meta charset=nonsense>Grüße".encode()) == "<meta charset=nonsense>Grüße"


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    assert named("latin1").name == "iso8859-1"
    with pytest.raises(InvalidInput, match="windows-1252"):
        named("klingon")
