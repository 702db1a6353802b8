"""Addresses on the web are found whole, and those that may be about one person are told."""

import time

import pytest
from hypothesis import given

from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.personal_data.web_addresses import find_web_addresses, host_of, is_anybodys


def found(text: str) -> set[str]:
    return {text[one.start : one.end] for one in find_web_addresses(text)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("See https://a.example/b?c=1#d.", {"https://a.example/b?c=1#d"}),
        ("(https://a.example/b_(c))", {"https://a.example/b_(c)"}),
        ("www.a.example, please", {"www.a.example"}),
        ("my page john.example.com/~me!", {"john.example.com/~me"}),
        ("on shop.example.co.uk", {"shop.example.co.uk"}),
        ("hxxps://a[.]example/b", {"hxxps://a[.]example/b"}),
    ],
)
def test_an_address_is_found_without_the_punctuation_behind_it(text: str, wanted: set[str]) -> None:
    assert wanted <= found(text)
    assert all(any(one in whole for whole in wanted) for one in found(text))


@pytest.mark.parametrize(
    "text",
    ["I lost my card.It is gone", "see invoice.pdf and main.py", "a@b.example", "e.g. this",
     "1.2.3", "Thanks.So what", "v1.2.next", "..."],
)  # fmt: skip
def test_files_versions_and_forgotten_spaces_are_none(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    ("address", "anybodys"),
    [
        ("https://help.a.example/cards/lost-card", True),
        ("help.a.example", True),
        ("https://a.example/?id=3", False),
        ("https://a.example/u/12345678", False),
        ("https://a.example/reset/fa93bd83ab", False),
        ("https://ann@a.example/", False),
        ("https://[/", False),
    ],
)
def test_an_address_may_be_anybodys_if_nothing_in_it_names_one(
    address: str, anybodys: bool
) -> None:
    assert is_anybodys(address) is anybodys


def test_on_a_teams_own_host_a_query_without_a_code_names_nobody() -> None:
    assert is_anybodys("https://a.example/?topic=cards", is_own=True)
    assert not is_anybodys("https://a.example/?mail=x@b.example", is_own=True)
    assert not is_anybodys("https://a.example/?id=12345678", is_own=True)


def test_the_host_is_told() -> None:
    assert host_of("HTTPS://www.A.example:80/b") == "a.example"


@given(texts())
def test_no_text_makes_it_fail(text: str) -> None:
    for one in find_web_addresses(text):
        assert 0 <= one.start < one.end <= len(text)
        is_anybodys(text[one.start : one.end])


@pytest.mark.parametrize(
    "text", ["a." * 50_000, "https://" * 20_000, "www." * 50_000, "x.de/" * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    find_web_addresses(text)
    assert time.perf_counter() - began < 3
