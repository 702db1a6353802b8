"""Batches: every answer token foretold from the token before it, whatever is cut off in front."""

from hypothesis import given
from hypothesis import strategies as st

from tuning.training.batch import common_beginning, lay_out
from tuning.training.chat_tokens import Encoded

FILLER = 9


@st.composite
def conversations(draw: st.DrawFn) -> list[Encoded]:
    beginning = draw(st.lists(st.integers(0, 8), max_size=6))
    found = []
    for _ in range(draw(st.integers(1, 5))):
        ids = beginning + draw(st.lists(st.integers(0, 8), min_size=3, max_size=12))
        start = draw(st.integers(1, len(ids) - 1))
        spans = [(start, len(ids))]
        if start > 2:
            spans.insert(0, (1, draw(st.integers(2, start))))
        found.append(Encoded(ids, tuple(spans)))
    return found


@given(conversations())
def test_each_answer_token_is_foretold_once_after_what_was_said(found: list[Encoded]) -> None:
    skip = common_beginning(found)
    batch = lay_out(found, skip=skip, filler=FILLER)
    width = batch.token_ids.shape[1]
    expected = [
        (row, at, example.token_ids[at])
        for row, example in enumerate(found)
        for begin, end in example.spans
        for at in range(begin, end)
    ]
    places = [divmod(at, width) for at in batch.predicted_at.tolist()]
    targets = batch.targets.tolist()
    assert [
        (row, column + skip + 1, target)
        for (row, column), target in zip(places, targets, strict=True)
    ] == expected
    assert batch.rows.tolist() == [row for row, _, _ in expected]
    for example, line in zip(found, batch.token_ids.tolist(), strict=True):
        assert line[: len(example.token_ids) - skip] == example.token_ids[skip:]
        assert set(line[len(example.token_ids) - skip :]) <= {FILLER}


@given(conversations())
def test_a_common_beginning_is_common_and_leaves_what_foretells_answers(
    found: list[Encoded],
) -> None:
    skip = common_beginning(found)
    assert len({tuple(example.token_ids[:skip]) for example in found}) == 1
    assert all(skip < example.spans[0][0] for example in found)
    longer = {tuple(example.token_ids[: skip + 1]) for example in found}
    assert len(longer) > 1 or any(skip + 1 >= example.spans[0][0] for example in found)
