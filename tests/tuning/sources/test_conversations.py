"""Conversations of several rows: gathered, in order, and who says what."""

import random

import pytest

from records.errors import InvalidInput
from tuning.sources.conversations import (
    Said,
    Speaker,
    Spool,
    parse_speakers,
    parse_time,
    to_chat,
)


def rows(*said: tuple[str, str], customer: str | None = None) -> list[Said]:
    return [Said(n, who, text, customer=customer) for n, (who, text) in enumerate(said, start=2)]


def chat(found: list[Said], *, by_name: bool = False, **speakers: Speaker) -> list[tuple[str, str]]:
    messages = to_chat(found, speakers=speakers, by_name=by_name)
    return [(message["role"], message["content"]) for message in messages]


def test_rows_of_one_side_are_one_message_and_notes_are_none() -> None:
    found = rows(
        ("Agent", "Welcome!"),
        ("Customer", "Hi"),
        ("customer", "Where is my card?"),
        ("internal note", "He is angry"),
        ("AGENT", "On its way."),
        ("bot", "Anything else?"),
        ("customer", "No, thanks"),
    )
    assert chat(found) == [
        ("user", "Hi\n\nWhere is my card?"),
        ("assistant", "On its way.\n\nAnything else?"),
    ]


def test_names_are_told_apart_by_who_speaks_first() -> None:
    said = (("ann", "Hi"), ("Bob of Support", "Hello"), ("ann", "Where?"), ("Cy", "There"))
    assert [role for role, _ in chat(rows(*said), by_name=True)] == ["user", "assistant"] * 2


def test_the_customers_own_name_counts_more_than_who_is_first() -> None:
    found = rows(
        ("Bob", "Hello, a question for you"), ("ann", "Yes?"), ("Bob", "Go"), customer="Ann"
    )
    assert chat(found, by_name=True) == [("user", "Yes?"), ("assistant", "Go")]


def test_names_beside_plain_words_are_the_teams() -> None:
    found = rows(("Bob", "Hi"), ("customer", "Where?"), ("Bob", "There"))
    assert chat(found, by_name=True) == [("user", "Where?"), ("assistant", "There")]


def test_an_unknown_role_says_how_to_name_it() -> None:
    found = rows(("Kd.", "Wo?"), ("MA", "Da"))
    with pytest.raises(InvalidInput, match=r"--role 'Kd\.=customer"):
        chat(found)
    speakers = parse_speakers(["Kd.=customer", "ma=Agent"])
    assert to_chat(found, speakers=speakers, by_name=False)[0]["role"] == "user"


@pytest.mark.parametrize("written", ["x", "x=", "x=boss"])
def test_a_role_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput, match=r"customer\|agent\|skip"):
        parse_speakers([written])


@pytest.mark.parametrize(
    "said", [(), (("customer", "Hi"),), (("agent", "Hi"),), (("agent", "Hi"), ("customer", "Yo"))]
)
def test_a_conversation_without_an_answer_is_no_lesson(said: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InvalidInput, match="no question that is answered"):
        chat(rows(*said))


def test_interleaved_rows_come_back_by_conversation_and_time() -> None:
    wanted = [(f"c{n % 700}", Said(n, "customer", f"text {n}", time=float(n))) for n in range(3000)]
    shuffled = list(wanted)
    random.Random(5).shuffle(shuffled)
    with Spool() as spool:
        for conversation, said in shuffled:
            spool.put(conversation, said)
        found = list(spool.conversations())
    assert [name for name, _ in found] == [f"c{n}" for n in range(700)]
    for name, said in found:
        assert [one.line for one in said] == [n for n in range(3000) if f"c{n % 700}" == name]


def test_rows_without_a_time_stay_in_the_order_of_the_file() -> None:
    with Spool() as spool:
        for line in (4, 2, 3):
            spool.put("c", Said(line, "a", "b"))
        ((_, found),) = spool.conversations()
    assert [one.line for one in found] == [2, 3, 4]


@pytest.mark.parametrize(
    "written",
    [
        "2017-10-31T22:10:47+00:00",
        "2017-10-31 22:10:47Z",
        "Tue, 31 Oct 2017 22:10:47 +0000",
        "Tue Oct 31 22:10:47 +0000 2017",
        "1509487847",
        1509487847,
    ],
)
def test_times_are_understood_as_exports_write_them(written: str | int) -> None:
    assert parse_time(written) == 1509487847.0


def test_a_time_that_is_none_is_refused_and_a_missing_one_is_none() -> None:
    assert parse_time("") is None
    with pytest.raises(InvalidInput, match="leave time= out"):
        parse_time("yesterday")
