"""Batches: every answer token foretold from the token before it, packed or padded."""

from hypothesis import given
from hypothesis import strategies as st

from tuning.training.batch import Batch, common_beginning, pack, pad
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


def foretelling_is_right(batch: Batch, found: list[Encoded]) -> None:
    expected = [
        (row, at)
        for row, e in enumerate(found)
        for begin, end in e.spans
        for at in range(begin, end)
    ]
    ids, positions = batch.token_ids.flatten().tolist(), batch.positions.flatten().tolist()
    assert batch.rows.tolist() == [row for row, _ in expected]
    assert batch.targets.tolist() == [found[row].token_ids[at] for row, at in expected]
    for place, (row, at) in zip(batch.predicted_at.tolist(), expected, strict=True):
        assert positions[place] == at - 1
        assert ids[place] == found[row].token_ids[at - 1]


@given(conversations())
def test_padded_conversations_have_a_row_each(found: list[Encoded]) -> None:
    batch = pad(found, filler=FILLER)
    foretelling_is_right(batch, found)
    for example, line in zip(found, batch.token_ids.tolist(), strict=True):
        assert line[: len(example.token_ids)] == example.token_ids
        assert set(line[len(example.token_ids) :]) <= {FILLER}


@given(conversations())
def test_packed_conversations_have_no_filling_and_one_beginning(found: list[Encoded]) -> None:
    batch = pack(found)
    packing = batch.packing
    assert packing is not None
    foretelling_is_right(batch, found)
    begin, ids = packing.beginning, batch.token_ids[0].tolist()
    assert len(ids) == begin + sum(len(example.token_ids) - begin for example in found)
    rows: dict[int, list[int]] = {row: [] for row in range(len(found))}
    for place, token in zip(packing.places.tolist(), ids[begin:], strict=True):
        row, column = divmod(place, packing.width)
        assert column == len(rows[row])
        rows[row].append(token)
    assert [ids[:begin] + rows[row] for row in rows] == [e.token_ids for e in found]


@given(conversations())
def test_a_common_beginning_is_common_and_holds_no_answer(found: list[Encoded]) -> None:
    begin = common_beginning(found)
    assert len({tuple(example.token_ids[:begin]) for example in found}) == 1
    assert all(begin <= example.spans[0][0] for example in found)
    longer = {tuple(example.token_ids[: begin + 1]) for example in found}
    ends = any(begin + 1 > example.spans[0][0] for example in found)
    assert len(found) == 1 or len(longer) > 1 or ends


def test_what_each_column_sees_is_the_beginning_and_its_own_past() -> None:
    found = [Encoded([1, 2, 3, 4], ((3, 4),)), Encoded([1, 2, 5, 6, 7], ((3, 5),))]
    packing = pack(found).packing
    assert packing is not None
    assert packing.mask is not None
    assert packing.mask.int().tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
