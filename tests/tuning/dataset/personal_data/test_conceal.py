"""One value, one placeholder, in all of a conversation; what is the team's own stays."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.personal_data.conceal import Concealer, Said
from tuning.dataset.personal_data.finder import PLACEHOLDER


def concealed(concealer: Concealer, *said: str) -> list[str]:
    """The customer says the first, the team the second, and so on."""
    return concealer.conceal([Said(text, by_team=at % 2 == 1) for at, text in enumerate(said)])


def test_the_same_value_gets_the_same_placeholder_however_it_is_written(
    concealer: Concealer,
) -> None:
    assert concealed(
        concealer,
        "I am ann@x.example, +49 170 1234567. KD-1234",
        "We wrote to ANN@x.example and called 0170/1234567, kd-1234.",
        "Not to bert@x.example?",
    ) == [
        "I am <EMAIL_1>, <PHONE_1>. <CUSTOMER_ID_1>",
        "We wrote to <EMAIL_1> and called <PHONE_1>, <CUSTOMER_ID_1>.",
        "Not to <EMAIL_2>?",
    ]


def test_a_value_given_away_once_is_known_wherever_it_is_said(concealer: Concealer) -> None:
    assert concealed(
        concealer,
        "My name is Anna Smith, my phone is 5551234567.",
        "Anna, is 5551234567 right, Mrs Smith? Anna Smith?",
    ) == [
        "My name is <NAME_1>, my phone is <PHONE_1>.",
        "<NAME_1>, is <PHONE_1> right, Mrs <NAME_1>? <NAME_1>?",
    ]


def test_names_that_are_words_are_not_taken_for_names_elsewhere(concealer: Concealer) -> None:
    said = concealed(concealer, "My name is Will Young.", "Will you wait? Young people will.")
    assert said == ["My name is <NAME_1>.", "Will you wait? Young people will."]


def test_what_is_the_teams_own_stays(concealer: Concealer) -> None:
    answer = (
        "See https://help.alder.example/cards?topic=pin, call 0800 1234567 or 030 9998887, "
        "write to bob@alder.example or support@alder.example."
    )
    assert concealed(concealer, "Who are you?", answer)[1] == answer


def test_even_on_the_teams_own_pages_nobody_is_named(concealer: Concealer) -> None:
    said = concealed(concealer, "?", "https://alder.example/reset?mail=ann@x.example")
    assert said[1] == "<URL_1>"


def test_a_page_that_the_team_says_first_stays_and_one_that_the_customer_says_does_not(
    concealer: Concealer,
) -> None:
    theirs, pages = "http://john.example/blog", "https://pages.example/help/cards"
    assert concealed(concealer, theirs, f"{pages} not {theirs}", f"I read {pages}") == [
        "<URL_1>",
        f"{pages} not <URL_1>",
        f"I read {pages}",
    ]


def test_numbers_go_on_behind_placeholders_that_are_there(concealer: Concealer) -> None:
    assert concealed(concealer, "<EMAIL_3> a@b.example", "c@d.example") == [
        "<EMAIL_3> <EMAIL_4>",
        "<EMAIL_5>",
    ]


def test_nothing_stays_nothing(concealer: Concealer) -> None:
    assert concealer.conceal([]) == []
    assert concealed(concealer, "", " ") == ["", " "]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(texts(8), max_size=4))
def test_concealing_again_changes_nothing_and_no_text_makes_it_fail(
    concealer: Concealer, said: list[str]
) -> None:
    once = concealed(concealer, *said)
    assert concealed(concealer, *once) == once
    assert len(once) == len(said)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(["a@b.example", "c@d.example", "+49 170 1234567"]), max_size=6))
def test_as_many_placeholders_as_values(concealer: Concealer, values: list[str]) -> None:
    said = concealed(concealer, *(f"It is {value}." for value in values))
    found = [re.findall(PLACEHOLDER.pattern, text) for text in said]
    assert len({tuple(one) for one in found}) == len(set(values))
    for value, other in zip(values, found, strict=True):
        assert other == found[values.index(value)]
