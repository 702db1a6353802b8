"""What rows teach: answers with their weights, pairs, judged answers, pages."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tuning.build import BASE
from tuning.dataset.documents import PageRow
from tuning.dataset.rows import Row
from tuning.training import lessons
from tuning.training.base_model import load_tokenizer
from tuning.training.chat_tokens import encode, encode_prompt

ASKED = ({"role": "user", "content": "Where is my card?"},)
ROW = Row("ex_1", "flag", ASKED, (False,), "It was sent.", rejected="No idea.", weight=0.5)
TALK = replace(
    ROW,
    id="ex_2",
    prompt=(*ASKED, {"role": "assistant", "content": "On its way."}, *ASKED),
    learn=(False, True, False),
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(str(BASE))


def test_answers_carry_their_rows_weight_and_id(tokenizer: Any) -> None:
    one, talk = lessons.answers([ROW, TALK], tokenizer)
    assert (one.weight, one.id) == (0.5, "ex_1")
    assert (talk.weight, talk.id, len(talk.spans)) == (0.5, "ex_2", 2)
    assert one.token_ids == encode(tokenizer, ROW.chat()).token_ids


def test_a_row_without_a_right_answer_teaches_only_what_was_right_before(tokenizer: Any) -> None:
    (earlier,) = lessons.answers([replace(ROW, answer=None), replace(TALK, answer=None)], tokenizer)
    assert earlier.id == "ex_2"
    assert earlier.token_ids == encode(tokenizer, list(TALK.prompt[:2])).token_ids


def test_pairs_need_both_sides_and_a_difference(tokenizer: Any) -> None:
    rows = [ROW, replace(ROW, rejected=None), replace(ROW, rejected=ROW.answer)]
    (pair,) = lessons.pairs(rows, tokenizer)
    assert pair.wrong.token_ids == encode(tokenizer, ROW.chat("No idea.")).token_ids
    assert pair.right.token_ids[: pair.right.start] == pair.wrong.token_ids[: pair.wrong.start]


def test_both_sides_of_a_pair_are_judged_answers(tokenizer: Any) -> None:
    found = list(lessons.judged([ROW, replace(ROW, answer=None)], tokenizer))
    assert [one.right for one in found] == [True, False, False]


def test_prompts_are_what_the_engine_sees(tokenizer: Any) -> None:
    (prompt,) = lessons.prompts([ROW, replace(ROW, answer=None)], tokenizer)
    assert prompt.token_ids == encode_prompt(tokenizer, ASKED)


def test_pages_are_cut_so_that_each_token_is_foretold_once(tokenizer: Any) -> None:
    words = " ".join(f"Rule {number} says no." for number in range(40))
    page = PageRow("doc_1", "rules.md", "Rules", words, None)
    pieces = list(lessons.pages([page], tokenizer, longest=32))
    ids = tokenizer(words, add_special_tokens=False)["input_ids"]
    whole = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    assert [t for piece in pieces for t in piece.token_ids[1:]] == whole[1:]
    assert max(len(piece.token_ids) for piece in pieces) <= 32
    assert sum(piece.learned for piece in pieces) == len(whole) - 1


def test_what_does_not_fit_is_counted(tokenizer: Any) -> None:
    kept, too_long = lessons.fitting(lessons.answers([ROW, TALK], tokenizer), longest=22)
    assert [one.id for one in kept] == ["ex_1"]
    assert too_long == 1
    pair = next(iter(lessons.pairs([ROW], tokenizer)))
    assert lessons.longest_part(pair) == len(pair.wrong.token_ids)
