"""Which examples are dropped, which are kept, and what of their earlier answers is learned."""

from dataclasses import replace

import pytest
from hypothesis import given

from records.errors import ConfigurationError
from records.messages import Message, Role
from tests.tuning.build import example
from tests.tuning.dataset.steps.texts_of_all_kinds import texts
from tuning.dataset.examples import TrainingExample
from tuning.dataset.steps.boilerplate import boilerplate, keep_saying
from tuning.dataset.steps.language import check_languages, keep_languages, language_guess
from tuning.dataset.steps.length import keep_short
from tuning.dataset.steps.step import Dropped
from tuning.dataset.steps.toxicity import keep_civil, toxicity
from tuning.dataset.steps.usable import keep_usable

says_nothing = boilerplate([r"ticket \d+ (?:opened|closed)\.?"])
is_toxic = toxicity(["rubbish", "not my job"])
guess = language_guess()


def with_turns(*turns: tuple[Role, str], answer: str = "Open the app.") -> TrainingExample:
    return replace(example(1, answer=answer), prompt=tuple(Message(*turn) for turn in turns))


def test_examples_without_question_or_answer_are_dropped() -> None:
    assert keep_usable(example(1, asked=" ")) == Dropped("no question")
    assert keep_usable(example(1, answer=" ")) == Dropped("no answer")
    assert keep_usable(with_turns((Role.ASSISTANT, "Hi"))) == Dropped("no question")
    assert keep_usable(replace(example(1), prompt=())) == Dropped("no question")


def test_a_wrong_answer_alone_is_a_lesson() -> None:
    one = replace(example(1, answer=""), rejected="No.")
    assert keep_usable(one) is one


@pytest.mark.parametrize(
    "answer", ["Please wait!", "ok... one moment, please", "TICKET 12 closed."]
)
def test_answers_that_say_nothing_are_dropped(answer: str) -> None:
    wanted = answer != "ok... one moment, please"  # has one word more
    assert isinstance(keep_saying(example(1, answer=answer), says_nothing), Dropped) is wanted


@pytest.mark.parametrize("answer", ["Please wait two days.", "Done by Friday.", "👍", "Ticket 12"])
def test_answers_that_only_hold_such_words_stay(answer: str) -> None:
    one = example(1, answer=answer)
    assert keep_saying(one, says_nothing) is one


def test_a_handoff_may_say_nothing_else() -> None:
    one = example(1, answer="[handoff] Please wait", should_escalate=True)
    assert keep_saying(one, says_nothing) is one


@pytest.mark.parametrize("bad", ["Please wait.", "That is RUBBISH."])
def test_an_earlier_bad_answer_is_read_but_not_learned(bad: str) -> None:
    one = with_turns((Role.CUSTOMER, "a?"), (Role.AGENT, bad), (Role.CUSTOMER, "And?"))
    kept = keep_saying(one, says_nothing) if bad.startswith("Please") else keep_civil(one, is_toxic)
    assert isinstance(kept, TrainingExample)
    assert kept.unlearned == {1}
    assert kept.prompt == one.prompt


@pytest.mark.parametrize(
    "answer", ["You idiot", "IDIOT!", "Shut  up.", "ｉｄｉｏｔ", "It's not my job"]
)
def test_toxic_answers_are_dropped(answer: str) -> None:
    assert keep_civil(example(1, answer=answer), is_toxic) == Dropped("toxic answer")


def test_words_within_words_are_not_toxic_and_customers_may_be_angry() -> None:
    for one in (
        example(1, answer="The idiotproof way: shut upper doors."),
        example(1, asked="You idiots!"),
        replace(example(1), rejected="You idiot"),
    ):
        assert keep_civil(one, is_toxic) is one


def test_long_texts_are_dropped() -> None:
    assert keep_short(example(1, asked="x" * 11), longest=10) == Dropped("question too long")
    assert keep_short(example(1, asked="x", answer="x" * 11), longest=10) == Dropped(
        "answer too long"
    )
    one = example(1, asked="x" * 10, answer="x" * 10)
    assert keep_short(one, longest=10) is one


GERMAN = "Wo ist meine neue Karte, die ich vor zwei Wochen bestellt habe?"
FRENCH = "Où se trouve la carte que j'ai commandée il y a deux semaines ?"


def test_what_is_decidedly_in_another_language_is_dropped() -> None:
    assert keep_languages(example(1, asked=FRENCH), guess, wanted=["de"]) == Dropped(
        "question in fr"
    )
    german = example(1, asked=GERMAN, answer=FRENCH)
    assert keep_languages(german, guess, wanted=["de"]) == Dropped("answer in fr")


@pytest.mark.parametrize("asked", [GERMAN, "ok", "Card?", "IBAN 123 456 789 000", "😀" * 30])
def test_short_texts_and_those_of_no_language_stay(asked: str) -> None:
    one = example(1, asked=asked, answer="Ja.")
    assert keep_languages(one, guess, wanted=["de"]) is one


def test_a_language_that_cannot_be_told_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"data\.languages names english"):
        check_languages(["en", "english"])


@given(texts())
def test_no_text_makes_a_step_fail_and_twice_is_once(text: str) -> None:
    for work in (
        keep_usable,
        lambda e: keep_saying(e, says_nothing),
        lambda e: keep_civil(e, is_toxic),
        lambda e: keep_short(e, longest=20),
        lambda e: keep_languages(e, guess, wanted=["en"]),
    ):
        for one in (example(1, asked=text or "x", answer=text), with_turns((Role.AGENT, text))):
            once = work(one)
            if isinstance(once, TrainingExample):
                assert work(once) == once
