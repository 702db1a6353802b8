"""App Home, its forms and receipts keep to Slack's limits and harmless, whatever was said."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.review.home_state import HomeState
from bot.review.word_diff import Change, word_diff
from bot.standin.block_rules import problems, view_problems
from bot.views.conversation_modal import conversation_modal
from bot.views.edit_modal import edit_modal
from bot.views.example import example_card
from bot.views.flag_modal import Origin, flag_modal
from bot.views.flag_notes import reaction_note, stays_note
from bot.views.home import HomePage, Notice, home_view, loading_home
from bot.views.home_escalations import EscalationsShown
from bot.views.home_example import ExampleShown
from bot.views.home_results import Figures, ResultsShown
from bot.views.marked import changes, marked
from bot.views.receipt import fixed_message, imported_message
from bot.views.rejecting import reject_modal
from records.doubts import Doubted
from records.flag_results import FlagResults
from records.review import Waiting, Whose
from records.states import DoubtKind, ExampleSource, ExampleState, FlagReason
from records.tables import Doubt, Example, Fix, Flag
from tests.bot.test_slack_views import HOSTILE, NOW, few, formatted_texts

EXAMPLE_ID = "ex_" + "0" * 26


def example(words: str, *, number: int = 0, state: ExampleState = ExampleState.PROPOSED) -> Example:
    roles = ("customer", "assistant", "agent") * 20
    return Example(
        id=f"{EXAMPLE_ID[:-2]}{number:02d}",
        assistant="support",
        source=ExampleSource.FLAG,
        flag_id="flag_1",
        prompt=[{"role": role, "content": words} for role in roles],
        chosen=words if number % 2 == 0 else f"{words} otherwise",
        rejected=f"before {words}" if number % 3 else None,
        should_escalate=number % 2 == 1,
        state=state,
        created_by=words,
        created_at=NOW,
        edited_by=words,
        decided_by=words,
        decided_at=NOW,
        decision_note=words,
    )


def doubts_of(words: str) -> list[Doubted]:
    """One of each kind, with an example that speaks against it."""
    return [Doubted(Doubt(kind=kind), example(words, number=10)) for kind in DoubtKind]


def flag(words: str) -> Flag:
    return Flag(
        id="flag_1",
        turn_id="turn_1",
        agent=words,
        reason=FlagReason.OTHER,
        note=words,
        correction=words,
        should_escalate=False,
    )


def home_of(words: str, state: ExampleState = ExampleState.PROPOSED, number: int = 0) -> Any:
    """App Home at its fullest, with somebody's words wherever these can stand."""
    results = FlagResults(flagged=9, rejected=9, why=Counter({words: 3, f"{words}2": 2}))
    shown = ExampleShown(
        example=example(words, number=number, state=state),
        flag=flag(words),
        place=1,
        number=5_000,
        near=[example(words, number=other) for other in range(10, 18)],
        handoff_sentence=words or "A colleague will reply.",
        reviewer=words,
        own=frozenset(),
        can_go_back=True,
        doubts=doubts_of(words),
    )
    names = tuple(f"assistant-{index}" for index in range(150))
    page = HomePage(
        state=HomeState(
            assistant="assistant-1",
            reason=FlagReason.OTHER,
            whose=Whose.OTHERS,
            shown=EXAMPLE_ID,
            trail=(EXAMPLE_ID,) * 20,
        ),
        reviewer="U0REV",
        assistants=names,
        closed={f"closed-{index}": ["U0A", "S0GROUP", words] * 20 for index in range(50)},
        waiting=[Waiting("assistant-1", ExampleSource.FLAG, FlagReason.OTHER, True, 5_000)],
        shown=shown,
        results=ResultsShown(
            agent=words,
            days=90,
            by_agent={words: results, **{f"U0A{n}": FlagResults() for n in range(40)}},
            versions=[f"{words}-{n}" for n in range(9)],
            figures=[Figures(words, 9, float(n)) for n in range(50)],
        ),
        escalations=EscalationsShown(NOW),
        notice=Notice(f"Approved: {words[:0]}", undo=EXAMPLE_ID),
    )
    return home_view(page)


def views_of(words: str) -> list[Any]:
    origin = Origin("turn_1", "C0SUPPORT", "1.000001")
    shown = example(words)
    state = HomeState(trail=(EXAMPLE_ID,) * 20).dumped()
    return [
        *(home_of(words, state) for state in ExampleState),
        home_of(words, number=1),
        loading_home(HomeState()),
        flag_modal(origin, words, flag(words)),
        edit_modal(shown, four_eyes=True, home=state),
        edit_modal(shown, four_eyes=False, home=state),
        reject_modal(shown.id, home=state),
        conversation_modal(shown),
    ]


def messages_of(words: str) -> list[Any]:
    fixes = [
        Fix(flag_id="flag_1", version=words, answer=words, handed_over=handed_over, fixed=True)
        for handed_over in (True, False)
    ]
    cards = [
        example_card(
            example(words, number=n, state=state),
            handoff_sentence="Soon.",
            four_eyes=eyes,
            doubts=doubts_of(words),
        )
        for n, state in enumerate(ExampleState)
        for eyes in (True, False)
    ]
    receipts = [fixed_message(flag(words), fix, answer=words) for fix in fixes]
    return [*cards, *receipts, imported_message(1250), reaction_note("t"), stays_note("t")]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_slacks_limits(words: str) -> None:
    for view in views_of(words):
        assert view_problems(view) == []
        assert len(json.dumps(view["blocks"])) < 250_000
    for message in messages_of(words):
        assert problems(message.blocks, most=50) == []
        assert 0 < len(message.text) <= 300


@pytest.mark.parametrize("words", HOSTILE)
def test_nobodys_words_can_ping_link_or_format(words: str) -> None:
    marked_words = f"{words}\u0001<!channel> <https://evil.example|x> *mark* @here"
    shown = [view["blocks"] for view in views_of(marked_words)]
    shown += [message.blocks for message in messages_of(marked_words)]
    for formatted in formatted_texts(shown):
        assert "<!channel" not in formatted
        assert "<https:" not in formatted
        assert "*mark*" not in formatted


@settings(parent=few, max_examples=settings().max_examples // 10)
@given(st.text(max_size=200))
def test_no_random_words_do_any_of_this(words: str) -> None:
    test_no_words_break_slacks_limits(words)
    test_nobodys_words_can_ping_link_or_format(words)


@given(st.text("ab1 .@\n,é", max_size=120), st.text("ab1 .@\n,é", max_size=120))
def test_a_diff_holds_both_texts_exactly(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    if pieces is None:
        return
    assert "".join(p.text for p in pieces if p.change is not Change.ADDED) == before
    assert "".join(p.text for p in pieces if p.change is not Change.REMOVED) == after
    assert all(piece.text for piece in pieces)


@given(st.text(max_size=200))
def test_a_text_and_itself_differ_in_nothing(text: str) -> None:
    assert {piece.change for piece in word_diff(text, text) or []} <= {Change.KEPT}


def elements(blocks: Any) -> list[dict[str, Any]]:
    return [part for block in blocks for part in block.to_dict()["elements"][0]["elements"]]


def test_a_diff_strikes_what_went_and_makes_bold_what_came() -> None:
    shown = changes("Cards take a year.", "Cards take five days.")
    assert shown is not None
    assert [(part["text"], part.get("style")) for part in elements(shown)] == [
        ("Cards take ", None),
        ("a year", {"strike": True}),
        (" ", None),
        ("five days", {"bold": True}),
        (".", None),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("word " * 500, "word " * 501),
        ("Something else altogether.", "In the app, under Cards."),
        ("a" * 2000, "a" * 2000 + " b" * 600),
    ],
)
def test_long_or_unlike_texts_are_shown_one_after_the_other(before: str, after: str) -> None:
    assert changes(before, after) is None


def test_personal_data_is_marked_in_both_texts_and_named() -> None:
    shown = changes("Write to ann@mail.example today.", "Call +49 170 1234567 today.")
    assert shown is None or any(part.get("style", {}).get("code") for part in elements(shown))
    plain = elements(marked("Write to ann@mail.example today."))
    assert [(part["text"], part.get("style")) for part in plain] == [
        ("Write to ", None),
        ("ann@mail.example", {"code": True}),
        (" today.", None),
    ]
    view = home_of("Write to ann@mail.example or +49 170 1234567")
    assert "e-mail address, phone number" in json.dumps(view, ensure_ascii=False)


@given(st.text(max_size=300), st.text(max_size=50))
def test_a_state_is_read_back_as_it_was_and_rubbish_is_a_fresh_start(
    rubbish: str, assistant: str
) -> None:
    state = HomeState(assistant=assistant or None, source=ExampleSource.IMPORT, trail=("a", "b"))
    assert HomeState.loaded(state.dumped()) == state
    assert isinstance(HomeState.loaded(rubbish), HomeState)
    assert HomeState.loaded(None) == HomeState()


def test_back_goes_the_way_that_was_come() -> None:
    state = HomeState().showing("a").showing("b").showing("b").showing("c")
    assert (state.shown, state.back().shown, state.back().back().shown) == ("c", "b", "a")
    assert state.back().back().back() == state.back().back()


def test_a_long_way_fits_the_views_memory() -> None:
    state = HomeState()
    for number in range(100):
        state = state.showing(f"{EXAMPLE_ID}{number}")
    assert len(state.dumped()) < 2_000


def test_a_short_word_between_two_changes_does_not_tear_them_apart() -> None:
    pieces = word_diff("You change it at the branch of ours.", "You change it in the app of ours.")
    assert pieces is not None
    assert [(piece.change, piece.text) for piece in pieces] == [
        (Change.KEPT, "You change it "),
        (Change.REMOVED, "at the branch"),
        (Change.ADDED, "in the app"),
        (Change.KEPT, " of ours."),
    ]
