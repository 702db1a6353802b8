"""CSV: dialects told apart, each row by its line, bad ones for themselves."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from records.errors import InvalidInput
from tuning.sources.delimited import DelimitedFile, sniff
from tuning.sources.encoding import Encoding

Row = tuple[int, list[str] | str]


def read(path: Path, text: str, *, delimiter: str | None = None) -> tuple[list[str], list[Row]]:
    path.write_text(text, encoding="utf-8", newline="")
    with DelimitedFile(path, encoding=Encoding("utf-8"), delimiter=delimiter) as file:
        return file.header, [(row.line, row.problem or list(row.cells)) for row in file.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_by_which_rows_agree(tmp_path: Path, delimiter: str) -> None:
    rows = [["a", "b"], ["1, or 2; or 3", "x | y"], ['say "hi"', "two\nlines"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    header, found = read(tmp_path / "f.csv", text.getvalue())
    assert header == rows[0]
    assert [cells for _, cells in found] == rows[1:]


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=12
)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
)
@example(rows=[["0", "0", "\\"]], delimiter=",")
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    path = tmp_path_factory.mktemp("csv") / "f.csv"
    _, found = read(path, text.getvalue(), delimiter=delimiter)
    assert [cells for _, cells in found] == rows


def test_a_spreadsheets_hint_is_taken(tmp_path: Path) -> None:
    header, found = read(tmp_path / "f.csv", "sep=;\na;b\n1;2\n")
    assert (header, found) == (["a", "b"], [(3, ["1", "2"])])


def test_backslashes_that_escape_quotes_are_seen(tmp_path: Path) -> None:
    _, found = read(tmp_path / "f.csv", 'a,b\n"say \\"hi\\", please",2\n')
    assert found == [(2, ['say "hi", please', "2"])]


def test_lines_are_counted_where_rows_begin(tmp_path: Path) -> None:
    _, found = read(tmp_path / "f.csv", 'a,b\r\n"1\r\n\r\n1",2\r\n\r\n3,4\r\n')
    assert [line for line, _ in found] == [2, 6]


def test_a_quote_that_is_never_closed_costs_its_own_row_alone(tmp_path: Path) -> None:
    _, found = read(tmp_path / "f.csv", 'a,b\n1,2\n3,"open\n5,6\n7,"a ""b"" c"\n9,10\n')
    assert [row for row in found if isinstance(row[1], list)] == [
        (2, ["1", "2"]),
        (4, ["5", "6"]),
        (5, ["7", 'a "b" c']),
        (6, ["9", "10"]),
    ]
    assert [row[0] for row in found if isinstance(row[1], str)] == [3]


def test_an_open_quote_in_a_long_file_does_not_swallow_it(tmp_path: Path) -> None:
    rows = "".join(f"question {n},answer\n" for n in range(90_000))
    _, found = read(tmp_path / "f.csv", f'a,b\n1,"open\n{rows}')
    assert found[0][0] == 2
    assert "not closed" in found[0][1]
    assert len(found) == 90_001


def test_rows_of_another_width_say_both_numbers(tmp_path: Path) -> None:
    _, found = read(tmp_path / "f.csv", "a,b,c\n1,2\n1,2,3\n1,2,3,4\n,,\n")
    assert found == [
        (2, "it has 2 cells, the head has 3"),
        (3, ["1", "2", "3"]),
        (4, "it has 4 cells, the head has 3"),
        (5, ["", "", ""]),
    ]


def test_an_empty_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is empty"):
        read(tmp_path / "f.csv", "\n\n")


def test_a_file_of_one_column_has_commas() -> None:
    assert sniff("question\nwhere\nwhen\n").delimiter == ","
    assert sniff("").delimiter == ","
