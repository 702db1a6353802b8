"""Augmentation: bounded, checked, marked, repeatable, and never the end of a run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from records.assistant import Assistant
from records.database import Database
from records.messages import Message, Role
from records.states import ExampleSource
from tests.conftest import install
from tests.stub_engine import Fault, StubEngine
from tests.tuning.build import BEGIN, example
from tuning.augmentation.augment import Augmentation, choose
from tuning.augmentation.checks import Vectors
from tuning.augmentation.settings import AnswerCheck, Wording
from tuning.dataset.examples import TrainingExample
from tuning.settings import WorkerSettings

TOPICS = ("card", "transfer", "pin", "fee")


def by_topic(texts: Sequence[str]) -> Vectors:
    """A stand-in for a model of sentences: the topics that a text names, and a little of it."""
    found = np.zeros((len(texts), len(TOPICS) + 2), np.float32)
    for at, text in enumerate(texts):
        for place, topic in enumerate(TOPICS):
            found[at, place] = topic in text.lower()
        found[at, -2] = 0.5 + 0.01 * (len(text) % 7)
        found[at, -1] = 0.5 if text.startswith("Tell me") else 0.0
    return found / np.linalg.norm(found, axis=1, keepdims=True)


CORRECTIONS = [
    example(1, asked="Where is my new card now?", answer="In the post."),
    example(2, asked="Why was my transfer declined?", answer="Too little money."),
    example(3, asked="How do I change my pin?", answer="In the app."),
]


@pytest.fixture
def settings(tmp_path: Path, engine: StubEngine) -> WorkerSettings:
    return WorkerSettings(home=tmp_path, engine_urls=engine.url, augment_languages="")


def run(
    settings: WorkerSettings,
    database: Database,
    assistant: Assistant,
    given: Sequence[TrainingExample] = CORRECTIONS,
    **changes: Any,
) -> tuple[list[TrainingExample], dict[str, Any]]:
    augmentation = Augmentation(
        settings.model_copy(update=changes), database, assistant,
        per_example=2, seed=7, vectorise=by_topic,
    )  # fmt: skip
    return list(augmentation(iter(given))), augmentation.report.as_json()


@pytest.fixture
def champion(sqlite: Database, assistant: Assistant) -> Database:
    install(sqlite, assistant)
    return sqlite


def test_wordings_are_marked_and_keep_the_answer(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    engine.answer = lambda _, said: "Tell me: " + said[-1]["content"].rpartition("\n\n")[2]
    found, report = run(settings, champion, assistant)
    assert [(one.id, one.synthetic_of, one.answer) for one in found] == [
        ("ex_00001+1", "ex_00001", "In the post."),
        ("ex_00002+1", "ex_00002", "Too little money."),
        ("ex_00003+1", "ex_00003", "In the app."),
    ]
    assert found[0].prompt == (Message(Role.CUSTOMER, "Tell me: Where is my new card now?"),)
    assert report["dropped"] == {"like another wording": 3}
    assert (report["examples"], report["written"], report["added"]) == (3, 6, 3)
    assert report["written_by"] == assistant.base_version
    assert report["failure"] is None


def test_a_job_that_is_run_again_asks_nothing_and_gives_the_same(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    engine.answer = lambda _, said: "Tell me: " + said[-1]["content"].rpartition("\n\n")[2]
    first, before = run(settings, champion, assistant)
    again, after = run(settings, champion, assistant)
    assert first == again
    assert (before["requests"], after["requests"]) == (6, 0)


def test_what_asks_something_else_is_dropped(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    engine.answer = lambda *_: "What about the fee for this?"
    found, report = run(settings, champion, assistant)
    assert found == []
    assert report["dropped"]["means something else"] == 3


def test_what_is_nearer_to_a_question_with_another_answer_is_dropped(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    pair = [
        example(1, asked="Where is my card and my pin?", answer="In two letters."),
        example(2, asked="Where is my card, my pin, the fee?", answer="In three letters."),
    ]
    engine.answer = lambda *_: "Tell me of the card, the pin, and any fee please"
    found, report = run(settings, champion, assistant, pair)
    assert {one.synthetic_of for one in found} == {"ex_00002"}
    assert report["dropped"]["has another right answer"] == 1


def test_the_endpoint_may_be_asked_whether_the_answer_is_right(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    def answer(_: str, said: list[dict[str, Any]]) -> str:
        last = said[-1]["content"]
        if last.startswith("Question:"):
            return "Yes" if "pin" in last else "No, it is wrong"
        return "Tell me: " + last.rpartition("\n\n")[2]

    engine.answer = answer
    found, report = run(settings, champion, assistant, augment_check=AnswerCheck.MODEL)
    assert [one.synthetic_of for one in found] == ["ex_00003"]
    assert report["dropped"]["has another right answer"] == 2


def test_every_third_wording_goes_through_another_language(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    run(settings, champion, assistant)
    assert not [r for r in engine.requests if "translate" in r["messages"][0]["content"]]
    augmentation = Augmentation(
        settings.model_copy(update={"augment_languages": "German, English"}),
        champion, assistant, per_example=3, seed=7, vectorise=by_topic,
    )  # fmt: skip
    list(augmentation(iter(CORRECTIONS[:1])))
    asked = [r["messages"][0]["content"] for r in engine.requests]
    languages = [
        text.partition(" into ")[2].partition(".")[0] for text in asked if " into " in text
    ]
    assert languages == ["German", "English"]


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.DIE_AT_ONCE])
def test_an_endpoint_that_is_down_costs_wordings_and_not_the_run(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine,
    fault: Fault,
) -> None:  # fmt: skip
    engine.fault = fault
    found, report = run(settings, champion, assistant)
    assert found == []
    assert "The run went on" in report["failure"]


def test_without_a_champion_the_run_goes_on(
    sqlite: Database, assistant: Assistant, settings: WorkerSettings
) -> None:
    found, report = run(settings, sqlite, assistant)
    assert found == []
    assert "serves no version yet" in report["failure"]


def test_rules_need_nobody(
    sqlite: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    first, report = run(settings, sqlite, assistant, augment_with=Wording.RULES)
    again, _ = run(settings, sqlite, assistant, augment_with=Wording.RULES)
    assert first == again
    assert len(first) == 6
    assert report["written_by"] == "rules"
    assert engine.requests == []


def test_only_corrections_that_can_stand_alone_are_worded_anew() -> None:
    given = [
        *CORRECTIONS,
        example(4, asked="Where is my other card?", source=ExampleSource.ACCEPTED),
        example(5, asked="yes please"),
        example(6, asked="word " * 200),
        replace(CORRECTIONS[0], id="ex_00007", answer=" "),
        replace(CORRECTIONS[0], id="ex_00008", synthetic_of="ex_00001"),
    ]
    chosen, neighbours = choose(given, most=10)
    assert [one.id for one in chosen] == ["ex_00001", "ex_00002", "ex_00003"]
    assert [one.id for one in neighbours] == ["ex_00004", "ex_00005", "ex_00006"]


def test_the_newest_are_worded_anew_and_memory_is_bounded() -> None:
    many = (
        replace(example(n), created_at=BEGIN + timedelta(minutes=n % 977), prompt=(
            Message(Role.CUSTOMER, f"Where is my card number {n}?"),
        ))
        for n in range(5000)
    )  # fmt: skip
    chosen, neighbours = choose(many, most=50, neighbours=100)
    assert len(chosen) == 50
    assert min(one.created_at for one in chosen) >= BEGIN + timedelta(minutes=960)
    assert 90 <= len(neighbours) <= 100


def test_a_job_that_is_left_is_left_at_once(
    champion: Database, assistant: Assistant, settings: WorkerSettings
) -> None:
    class Left(Exception):
        pass

    def leave() -> None:
        raise Left

    augmentation = Augmentation(
        settings, champion, assistant, per_example=1, seed=7, check=leave, vectorise=by_topic
    )
    with pytest.raises(Left):
        list(augmentation(iter(CORRECTIONS)))


@pytest.mark.slow
def test_the_bundled_sentence_model_tells_wordings_from_other_questions(
    champion: Database, assistant: Assistant, settings: WorkerSettings, engine: StubEngine
) -> None:
    said = {
        "Where is my new card now?": ("Has my new card been sent yet?", "Can I get a loan?"),
        "Why was my transfer declined?": (
            "What made my transfer fail?",
            "How do I transfer money abroad?",
        ),
    }
    count = iter(range(100))

    def answer(_: str, messages: list[dict[str, Any]]) -> str:
        question = messages[-1]["content"].rpartition("\n\n")[2]
        return said[question][next(count) % 2]

    engine.answer = answer
    given = [*CORRECTIONS[:2], example(9, asked="How can I send money abroad?", answer="By SWIFT.")]
    augmentation = Augmentation(
        settings.model_copy(update={"augment_at_once": 1}), champion, assistant,
        per_example=2, seed=7,
    )  # fmt: skip
    found = [one.prompt[-1].content for one in augmentation(iter(given[:2]))]
    assert set(found) <= {good for good, _ in said.values()}
    assert found
