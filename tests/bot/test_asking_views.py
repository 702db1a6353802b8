"""What agents see who ask the assistant stays within Slack's limits, whatever models say."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import wording
from bot.asking.growing_message import MOST, harmless
from bot.standin.block_rules import problems, view_problems
from bot.text import length
from bot.views.asking_help import help_message, picked_message
from bot.views.content import Content, probability, took
from bot.views.draft_form import Draft, draft_modal
from bot.views.trial_answer import AnswerShown, answer_end, answer_message
from bot.views.trial_comparison import ComparisonShown, comparison_message, unanswered_message
from records.judgements import Better
from records.messages import Role
from records.states import FlagReason, TurnStatus
from records.tables import Flag, Turn
from tests.bot.test_slack_views import HOSTILE, formatted_texts

FEW = settings(max_examples=settings().max_examples // 4)


def answer(words: str, **columns: Any) -> Turn:
    given_columns: dict[str, Any] = {
        "id": "turn_01j9zk4m8w3v6t5r2q1p0n7x8y",
        "role": Role.ASSISTANT,
        "content": words,
        "version": words[:80],
        "status": TurnStatus.COMPLETE,
        "handed_over": False,
        "duration_ms": 1234.5,
        "mean_logprob": -0.25,
    }
    return Turn(**{**given_columns, **columns})


def answers_of(words: str) -> list[AnswerShown]:
    flags = [
        Flag(id=f"f{i}", turn_id="t", agent=f"U0A{i}", reason=FlagReason.WRONG, note=words)
        for i in range(9)
    ]
    return [
        AnswerShown(answer(words)),
        AnswerShown(answer(words, handed_over=True, finish_reason="length"), number=1, blind=True),
        AnswerShown(answer(words, mean_logprob=None), least=0.9, liked_by=["U0ANN"] * 9),
        AnswerShown(answer(words), flags=flags, is_draft=True, sent_by=words),
        AnswerShown(answer(words), is_draft=True),
        AnswerShown(answer(words), is_draft=True, sent_by=words, sent_words=words),
    ]


def messages_of(words: str) -> list[Content]:
    question = answer(words, role=Role.CUSTOMER, author=words)
    pairs = [
        ComparisonShown("turn_1", (words, words), blind=blind, better=better, judged_by=words)
        for blind in (True, False)
        for better in (None, *Better)
    ]
    pairs.append(ComparisonShown("turn_1", (words, words), blind=True, same=True))
    return [
        *map(answer_message, answers_of(words)),
        *map(comparison_message, pairs),
        unanswered_message(question, reason=words),
        unanswered_message(question, reason=words, number=2, again_by=words),
        picked_message(words),
    ]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_slacks_limits(words: str) -> None:
    for message in messages_of(words):
        assert problems(message.blocks, most=50) == []
        assert message.text
        assert len(message.text) <= 300
    for shown in answers_of(words):
        assert problems(answer_end(shown), most=50) == []
    draft = draft_modal(Draft("turn_1", "C0SUPPORT", "1.2", "1.1"), words)
    assert view_problems(draft) == []
    assert Draft.loaded(draft["private_metadata"]).turn == "turn_1"


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_ping_link_or_format(words: str) -> None:
    marked = f"{words[:300]}\u0001<!channel> <https://evil.example|x> *mark* @here"
    for message in messages_of(marked):
        for formatted in [*formatted_texts(message.blocks), message.text]:
            assert "<!channel" not in formatted
            assert "<https:" not in formatted
            assert "*mark*" not in formatted or formatted == message.text


@FEW
@given(st.text(max_size=200))
def test_no_random_words_do_any_of_this(words: str) -> None:
    test_no_words_break_slacks_limits(words)
    test_no_words_ping_link_or_format(words)


def test_the_choice_of_versions_holds_no_more_than_slack_allows() -> None:
    versions = [f"support-{i:012x}" for i in range(150)]
    shown = help_message(["support"], versions, champions=versions[:1], compared=None, opening=True)
    assert problems(shown.blocks, most=50) == []
    assert "serves customers" in str(shown.blocks)


def test_help_shows_no_way_to_ask_that_there_is_not_here() -> None:
    def shown(assistants: list[str], compared: tuple[str, str] | None) -> str:
        made = help_message(
            assistants, ["support-base"], champions=[], compared=compared, opening=False
        )
        return str(made.blocks)

    alone = shown(["support"], None)
    assert "compare" not in alone
    assert "Several assistants" not in alone
    both = shown(["sales", "support"], ("support-3f9c2a71d0e4", "support-base"))
    assert "`compare support-3f9c2a71d0e4 support-base: " in both
    assert "`sales: " in both


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "0 ms"), (12.4, "12 ms"), (1234.0, "1.2 s"), (12_400.0, "12 s"), (2e5, "3 min")],
)
def test_short_times_are_told_more_exactly(milliseconds: float | None, shown: str) -> None:
    assert took(milliseconds) == shown


@pytest.mark.parametrize(("share", "shown"), [(1.0, "1.00"), (0.9999, "0.99"), (0.774, "0.77")])
def test_only_what_is_certain_is_shown_as_1(share: float, shown: str) -> None:
    assert probability(share) == shown


@pytest.mark.parametrize("words", HOSTILE)
def test_streamed_words_can_neither_ping_nor_link_nor_format(words: str) -> None:
    marked = f"{words[:500]} <!channel> <@U0ANN> [x](https://evil.example) **b** # h `c` @here"
    shown = harmless(marked)
    assert "<" not in shown
    assert "](" not in shown
    assert "://" not in shown
    assert "**" not in shown
    assert "@here" not in shown


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])), st.integers(0, 50))
def test_streamed_words_are_the_same_in_whatever_pieces_they_come(words: str, at: int) -> None:
    assert harmless(words[:at]) + harmless(words[at:]) == harmless(words)


def test_a_blind_answer_does_not_tell_whose_it_is() -> None:
    turn = answer("Five days.", version="support-3f9c2a71d0e4")
    blind = AnswerShown(turn, number=1, blind=True)
    for shown in (answer_message(blind).blocks, answer_end(blind)):
        assert "3f9c" not in str(shown)
    assert "3f9c" in str(answer_end(AnswerShown(turn, number=1)))
    # how sure a model is may tell which it is
    assert "probability" not in str(answer_end(blind))
    assert wording.asking.TITLE.format(number=1) in str(answer_message(blind).blocks)


def test_an_answer_says_that_rules_for_customers_were_not_applied_where_there_are_some() -> None:
    turn = answer("Five days.")
    ruled = str(answer_end(AnswerShown(turn, has_rules=True)))
    assert "without the phrases and rules by which a customer gets a person at once" in ruled
    assert "phrases and rules" not in str(answer_end(AnswerShown(turn)))
    assert "phrases and rules" not in str(answer_end(AnswerShown(turn, is_draft=True)))


def test_the_longest_stream_leaves_room_for_slacks_limit() -> None:
    assert length("x" * MOST) < 12_000


@pytest.mark.parametrize(
    ("logprob", "least", "told"),
    [
        (-0.25, 0.9, "probability 0.78, at least 0.90 wanted)"),
        (None, 0.9, "unknown"),
        (-0.25, 0.5, ""),
    ],
)
def test_what_no_customer_would_have_got_is_said(
    logprob: float | None, least: float, told: str
) -> None:
    shown = str(answer_end(AnswerShown(answer("Five.", mean_logprob=logprob), least=least)))
    assert (told in shown) if told else ("Not sure enough" not in shown)
