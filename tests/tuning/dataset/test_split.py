"""Splitting: nothing is on both sides, and the sides stay."""

from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.build import example
from tuning.dataset.examples import TrainingExample
from tuning.dataset.split import split


def connected() -> st.SearchStrategy[list[TrainingExample]]:
    some = st.one_of(st.none(), st.integers(0, 40))
    rows = st.tuples(st.integers(0, 60), some, some)
    return st.lists(rows, max_size=120).map(
        lambda given: [
            example(
                n,
                asked=f"question {asked}",
                conversation=None if conversation is None else f"conv {conversation}",
                customer=None if customer is None else f"c {customer}",
            )
            for n, (asked, conversation, customer) in enumerate(given)
        ]
    )


@given(connected(), st.floats(0, 0.5))
def test_no_conversation_customer_or_prompt_is_on_both_sides(
    given: list[TrainingExample], share: float
) -> None:
    parts = split(given, held_out_share=share)
    ids = [e.id for e in (*parts.train, *parts.held_out)]
    assert sorted(ids) == [e.id for e in given]
    for key in ("prompt_key", "conversation_id", "customer"):
        train = {getattr(e, key) for e in parts.train} - {None}
        held_out = {getattr(e, key) for e in parts.held_out} - {None}
        assert train & held_out == set()


@given(connected(), st.floats(0, 0.5))
def test_the_order_of_examples_does_not_matter(given: list[TrainingExample], share: float) -> None:
    forth, back = (split(g, held_out_share=share) for g in (given, given[::-1]))
    assert {e.id for e in forth.held_out} == {e.id for e in back.held_out}


def test_about_the_share_is_held_out() -> None:
    parts = split([example(n) for n in range(2000)], held_out_share=0.1)
    assert 150 < len(parts.held_out) < 250


def test_a_side_stays_when_examples_are_added() -> None:
    before = split([example(n) for n in range(500)], held_out_share=0.1)
    after = split([example(n) for n in range(900)], held_out_share=0.1)
    assert {e.id for e in before.held_out} <= {e.id for e in after.held_out}


def test_a_customer_with_more_than_the_share_is_trained_on() -> None:
    parts = split([example(n, customer="one") for n in range(100)], held_out_share=0.1)
    assert parts.held_out == []


def test_nothing_is_held_out_of_nothing() -> None:
    assert split([], held_out_share=0.1).train == []
