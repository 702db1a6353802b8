"""What of answers with personal data is learned: nothing that a customer must not read."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.assistant import Assistant
from records.messages import Message, Role
from tests.tuning.build import example
from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.examples import TrainingExample
from tuning.dataset.options import PersonalDataOptions, resolve_data
from tuning.dataset.personal_data.finder import PLACEHOLDER
from tuning.dataset.personal_data.salutations import without_salutation
from tuning.dataset.steps.all_steps import example_steps
from tuning.dataset.steps.personal_data import AnswersWithoutPersonalData, PersonalDataOut
from tuning.dataset.steps.step import Dropped

ASSISTANT = Assistant(name="support", system_prompt="You answer for Alder Bank.", base_model="tiny")


@pytest.fixture(scope="module")
def out() -> PersonalDataOut:
    return PersonalDataOut(PersonalDataOptions(), ASSISTANT)


def answers(**options: Any) -> AnswersWithoutPersonalData:
    return AnswersWithoutPersonalData(PersonalDataOptions(**options), ASSISTANT)


def test_all_texts_of_an_example_share_their_placeholders(out: PersonalDataOut) -> None:
    one = replace(
        example(1, asked="I am ann@x.example", answer="To ann@x.example."),
        rejected="[handoff] To bob@x.example.",
    )
    after = out(one)
    assert after.prompt[0].content == "I am <EMAIL_1>"
    assert after.answer == "To <EMAIL_1>."
    assert after.rejected == "[handoff] To <EMAIL_2>."


def test_an_example_without_any_is_the_same_object(out: PersonalDataOut) -> None:
    one = example(1)
    assert out(one) is one
    assert answers()(one) is one


def test_no_pattern_touches_the_handoff_marker() -> None:
    own = PersonalDataOut(PersonalDataOptions(patterns={"WORD": "handoff|fine"}), ASSISTANT)
    assert own(example(1, answer="[handoff] It is fine")).answer == "[handoff] It is <WORD_1>"


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("Dear Mrs Smith, your card is there.", "Your card is there."),
        ("Hi Anna!\nYour card is there.", "Your card is there."),
        ("[handoff] Hello Anna, a colleague helps.", "[handoff] A colleague helps."),
        ("Hello, your card is there.", "Hello, your card is there."),
    ],
)
def test_an_answer_greets_nobody_by_name(out: PersonalDataOut, answer: str, wanted: str) -> None:
    assert out(example(1, answer=answer)).answer == wanted


def test_a_greeting_alone_stays() -> None:
    assert without_salutation("Hi <NAME_1>,") == "Hi <NAME_1>,"


def test_an_answer_with_personal_data_is_not_learned() -> None:
    copied = example(1, asked="I am <EMAIL_1>", answer="We wrote to <EMAIL_1>.")
    told = example(1, answer="Call <PHONE_1>.")
    assert answers()(copied) == Dropped("answer repeats the customer's personal data")
    assert answers()(told) == Dropped(
        "answer tells personal data; what is yours belongs into `own`"
    )


def test_with_the_option_copies_are_learned_but_nothing_else() -> None:
    learning = answers(learn_copies=True)
    copied = example(1, asked="I am <EMAIL_1>", answer="We wrote to <EMAIL_1>.")
    assert learning(copied) is copied
    assert isinstance(learning(replace(copied, answer="<EMAIL_1>.")), Dropped)
    assert isinstance(learning(replace(copied, answer="To <EMAIL_2>.")), Dropped)


def test_a_handoff_is_learned_with_the_assistants_sentence() -> None:
    one = example(1, answer="[handoff] Call <PHONE_1>.", should_escalate=True)
    after = answers()(one)
    assert isinstance(after, TrainingExample)
    assert after.answer == f"[handoff] {ASSISTANT.handoff_sentence}"


def test_an_earlier_answer_with_personal_data_is_only_read() -> None:
    turns = [(Role.CUSTOMER, "a?"), (Role.AGENT, "Call <PHONE_1>."), (Role.CUSTOMER, "And?")]
    one = replace(example(1), prompt=tuple(Message(*turn) for turn in turns))
    after = answers()(one)
    assert isinstance(after, TrainingExample)
    assert after.unlearned == {1}
    assert after.prompt == one.prompt


def test_a_rejected_answer_may_hold_some() -> None:
    one = replace(example(1), rejected="Call <PHONE_1>.")
    assert answers()(one) is one


def conversations() -> st.SearchStrategy[TrainingExample]:
    return st.builds(
        lambda asked, said, answer, rejected, escalates: replace(
            example(1, answer=answer, should_escalate=escalates),
            prompt=(Message(Role.CUSTOMER, asked), Message(Role.AGENT, said)),
            rejected=rejected,
        ),
        texts(6),
        texts(6),
        texts(6),
        st.none() | texts(4),
        st.booleans(),
    )


@pytest.fixture(scope="module")
def steps() -> list[Any]:
    options = resolve_data({"languages": ["en"], "personal_data": {"patterns": {"KD": r"KD-\d+"}}})
    return example_steps(options, ASSISTANT)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(conversations())
def test_each_step_done_twice_is_done_once_and_none_fails(
    steps: list[Any], one: TrainingExample
) -> None:
    for step in steps:
        once = step.work(one)
        if isinstance(once, Dropped):
            continue
        assert step.work(once) == once, step.name
        one = once
    learned = [m.content for at, m in enumerate(one.prompt) if at == 1 and at not in one.unlearned]
    if not isinstance(steps[-1].work(one), Dropped):
        assert not any(PLACEHOLDER.search(text) for text in [*learned, one.answer])


def test_the_steps_are_named_and_personal_data_comes_last(steps: list[Any]) -> None:
    assert [step.name for step in steps] == [
        "text repaired",
        "signatures and quoted mail",
        "without question or answer",
        "answers that say nothing",
        "too long",
        "toxic answers",
        "other languages",
        "personal data",
        "personal data in answers",
    ]


def test_personal_data_may_be_left_as_it_is() -> None:
    options = resolve_data({"personal_data": {"replace": False}})
    names = [step.name for step in example_steps(options, ASSISTANT)]
    assert not any("personal" in name or "languages" in name for name in names)
