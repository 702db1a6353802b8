"""Recall and precision by type on generated texts, and what of hidden data is found.

The whole table: `python -m benchmarks.tuning.personal_data`.
"""

import phonenumbers
import pytest

from benchmarks.tuning.personal_data import Counts, measure
from benchmarks.tuning.personal_data_texts import adversarial_texts, usual_texts
from records.personal_data import PersonalData, find
from tuning.dataset.personal_data.finder import Finder
from tuning.dataset.personal_data.kinds import Kind

_HIDDEN = {
    Kind.EMAIL: 0.75,  # one letter at a time: not found
    Kind.PHONE: 0.75,  # in words: not found
    Kind.CARD: 0.97,
    Kind.IBAN: 0.97,
    Kind.SOCIAL_SECURITY: 0.97,
    Kind.IP_ADDRESS: 0.97,
    Kind.URL: 0.9,
    Kind.NAME: 0.9,
}


@pytest.fixture(scope="module")
def usual(finder: Finder) -> dict[str, Counts]:
    return measure(usual_texts(700, seed=7), finder.find)


@pytest.fixture(scope="module")
def hidden(finder: Finder) -> dict[str, Counts]:
    return measure(adversarial_texts(400, seed=7), finder.find)


@pytest.mark.parametrize("kind", Kind)
def test_of_what_people_write_nearly_all_is_found_and_nearly_nothing_else(
    usual: dict[str, Counts], kind: Kind
) -> None:
    counts = usual[kind]
    assert counts.known >= 10
    assert counts.recall >= 0.97, counts.wrong
    assert counts.precision >= 0.97 or counts.found - counts.right <= 1, counts.wrong


@pytest.mark.parametrize("kind", _HIDDEN)
def test_of_what_is_hidden_as_much_is_found_as_the_guide_says(
    hidden: dict[str, Counts], kind: Kind
) -> None:
    assert hidden[kind].recall >= _HIDDEN[kind], hidden[kind].wrong
    assert hidden[kind].precision >= 0.9, hidden[kind].wrong


def test_the_same_seed_gives_the_same_texts() -> None:
    assert usual_texts(20, seed=3) == usual_texts(20, seed=3) != usual_texts(20, seed=4)


@pytest.mark.parametrize(
    ("written", "context", "least"),
    [
        (phonenumbers.PhoneNumberFormat.INTERNATIONAL, "Is {} the one you have?", 0.98),
        (phonenumbers.PhoneNumberFormat.E164, "Is {} the one you have?", 0.98),
        (phonenumbers.PhoneNumberFormat.NATIONAL, "Please call {} today.", 0.9),
        (phonenumbers.PhoneNumberFormat.NATIONAL, "Is {} the one you have?", 0.6),
    ],
)
def test_every_countrys_example_number_is_found(written: int, context: str, least: float) -> None:
    numbers = [
        phonenumbers.format_number(number, written)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        if (number := phonenumbers.example_number(region))
    ]
    whole = [_is_found_whole(context.format(number), number) for number in numbers]
    assert sum(whole) / len(whole) >= least


def _is_found_whole(text: str, number: str) -> bool:
    start = text.index(number)
    return any(
        one.kind is PersonalData.PHONE and one.start <= start + 1 and one.end >= start + len(number)
        for one in find(text)
    )
