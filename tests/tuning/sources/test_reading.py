"""Files of every format give the same lessons; what can't be read says what to do instead."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from records.errors import InvalidInput
from tuning.sources.columns import parse_columns
from tuning.sources.conversations import Speaker
from tuning.sources.reading import Format, Options, format_of, read_file
from tuning.sources.rows import Record

SAID = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]
LESSON = {"prompt": "Where?", "completion": "Here."}


def read(path: Path, *columns: str, **options: Any) -> list[Record]:
    with read_file(path, Options(parse_columns(columns), **options)) as reading:
        found = list(reading.records)
        assert reading.share() == 1
        return found


def contents(found: list[Record]) -> list[Any]:
    return [record.content or record.problem for record in found]


def write_csv(path: Path, rows: list[list[Any]], *, encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_csv_rows_say_what_jsonl_would(tmp_path: Path) -> None:
    head = ["Subject", "Body", "Reply", "Mail", "OK", "Human", "Topic", "Wrong"]
    rows = [
        head,
        ["Card", "Where?", "Here.", "a@x.org", "yes", "", "cards", "Gone."],
        ["", "Where?", "Here.", "", "", "TRUE", "", ""],
        ["", "", "Here.", "", "", "", "", ""],
        ["", "Where?", "Here.", "", "perhaps", "", "", ""],
    ]
    file = write_csv(tmp_path / "f.csv", rows)
    pairs = "question=Subject+Body,answer=Reply,customer=Mail,approved=OK,should_escalate=Human"
    assert contents(read(file, pairs, "slice.topic=Topic,rejected=Wrong")) == [
        {
            "prompt": "Card\n\nWhere?",
            "completion": "Here.",
            "customer": "a@x.org",
            "approved": True,
            "should_escalate": False,
            "slice": {"topic": "cards"},
            "rejected": "Gone.",
        },
        {**LESSON, "approved": False, "should_escalate": True},
        "question: it is empty",
        "approved: 'perhaps' is neither yes nor no",
    ]


def test_parquet_of_flat_columns_and_of_messages(tmp_path: Path) -> None:
    flat = write_parquet(
        tmp_path / "flat.parquet",
        [{"q": "Where?", "a": "Here.", "who": 7, "n": 3, "other": b"x"}, {"q": None, "a": "Here."}],
    )
    found = read(flat, "question=q,answer=a,customer=who,slice.n=n")
    assert contents(found) == [
        {**LESSON, "customer": "7", "slice": {"n": 3}},
        "question: it is empty",
    ]
    assert [record.line for record in found] == [1, 2]
    chats = write_parquet(tmp_path / "chats.parquet", [{"messages": SAID, "approved": True}])
    assert contents(read(chats)) == [{"messages": SAID, "approved": True}]


def test_messages_may_stand_in_a_cell_as_json(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "f.csv", [["chat"], [json.dumps(SAID)], ["[{"]])
    first, second = read(file, "messages=chat")
    assert first.content == {"messages": SAID}
    assert second.problem is not None
    assert second.problem.startswith("messages: not JSON")


def test_jsonl_with_other_names_takes_the_same_map(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text('{"Q": "Where?", "A": "Here."}\nnonsense\n')
    found = read(file, "question=Q,answer=A")
    assert found[0].content == LESSON
    assert found[1].line == 2
    with pytest.raises(InvalidInput, match="has no column 'X'"):
        read(file, "question=X,answer=A")


CONVERSATION = [
    ["ticket", "who", "words", "at", "topic"],
    ["7", "ann", "Where?", "2024-01-01T10:00", "cards"],
    ["8", "bob", "When?", "2024-01-01T09:00", ""],
    ["7", "Support", "Here.", "2024-01-01T10:05", ""],
    ["", "Support", "Hm.", "2024-01-01T10:05", ""],
    ["9", "cy", "Hello?", "soon", ""],
]
MAP = "conversation=ticket,author=who,text=words,time=at,slice.topic=topic"


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_rows_of_a_conversation_are_one_lesson_in_any_format(tmp_path: Path, kind: str) -> None:
    head, *rows = CONVERSATION
    records = [dict(zip(head, row, strict=True)) for row in rows]
    if kind == "csv":
        file = write_csv(tmp_path / "f.csv", CONVERSATION)
    elif kind == "parquet":
        file = write_parquet(tmp_path / "f.parquet", records)
    else:
        file = tmp_path / "f.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    first = 2 if kind == "csv" else 1
    found = read(file, MAP)
    assert [(record.line - first, record.conversation) for record in found if record.content] == [
        (0, "7")
    ]
    assert contents(found)[1] == {"slice": {"topic": "cards"}, "messages": SAID}
    problems = [record.problem or "" for record in found]
    assert problems[0] == "conversation: it is empty"
    assert "nobody" in problems[2] or "no question that is answered" in problems[2]
    assert "leave time= out" in problems[3]


def test_a_role_column_takes_the_roles_that_are_named(tmp_path: Path) -> None:
    rows = [["c", "r", "t"], ["1", "K", "Where?"], ["1", "M", "Here."]]
    file = write_csv(tmp_path / "f.csv", rows)
    speakers = {"k": Speaker.CUSTOMER, "m": Speaker.AGENT}
    found = read(file, "conversation=c,role=r,text=t", speakers=speakers)
    assert contents(found) == [{"messages": SAID}]


def test_utf_8_that_is_claimed_and_is_not_is_said(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes("question,answer\nGrüße,a\n".encode("cp1252"))
    with pytest.raises(InvalidInput, match="leave --encoding out"):
        read(file, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("f.json", b'[{"messages": []}]', "jq -c"),
        ("f.xlsx", b"PK\x03\x04rest", "save it as CSV"),
        ("f.csv.gz", b"\x1f\x8b\x08", "gunzip"),
        ("faq.md", b"# Hello", "understudy documents add"),
        ("f.csv", b"", "is empty"),
        ("f.parquet", b"PAR1 and no more", "can't be read as Parquet"),
        ("f.csv", b"a,b\n1,2\n", "--columns question=COLUMN,answer=COLUMN"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("export", b'\xef\xbb\xbf {"messages": []}', Format.JSONL),
        ("export", b"a;b\n1;2", Format.DELIMITED),
        ("history.JSONL", b"nonsense", Format.JSONL),
        ("t.tsv", b"{a\tb", Format.DELIMITED),
        ("t.csv", b"PAR1", Format.PARQUET),
    ],
)
def test_a_file_is_what_it_holds_before_what_it_is_called(
    tmp_path: Path, name: str, content: bytes, found: Format
) -> None:
    (tmp_path / name).write_bytes(content)
    assert format_of(tmp_path / name) is found
