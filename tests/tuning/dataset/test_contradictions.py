"""Nearly the same question with different right answers: replaced, or back to review."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from records import examples
from records.assistant import Assistant
from records.database import Database
from records.states import ExampleSource, ExampleState
from records.tables import Doubt, Example
from tests.tuning.build import example, teach
from tests.tuning.dataset.preparing import run
from tuning.dataset.contradictions import CONTRADICTED, REPLACED
from tuning.dataset.duplicates import NEAR
from tuning.dataset.examples import TrainingExample
from tuning.dataset.review import send_back
from tuning.dataset.settling import Doubted, Settled

ASKED = "What does it cost to take money from a machine?"
NEARLY = "What does it cost to take money from the machine?"


def fee(
    number: int, answer: str, source: ExampleSource, *, asked: str = ASKED, days: int = 0
) -> TrainingExample:
    one = example(number, asked=asked, answer=answer, source=source)
    return replace(one, created_at=one.created_at + timedelta(days=days))


class Review:
    """Remembers what is sent back to it."""

    def __init__(self, *, approved_again: frozenset[str] = frozenset()) -> None:
        self.found: list[Doubted] = []
        self.approved_again = approved_again

    def __call__(self, found: Iterator[Doubted]) -> Settled:
        self.found = list(found)
        sent = {one.example_id for one in self.found} - self.approved_again
        return Settled(frozenset(sent), self.approved_again)


def test_a_flag_replaces_the_import_and_the_reply_of_an_earlier_time(tmp_path: Path) -> None:
    review = Review()
    outcome = run(
        tmp_path,
        [
            fee(1, "It is free.", ExampleSource.IMPORT),
            fee(2, "It costs one euro.", ExampleSource.REPLY, asked=NEARLY),
            fee(3, "It costs two euros.", ExampleSource.FLAG),
            example(9),
        ],
        settle=review,
    )
    assert outcome.kept == ["ex_00003", "ex_00009"]
    assert outcome.whys(REPLACED) == ["replaced by ex_00003"] * 2
    assert review.found == []


def test_two_of_one_source_contradict_each_other_and_neither_trains(tmp_path: Path) -> None:
    review = Review()
    outcome = run(
        tmp_path,
        [
            fee(1, "It costs one euro.", ExampleSource.FLAG),
            fee(2, "It is free.", ExampleSource.FLAG, asked=NEARLY, days=30),
            example(9),
        ],
        settle=review,
    )
    assert outcome.kept == ["ex_00009"]
    assert review.found == [
        Doubted("ex_00001", "ex_00002"),
        Doubted("ex_00002", "ex_00001"),
    ]
    assert outcome.whys(CONTRADICTED) == [
        "ex_00002 answers otherwise; back to review",
        "ex_00001 answers otherwise; back to review",
    ]


def test_an_import_after_the_flag_contradicts_it(tmp_path: Path) -> None:
    review = Review()
    given = [
        fee(1, "It costs one euro.", ExampleSource.FLAG),
        fee(2, "It is free.", ExampleSource.IMPORT, days=1),
        example(9),
    ]
    assert run(tmp_path, given, settle=review).kept == ["ex_00009"]
    assert len(review.found) == 2


def test_what_customers_accepted_never_stands_against_the_team(tmp_path: Path) -> None:
    review = Review()
    given = [
        fee(1, "It costs one euro.", ExampleSource.IMPORT),
        fee(2, "It is free.", ExampleSource.ACCEPTED, days=9),
        fee(3, "Nobody knows that.", ExampleSource.ACCEPTED, days=10),
    ]
    outcome = run(tmp_path, given, settle=review)
    assert (outcome.kept, review.found) == (["ex_00001"], [])


def test_of_what_customers_accepted_the_newest_answer_stays(tmp_path: Path) -> None:
    given = [
        fee(1, "It costs one euro.", ExampleSource.ACCEPTED),
        fee(2, "It is free.", ExampleSource.ACCEPTED, days=9),
        example(9),
    ]
    assert run(tmp_path, given).kept == ["ex_00002", "ex_00009"]


def test_all_that_people_approved_of_a_contested_question_goes_back(tmp_path: Path) -> None:
    review = Review()
    given = [
        fee(1, "It costs one euro.", ExampleSource.FLAG),
        fee(2, "It costs one euro!", ExampleSource.FLAG, asked=NEARLY),
        fee(3, "It is free.", ExampleSource.FLAG, days=2),
        fee(4, "It is free.", ExampleSource.ACCEPTED, asked=NEARLY, days=3),
        example(9),
    ]
    outcome = run(tmp_path, given, settle=review)
    assert outcome.kept == ["ex_00009"]
    assert [(one.example_id, one.other_id) for one in review.found] == [
        ("ex_00001", "ex_00003"),
        ("ex_00002", "ex_00003"),
        ("ex_00003", "ex_00002"),
    ]


def test_what_was_approved_once_more_trains(tmp_path: Path) -> None:
    both = frozenset({"ex_00001", "ex_00002"})
    given = [
        fee(1, "It costs one euro.", ExampleSource.FLAG),
        fee(2, "It is free.", ExampleSource.FLAG, days=2),
        fee(3, "It is free!", ExampleSource.REPLY, asked=NEARLY, days=-1),
    ]
    outcome = run(tmp_path, given, settle=Review(approved_again=both | {"ex_00003"}))
    assert outcome.kept == ["ex_00001", "ex_00002"]
    assert outcome.dropped(NEAR) == 1


def test_answers_in_hardly_other_words_are_no_contradiction(tmp_path: Path) -> None:
    said = "Open the app, choose Cards and then Limits to see what a withdrawal costs you."
    review = Review()
    given = [
        fee(1, said, ExampleSource.FLAG),
        fee(2, said.replace("a withdrawal", "withdrawals"), ExampleSource.FLAG, days=1),
        example(9),
    ]
    outcome = run(tmp_path, given, settle=review)
    assert (outcome.kept, review.found) == (["ex_00002", "ex_00009"], [])


def test_a_handoff_contradicts_the_same_words_without_one(tmp_path: Path) -> None:
    given = [
        fee(1, "It is free.", ExampleSource.FLAG),
        replace(fee(2, "It is free.", ExampleSource.FLAG), should_escalate=True),
        example(9),
    ]
    assert run(tmp_path, given).kept == ["ex_00009"]


def contested(database: Database, number: int) -> list[str]:
    """So many questions with two approved answers each; returns the ids of all."""
    subjects = ["card", "loan", "house", "passport", "pension", "garden", "telephone"]
    pairs = [
        (f"How do I get another {subject} from you{mark}", f"{answer} {subject}.")
        for subject in subjects[:number]
        for mark, answer in (("?", "Ask for a"), ("!", "Nobody gets any"))
    ]
    teach(database, pairs)
    with database.read() as session:
        return sorted(session.scalars(select(Example.id)))


def pair_up(ids: list[str]) -> Iterator[Doubted]:
    for one, other in zip(ids[::2], ids[1::2], strict=True):
        yield Doubted(one, other)
        yield Doubted(other, one)


def waiting(database: Database) -> int:
    with database.read() as session:
        found = select(func.count()).where(Example.state == ExampleState.PROPOSED)
        return session.scalar(found) or 0


def test_sending_back_twice_changes_nothing_more(database: Database, assistant: Assistant) -> None:
    ids = contested(database, 2)
    settle = send_back(database, assistant, most=100, job="job_1")
    first, second = (settle(pair_up(ids)) for _ in range(2))
    assert first == second == Settled(sent_back=frozenset(ids))
    with database.read() as session:
        assert len(session.scalars(select(Doubt)).all()) == 4
    assert waiting(database) == 4


def test_only_so_many_are_sent_back_at_once(sqlite: Database, assistant: Assistant) -> None:
    ids = contested(sqlite, 7)
    settled = send_back(sqlite, assistant, most=6, job=None)(pair_up(ids))
    assert settled == Settled(sent_back=frozenset(ids[:6]))
    assert waiting(sqlite) == 6


def test_what_people_approve_again_is_left_alone(sqlite: Database, assistant: Assistant) -> None:
    ids = contested(sqlite, 1)
    settle = send_back(sqlite, assistant, most=100, job=None)
    settle(pair_up(ids))
    for name in ids:
        with sqlite.write() as session:
            examples.decide(session, name, approve=True, actor="U0ANN")
    assert settle(pair_up(ids)) == Settled(approved_again=frozenset(ids))
    none_left = send_back(sqlite, assistant, most=0, job=None)
    assert none_left(pair_up(ids)) == Settled(approved_again=frozenset(ids))
