"""Cleaning: what is dropped, what is kept, and that twice is once."""

from hypothesis import given
from hypothesis import strategies as st

from records.states import ExampleSource
from tests.tuning.build import example
from tuning.dataset.clean import clean, drop_contradicted, drop_duplicates, drop_unusable
from tuning.dataset.examples import TrainingExample


def examples() -> st.SearchStrategy[list[TrainingExample]]:
    rows = st.tuples(
        st.sampled_from(["Where?", "where", "How much?", "Who"]),
        st.sampled_from(["Here.", "here", "There.", "", "👍", "👎"]),
        st.sampled_from(list(ExampleSource)),
    )
    return st.lists(rows, max_size=30).map(
        lambda given: [
            example(n, asked=asked, answer=answer, source=source)
            for n, (asked, answer, source) in enumerate(given)
        ]
    )


@given(examples())
def test_cleaning_what_is_clean_changes_nothing(given: list[TrainingExample]) -> None:
    once, _ = clean(given)
    twice, steps = clean(once)
    assert twice == once
    assert all(step.dropped == [] for step in steps)


@given(examples())
def test_every_example_is_kept_or_counted_as_dropped_by_one_step(
    given: list[TrainingExample],
) -> None:
    kept, steps = clean(given)
    dropped = [e.id for step in steps for e in step.dropped]
    assert sorted([e.id for e in kept] + dropped) == [e.id for e in given]
    assert len({e.prompt_key for e in kept}) == len(kept)


def test_duplicates_differ_in_case_spacing_and_punctuation_only() -> None:
    step = drop_duplicates(
        [
            example(1, asked="Where is it?", answer="Here!"),
            example(2, asked=" where IS it ", answer="here"),
            example(3, asked="Where is it?", answer="Over there."),
        ]
    )
    assert [e.id for e in step.kept] == ["ex_00002", "ex_00003"]


def test_a_handoff_is_no_duplicate_of_the_same_words_without_one() -> None:
    pair = [example(1), example(2, asked="Question 1?", should_escalate=True)]
    assert drop_duplicates(pair).dropped == []


def test_of_contradicting_answers_the_newest_flag_wins() -> None:
    step = drop_contradicted(
        [
            example(1, asked="Fee?", answer="One euro."),
            example(2, asked="fee", answer="Two euros."),
            example(3, asked="Fee?", answer="Three.", source=ExampleSource.IMPORT),
            example(4, asked="Fee?", answer="Four.", source=ExampleSource.ACCEPTED),
        ]
    )
    assert [e.answer for e in step.kept] == ["Two euros."]
    assert len(step.dropped) == 3


def test_examples_without_question_or_answer_are_dropped() -> None:
    step = drop_unusable([example(1, asked="   "), example(2, answer=" "), example(3)])
    assert [e.id for e in step.kept] == ["ex_00003"]
