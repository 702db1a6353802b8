"""Column maps: found by name, and answered with the file's own columns where they aren't."""

import pytest

from records.errors import InvalidInput
from tuning.sources.columns import parse_columns, resolve_columns

HEADER = ["Ticket Id", "Subject", "Body", "Reply", "E-Mail", "Category"]


def test_pairs_may_be_divided_by_commas_or_given_one_by_one() -> None:
    together = parse_columns(["question=Body,answer=Reply", "slice.topic=Category"])
    assert together == {"question": "Body", "answer": "Reply", "slice.topic": "Category"}


def test_a_column_name_with_a_comma_is_quoted() -> None:
    assert parse_columns(['"question=Body, plain",answer=Reply'])["question"] == "Body, plain"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Body", "what=COLUMN"),
        ("question=", "what=COLUMN"),
        ("anser=Reply", "Did you mean answer?"),
        ("slice.=Category", "slice.KEY"),
        ("question=Body,question=Subject", "question=A\\+B"),
    ],
)
def test_what_is_no_map_is_answered_with_what_would_be(written: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_columns([written])


def test_columns_are_found_whatever_their_case_and_joined_by_plus() -> None:
    found = resolve_columns(
        {"question": "subject + body", "answer": "REPLY", "customer": "email"}, HEADER, file="f.csv"
    )
    assert found.columns == {
        "question": ("Subject", "Body"),
        "answer": ("Reply",),
        "customer": ("E-Mail",),
    }
    assert found.unused == ("Ticket Id", "Category")
    row = {"Subject": "Card ", "Body": " Where? ", "Reply": "Here."}
    assert found.take(row, "question") == "Card\n\nWhere?"


def test_a_name_that_holds_a_plus_is_one_column() -> None:
    found = resolve_columns({"question": "A+B", "answer": "C"}, ["A+B", "A", "B", "C"], file="f")
    assert found.columns["question"] == ("A+B",)


def test_a_wrong_name_is_answered_with_the_columns_and_a_suggestion() -> None:
    with pytest.raises(InvalidInput) as told:
        resolve_columns({"question": "Boddy", "answer": "Reply"}, HEADER, file="f.csv")
    assert str(told.value) == (
        "f.csv has no column 'Boddy'. Did you mean 'Body'? It has Ticket Id, Subject, Body, Reply, "
        "E-Mail, Category."
    )


def test_two_columns_of_one_name_are_not_guessed_between() -> None:
    with pytest.raises(InvalidInput, match="Several columns are called 'Body'"):
        resolve_columns(
            {"question": "Body", "answer": "Reply"}, ["Body", "Body", "Reply"], file="f"
        )


def test_columns_with_our_names_need_no_map() -> None:
    found = resolve_columns({}, ["prompt", "Completion", "slice.topic", "id"], file="f.csv")
    assert set(found.columns) == {"question", "answer", "slice.topic"}


@pytest.mark.parametrize(
    ("header", "suggested"),
    [
        (HEADER, "--columns question=Body,answer=Reply,customer=E-Mail"),
        (["id", "messages"], "--columns messages=messages"),
        (
            ["Ticket ID", "From", "Message", "Sent at"],
            "--columns conversation='Ticket ID',author=From,text=Message",
        ),
        (["a", "b"], "--columns question=COLUMN,answer=COLUMN"),
    ],
)
def test_without_a_map_one_is_suggested(header: list[str], suggested: str) -> None:
    with pytest.raises(InvalidInput) as told:
        resolve_columns({}, header if "messages" not in header else ["id", "Messages!"], file="f")
    said = str(told.value).replace("Messages!", "messages")
    assert f"{suggested};" in said


def test_a_conversation_of_several_rows_needs_its_text_and_who_says_it() -> None:
    header = ["t", "who", "words"]
    with pytest.raises(InvalidInput, match="needs text="):
        resolve_columns({"conversation": "t"}, header, file="f")
    with pytest.raises(InvalidInput, match="needs role=COLUMN or author="):
        resolve_columns({"conversation": "t", "text": "words"}, header, file="f")
    assert resolve_columns(
        {"conversation": "t", "text": "words", "role": "who"}, header, file="f"
    ).groups_rows
