"""Phrases, patterns and topics by which a person is asked for without the model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.assistant import EscalationOptions
from records.states import EscalationReason
from serving.escalation_rules import EscalationRules, likeness, triples, words_of


def rules(**options: Any) -> EscalationRules:
    return EscalationRules(EscalationOptions.model_validate(options))


@pytest.mark.parametrize(
    "text", ["I want to speak to a person", "Speak to a  PERSON, please!", "speak-to-a-person"]
)
def test_a_phrase_is_found_whatever_stands_around_it(text: str) -> None:
    found = rules(phrases=["speak to a person"]).find(text)
    assert found is not None
    assert found.reason is EscalationReason.CUSTOMER
    assert "speak to a person" in found.cause


def test_a_phrase_is_whole_words() -> None:
    found = rules(phrases=["human"])
    assert found.find("Are you humane?") is None
    assert found.find("A human!") is not None


def test_a_pattern_ignores_letter_case_and_names_its_rule() -> None:
    lost = {"name": "lost card", "pattern": r"\b(lost|stolen)\b.*\bcard\b", "sentence": "Blocked."}
    found = rules(rules=[lost]).find("I LOST my card")
    assert found is not None
    assert (found.reason, found.sentence) == (EscalationReason.POLICY, "Blocked.")
    assert "lost card" in found.cause
    assert rules(rules=[lost]).find("my card is lost in a drawer? no") is None


def test_a_pattern_that_takes_too_long_applies_not_and_holds_nobody_up() -> None:
    slow, quick = {"name": "slow", "pattern": r"^(a+)+$"}, {"name": "quick", "pattern": "!"}
    found = rules(rules=[slow, quick]).find(f"{'a' * 3_000}!")
    assert found is not None
    assert "quick" in found.cause


def test_a_topic_is_found_in_other_words_and_with_typos() -> None:
    topic = {"name": "lost card", "like": ["I lost my card", "my card was stolen"]}
    found = rules(rules=[topic])
    assert found.find("i lost my crad") is not None
    assert found.find("My card was stollen yesterday") is not None
    assert found.find("What is the exchange rate for euros?") is None


def test_nothing_is_found_where_nothing_is_set() -> None:
    assert rules().find("speak to a person") is None


@pytest.mark.parametrize(
    "wrong",
    [{"name": "x"}, {"name": "x", "pattern": "("}, {"name": "x", "pattern": "a", "like": ["b"]}],
)
def test_a_rule_that_cannot_be_applied_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        rules(rules=[wrong])


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_between_0_and_1(one: str, other: str) -> None:
    a, b = triples(words_of(one)), triples(words_of(other))
    assert likeness(a, b) == pytest.approx(likeness(b, a))
    assert 0 <= likeness(a, b) <= 1 + 1e-9
    if a:
        assert likeness(a, a) == pytest.approx(1)
