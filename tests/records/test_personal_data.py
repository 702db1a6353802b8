"""Personal data is found by its form and check digits, in any text, without taking long."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.personal_data import PersonalData, find, is_card, is_iban


def found(text: str) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], one.kind) for one in find(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Write to ann.b+c@mail.example.com, please.", [("ann.b+c@mail.example.com", "email")]),
        ("jörg@müller.example", [("jörg@müller.example", "email")]),
        ("IBAN DE89 3704 0044 0532 0130 00 and more", [("DE89 3704 0044 0532 0130 00", "iban")]),
        ("gb82west12345698765432", [("gb82west12345698765432", "iban")]),
        ("card 4111-1111-1111-1111!", [("4111-1111-1111-1111", "card")]),
        ("call +49 170 1234567", [("+49 170 1234567", "phone")]),
        ("call (030) 123-4567", [("(030) 123-4567", "phone")]),
        ("call 555-123-4567", [("555-123-4567", "phone")]),
        ("SSN 123-45-6789.", [("123-45-6789", "social_security")]),
        ("from 192.168.0.1.", [("192.168.0.1", "ip_address")]),
        ("from 192.168.0.1 today", [("192.168.0.1", "ip_address")]),
        ("from 2001:db8::12:34: hello", [("2001:db8::12:34", "ip_address")]),
        ("'o'brien@x.example'", [("o'brien@x.example", "email")]),
        ("john at example dot com, please", [("john at example dot com", "email")]),
        ("john [at] mail (dot) example.com", [("john [at] mail (dot) example.com", "email")]),
        ("IBAN: DE89 3704 0044 0532 0130 00 2 days ago", [("DE89 3704 0044 0532 0130 00", "iban")]),
        ("to DE89 3704 0044\n0532 0130 00", [("DE89 3704 0044\n0532 0130 00", "iban")]),
        ("card 4111 1111 1111 1111 12/27, 123", [("4111 1111 1111 1111", "card")]),
        ("2 x 4111 1111 1111 1111 123", [("4111 1111 1111 1111", "card")]),
        ("3782 822463 10005", [("3782 822463 10005", "card")]),
        ("SSN: 123 45 6789", [("123 45 6789", "social_security")]),
        ("+49 (0)30 123456-78", [("+49 (0)30 123456-78", "phone")]),
        ("or 01 23 45 67 89", [("01 23 45 67 89", "phone")]),
        ("or 01.23.45.67.89", [("01.23.45.67.89", "phone")]),
        ("call 5551234567 ext. 12", [("5551234567 ext. 12", "phone")]),
        ("98765 43210 is my mobile", [("98765 43210", "phone")]),
        ("+49 170\n1234567", [("+49 170\n1234567", "phone")]),
        ("0170 1234567\n0171 7654321", [("0170 1234567", "phone"), ("0171 7654321", "phone")]),
        ("call ٠١٧٠ ١٢٣٤٥٦٧", [("٠١٧٠ ١٢٣٤٥٦٧", "phone")]),
        ("call 0170\u00a0123\u200b4567", [("0170\u00a0123\u200b4567", "phone")]),
        ("SSN 123–45–6789", [("123–45–6789", "social_security")]),
        ("192[.]168[.]0[.]1", [("192[.]168[.]0[.]1", "ip_address")]),
        ("４１１１ １１１１ １１１１ １１１１", [("４１１１ １１１１ １１１１ １１１１", "card")]),
    ],
)  # fmt: skip
def test_it_is_found_whole(text: str, wanted: list[tuple[str, str]]) -> None:
    assert found(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order 12345678",
        "It takes 3-5 days, from 2024-01-02 to 02.01.2024.",
        "It costs 1,234,567.89 or 1.234.567,89.",
        "DE89370400440532013001 has a wrong check digit",
        "4111 1111 1111 1112 too",
        "0000 0000 0000 0000",
        "version 1.2.3.4.5, 999.1.1.1",
        "@everyone a@b me@home",
        "call 110",
        "order 555-123-4567, ticket #98765 4321, Bestellnummer 0123456789",
        "version 10.0.19045.3803, firmware 1.2.3.4",
        "from 10-12 and 14-18, 01.02.2024-03.04.2024",
        "DE89 3704 0044 0532 0130 01 has a wrong check digit",
        "0034 0434 1610 9404 2557 and 1Z999AA10123456784",
        "978-3-16-148410-0, 52.520008, 13.404954",
        "It costs 12 345 678 €, 1 234 567 890 kg or $123 456 789.",
        "Look at example.com, we meet at the red dot.",
        "12:30:45 and std::vector, a::b",
        "1234 5678 9012 3456",
    ],
)
def test_other_numbers_and_names_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_several_kinds_are_found_in_order() -> None:
    text = "a@b.example, +49 170 1234567, 4111 1111 1111 1111, a@b.example"
    assert [one.kind for one in find(text)] == [
        PersonalData.EMAIL,
        PersonalData.PHONE,
        PersonalData.CARD,
        PersonalData.EMAIL,
    ]


@given(st.integers(min_value=0, max_value=10**14))
def test_each_number_has_one_check_digit_that_makes_it_a_card(number: int) -> None:
    digits = f"4{number:014d}"
    assert sum(is_card(f"{digits}{check}") for check in range(10)) == 1


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=11, max_size=30))
def test_each_account_has_check_digits_that_make_it_an_iban(account: str) -> None:
    number = int("".join(str(int(letter, 36)) for letter in f"{account}DE00"))
    assert is_iban(f"DE{98 - number % 97:02d}{account}")


@settings(deadline=None)
@given(st.text("ab1 0@.-+()_4DEé,", max_size=300))
def test_what_is_found_lies_in_the_text_in_order_without_overlaps(text: str) -> None:
    end = 0
    for one in find(text):
        assert end <= one.start < one.end <= len(text)
        end = one.end


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "1" * 200_000,
        "1 " * 100_000,
        "a.b@" * 50_000,
        "+(1)" * 50_000,
        "DE89" * 50_000,
        "a@b.example " * 20_000,
        "1.1." * 50_000,
        "-" * 200_000,
        "a at b dot " * 20_000,
        "a @ b . " * 20_000,
        "12 34\n" * 30_000,
        "+1\n" * 50_000,
        "[at]" * 50_000,
        "a:b:" * 50_000,
        "A1" * 100_000,
        "٣" * 200_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    find(text)
    assert time.process_time() - began < 2
