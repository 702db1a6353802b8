"""Of a mail its own words are left, and never nothing of something."""

import time

import pytest
from hypothesis import given

from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.steps.mail import mail_cleaner

own_words = mail_cleaner(["Team Alder.*"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Yes.\n\nOn Mon, Jan 5, 2026 at 3:14 PM A <a@b.example> wrote:\n> Try\n> Bye", "Yes."),
        ("Ja!\n\nAm Mo., 5. Jan. 2026 um 15:14 schrieb A\n<a@b.example>:\n\n> Bitte\n", "Ja!"),
        ("Ja.\nAlder Bank schrieb am 5.1.2026:\nalte Worte", "Ja."),
        ("Oui.\nLe 5 janvier 2026 à 10:00, Alder a écrit :\n> non", "Oui."),
        ("On 5 Jan 2026, Anna wrote:\n> Did it?\n\nNo.\n> And now?\nNeither.", "No.\nNeither."),
        ("I agree\n-----Original Message-----\nFrom: x\nold", "I agree"),
        ("Stimmt\n-----Ursprüngliche Nachricht-----\nVon: x", "Stimmt"),
        ("See\n\nFrom: A <a@b.example>\nSent: Monday\nTo: help\nSubject: x\n\nold", "See"),
        ("Siehe\nVon: A\nGesendet: Montag\nAn: B\nBetreff: C\n\nalt", "Siehe"),
        ("Card lost.\nBest regards,\nAnna Smith\nAlder Street 5\n+49 170 1234567", "Card lost."),
        ("Karte weg\n\nMit freundlichen Grüßen\nAnna", "Karte weg"),
        ("My card is lost.\n-- \nAnna Smith\nAlder Ltd", "My card is lost."),
        ("My card\n\nSent from my iPhone", "My card"),
        ("Karte weg\nVon meinem iPhone gesendet", "Karte weg"),
        ("Can you check it?\nThanks\nAnna", "Can you check it?"),
        ("Please do X.\nThanks, Anna", "Please do X."),
        ("The fee is 3 €.\nTeam Alder Bank\n", "The fee is 3 €."),
        ("Yes.\nLG\n-- \nTom\n\nOn 5 May Ann wrote:\n> x", "Yes."),
    ],
)  # fmt: skip
def test_signatures_and_quoted_mail_go(text: str, wanted: str) -> None:
    assert own_words(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my iPhone",
        "> only quoted",
        "Best regards,\nAnna",
        "-----Original Message-----\nold",
        "Hi\nThanks,\nbut it still does not work at all",
        "It works. Thanks, everyone",
        "On the page you wrote: nothing",
        "> 30 days is\nthe limit",
        "You can pay\nwith card.",
        "From: where does it come?\nI don't know",
        "one -- two",
        "",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert own_words(text) == text


@given(texts())
def test_twice_is_once_and_no_words_become_none(text: str) -> None:
    once = own_words(text)
    assert own_words(once) == once
    assert bool(once.strip()) == bool(text.strip())
    assert len(once) <= len(text)


@pytest.mark.parametrize(
    "text",
    ["LG\n" * 20_000, "x\n" + "LG\n" * 20_000, "On 1 x wrote:\n>\n" * 6_000, "> a\n" * 20_000,
     "On 1 " * 40_000, "On 1 a\n" * 10_000, "From: x\n" * 10_000, "-" * 200_000, "_ " * 100_000,
     "x\nThanks " + "A" * 100_000, "> " * 100_000],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    own_words(text)
    assert time.perf_counter() - began < 3


def test_a_pattern_that_is_none_is_said() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        mail_cleaner(["("])
