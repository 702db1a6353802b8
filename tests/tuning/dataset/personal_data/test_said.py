"""Names and dates of birth are found where words announce them, and only there."""

import time

import pytest

from tuning.dataset.personal_data.said import find_said


def found(text: str) -> list[str]:
    return sorted({text[one.start : one.end] for one in find_said(text)})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("My name is Anna and I wait.", ["Anna"]),
        ("my name is John van der Berg-Smith.", ["John van der Berg-Smith"]),
        ("MY NAME IS JOHN O'BRIEN", ["JOHN O'BRIEN"]),
        ("my name is anna smith, hello", ["anna smith"]),
        ("Ich heiße Zoë Müller.", ["Zoë Müller"]),
        ("Account holder: J. R. Tolkien", ["J. R. Tolkien"]),
        ("Dear Mr. Smith, hello", ["Smith"]),
        ("Sehr geehrte Frau Dr. Kowalska,", ["Kowalska"]),
        ("Hi Priya! Thanks", ["Priya"]),
        ("Can you? Hello Wei, yes.", ["Wei"]),
        ("Hi, this is Tariq Haddad from Leeds", ["Tariq Haddad"]),
        ("It works.\nThanks, Anna", ["Anna"]),
        ("I was born on 12 March 1985.", ["12 March 1985"]),
        ("DOB: 03/12/85", ["03/12/85"]),
        ("geboren am 12.03.1985", ["12.03.1985"]),
    ],
)
def test_what_is_announced_is_found_whole(text: str, wanted: list[str]) -> None:
    assert found(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "My name is wrong on the card.",
        "My name is not shown, why",
        "Dear Support, nothing works.",
        "Hi there, can you help?",
        "Hello Team, This is Urgent!",
        "Dear Alder Bank,",
        "I am at home. I'm German.",
        "Thanks, I will wait.",
        "The card arrived on 12 March 2025.",
        "Anna and John have a card.",
        "The file name: report",
    ],
)
def test_other_words_and_dates_are_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["My name is " * 20_000, "Mr " * 60_000, "A " * 100_000, "Hi A" * 40_000,
             "Dear " + "A" * 100_000, "thanks " * 20_000, "born 1 " * 20_000],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    find_said(text)
    assert time.perf_counter() - began < 3
