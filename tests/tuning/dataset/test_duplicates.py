"""What teaches the same is kept once, and the best of it."""

from dataclasses import replace
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.messages import Message, Role
from records.states import ExampleSource
from tests.tuning.build import example
from tests.tuning.dataset.preparing import Outcome, run
from tuning.dataset.duplicates import EXACT, NEAR
from tuning.dataset.examples import TrainingExample
from tuning.training.recipe import Recipe

FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def examples() -> st.SearchStrategy[list[TrainingExample]]:
    rows = st.tuples(
        st.sampled_from(
            ["Where is my new card?", "where is my new card", "Where is my new card please",
             "How much is it?", "How much is it, for 3?", "👍", "👎"]
        ),
        st.sampled_from(["Here.", "here", "There.", "", "👍"]),
        st.sampled_from(list(ExampleSource)),
    )  # fmt: skip
    return st.lists(rows, max_size=40).map(
        lambda given: (
            [example(999)]
            + [
                example(n, asked=asked, answer=answer, source=source)
                for n, (asked, answer, source) in enumerate(given)
                if source is not ExampleSource.DECLINED
            ]
        )
    )


def left(outcome: Outcome, given: list[TrainingExample]) -> list[TrainingExample]:
    return [one for one in given if one.id in outcome.kept]


@FEW
@given(examples(), st.integers(1, 7), st.randoms(use_true_random=False))
def test_each_is_kept_or_counted_once_and_neither_order_nor_doing_it_again_matters(
    tmp_path: Path, given: list[TrainingExample], size: int, chance: Random
) -> None:
    outcome = run(tmp_path, given)
    dropped = sum(tally.dropped for tally in outcome.prepared.tallies)
    assert len(outcome.kept) + dropped == len(given)
    kept = left(outcome, given)
    assert len({one.prompt_key for one in kept}) == len(kept)
    again = run(tmp_path, kept, batch=size)
    assert (again.train, again.held_out) == (outcome.train, outcome.held_out)
    assert [t.name for t in again.prepared.tallies if t.dropped] == []
    shuffled = list(given)
    chance.shuffle(shuffled)
    other = run(tmp_path, shuffled, batch=size)
    assert (other.train, other.held_out) == (outcome.train, outcome.held_out)
    assert [t.samples for t in other.prepared.tallies] == [
        t.samples for t in outcome.prepared.tallies
    ]


def test_duplicates_differ_in_case_spacing_and_punctuation_only(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        [
            example(1, asked="Where is it?", answer="Here!"),
            example(2, asked=" where IS it ", answer="here"),
            example(3, asked="Where is she?", answer="Here!"),
        ],
    )
    assert outcome.kept == ["ex_00002", "ex_00003"]
    assert outcome.dropped(EXACT) == 1
    assert outcome.whys(EXACT) == ["the same as ex_00002"]


def test_of_nearly_the_same_questions_with_one_answer_the_best_is_kept(tmp_path: Path) -> None:
    asked = "I would like to know when my new card will arrive"
    outcome = run(
        tmp_path,
        [
            example(1, asked=f"{asked}, please", answer="In three days."),
            example(2, asked=asked, answer="In three days.", source=ExampleSource.REPLY),
            example(
                3, asked=f"{asked} please?!", answer="in three days", source=ExampleSource.IMPORT
            ),
            example(4, asked="How do I close my account?", answer="In three days."),
        ],
    )
    assert outcome.kept == ["ex_00001", "ex_00004"]
    assert (outcome.dropped(EXACT), outcome.dropped(NEAR)) == (1, 1)


def test_other_numbers_ask_for_something_else(tmp_path: Path) -> None:
    asked = "What does a transfer of {} euros to another country cost me?"
    outcome = run(tmp_path, [example(n, asked=asked.format(10**n)) for n in range(4)])
    assert len(outcome.kept) == 4


def test_the_same_question_in_another_conversation_is_another_one(tmp_path: Path) -> None:
    def after(number: int, talk: str) -> TrainingExample:
        one = example(number, asked="And how long does that take?")
        said = Message(Role.CUSTOMER, talk), Message(Role.ASSISTANT, f"{talk[::-1]}.")
        return replace(one, prompt=(*said, *one.prompt))

    outcome = run(
        tmp_path,
        [
            after(1, "I want to close my account for good"),
            after(2, "Please top up my telephone"),
            after(3, "I want to close my account for good!"),
        ],
    )
    assert outcome.kept == ["ex_00002", "ex_00003"]


def test_a_likeness_of_one_drops_equal_questions_only(tmp_path: Path) -> None:
    asked = "I would like to know when my new card will arrive"
    pair = [example(1, asked=asked), example(2, asked=f"{asked}, please"), example(3, asked=asked)]
    outcome = run(tmp_path, pair, near_duplicates=1)
    assert outcome.kept == ["ex_00002", "ex_00003"]


def test_declined_answers_are_dropped_only_where_they_are_equal(tmp_path: Path) -> None:
    declined = [
        replace(
            example(n, asked="Where is it?", answer="", source=ExampleSource.DECLINED),
            rejected=wrong,
        )
        for n, wrong in enumerate(["No idea.", "no idea", "Ask elsewhere."])
    ]
    outcome = run(tmp_path, [*declined, example(9, asked="Where is it?")], recipe=Recipe())
    assert outcome.kept == ["ex_00001", "ex_00002", "ex_00009"]
