"""The same thing is the same however it is written, and different things are not."""

import pytest

from tuning.dataset.personal_data.kinds import Find, Kind
from tuning.dataset.personal_data.same_value import Value


def value(kind: str, text: str) -> Value:
    return Value.of(Find(0, len(text), kind, 1.0), text)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.EMAIL, "Ann@X.example", "ann (at) x dot example"),
        (Kind.PHONE, "+49 (0)170 1234567", "0170/1234567"),
        (Kind.PHONE, "0049 170 1234567", "+49 170 1234567 ext. 12"),
        (Kind.IBAN, "DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
        (Kind.CARD, "4111-1111-1111-1111", "٤١١١ ١١١١ ١١١١ ١١١١"),
        (Kind.URL, "https://www.a.example/", "A.example"),
        (Kind.NAME, "Anna Smith", "Smith"),
        (Kind.NAME, "ANNA", "Anna"),
        ("KD", "kd-12", "KD-12"),
    ],
)
def test_ways_to_write_the_same(kind: str, one: str, other: str) -> None:
    assert value(kind, one).is_same(value(kind, other))
    assert value(kind, other).is_same(value(kind, one))


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.EMAIL, "ann@x.example", "bann@x.example"),
        (Kind.PHONE, "+49 170 1234567", "+49 170 1234568"),
        (Kind.PHONE, "1234567", "555123 1234567"),
        (Kind.NAME, "Anna Smith", "John Smith"),
        (Kind.URL, "a.example/b", "a.example/B/c"),
    ],
)
def test_different_things_are_different(kind: str, one: str, other: str) -> None:
    assert not value(kind, one).is_same(value(kind, other))


def test_a_number_is_the_same_whatever_it_is_taken_for_and_other_types_differ() -> None:
    assert value(Kind.PHONE, "123-45-6789").is_same(value(Kind.SOCIAL_SECURITY, "123 45 6789"))
    assert not value(Kind.NAME, "a.example").is_same(value(Kind.URL, "a.example"))
