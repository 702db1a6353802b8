"""What is found in a text with an assistant's options, and what is refused of them."""

import re
import time

import pytest

from records.errors import ConfigurationError
from tuning.dataset.options import PersonalDataOptions, resolve_data
from tuning.dataset.personal_data.finder import Finder
from tuning.dataset.personal_data.kinds import Kind


def found(finder: Finder, text: str) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], one.kind) for one in finder.find(text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ann@x.example", Kind.EMAIL),
        ("+49 170 1234567", Kind.PHONE),
        ("4111 1111 1111 1111", Kind.CARD),
        ("DE89 3704 0044 0532 0130 00", Kind.IBAN),
        ("123-45-6789", Kind.SOCIAL_SECURITY),
        ("AB 12 34 56 C", Kind.NATIONAL_ID),
        ("12345678Z", Kind.NATIONAL_ID),
        ("192.168.0.1", Kind.IP_ADDRESS),
        ("2001:db8::12:34", Kind.IP_ADDRESS),
        ("00:1a:2b:3c:4d:5e", Kind.MAC_ADDRESS),
        ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", Kind.CRYPTO),
        ("https://john.example/me", Kind.URL),
    ],
)
def test_each_type_is_found(finder: Finder, text: str, kind: Kind) -> None:
    assert found(finder, f"It is {text}, right?") == [(text, kind)]


def test_a_text_that_can_hold_nothing_needs_no_engine() -> None:
    quick = Finder(PersonalDataOptions())
    assert quick.find("Where is my card? I have waited for two weeks, thank you.") == []
    assert "_engine" not in vars(quick)


def test_placeholders_are_left_alone(finder: Finder) -> None:
    own = Finder(PersonalDataOptions(patterns={"WORD": r"\w+"}))
    assert found(own, "<EMAIL_1> a <PHONE_22>") == [("a", "WORD")]
    assert found(finder, "My name is <NAME_1>, <EMAIL_1>.") == []


def test_types_to_keep_are_not_looked_for() -> None:
    keeping = Finder(PersonalDataOptions(keep=("URL",)))
    text = "a@b.example https://x.example/?mail=c@d.example"
    assert found(keeping, text) == [("a@b.example", "EMAIL"), ("c@d.example", "EMAIL")]


def test_a_higher_threshold_finds_less() -> None:
    text = "Hello Anna, is 555-123-4567 yours?"
    assert len(Finder(PersonalDataOptions()).find(text)) == 2
    assert len(Finder(PersonalDataOptions(threshold=0.9)).find(text)) == 0


def test_a_teams_own_pattern_is_found_and_counts_before_others() -> None:
    own = Finder(PersonalDataOptions(patterns={"CUSTOMER_ID": r"\bkd-\d{4}\b"}))
    assert found(own, "KD-1234 and kd-12345") == [("KD-1234", "CUSTOMER_ID")]


def test_a_text_on_which_a_pattern_takes_too_long_is_taken_out_whole() -> None:
    own = Finder(PersonalDataOptions(patterns={"SLOW": r"^(a+)+$"}))
    text, began = "a" * 4_000 + "!", time.perf_counter()
    assert found(own, text) == [(text, "SLOW")]
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"patterns": {"X": "("}}, "patterns.X cannot be used: pattern is no regular expression"),
        ({"patterns": {"x-y": "a"}}, "needs another name"),
        ({"patterns": {"EMAIL": "a"}}, "needs another name"),
        ({"patterns": {"X": "a*"}}, "matches no words at all"),
        ({"keep": ["URLS"]}, "keep names URLS; there are: EMAIL"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_begins(
    section: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        resolve_data({"personal_data": section})


@pytest.mark.parametrize(
    "piece",
    ["1 ", "a@b.example ", "Mr A ", "aBcdef12X", "1.1.", "00:1a:", "my name is A. ", "\ud800"],
)
def test_no_text_takes_long(finder: Finder, piece: str) -> None:
    finder.find("a@b.example")
    text, began = piece * (8_000 // len(piece)), time.perf_counter()
    finder.find(text)
    assert time.perf_counter() - began < 3
