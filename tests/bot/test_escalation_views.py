"""Cards, transcripts, notes and forms of escalations: within Slack's limits, whatever is said."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.standin.block_rules import problems, view_problems
from bot.standin.people import buttons_of
from bot.views.content import Content
from bot.views.escalation import escalation_card
from bot.views.escalation_forms import (
    Ending,
    Origin,
    assign_modal,
    read_assignee,
    read_ending,
    resolve_modal,
)
from bot.views.thread_notes import asked_note, on_call_note, passed_note, reminder_note
from bot.views.transcript import transcript_text, turn_message
from records.messages import Role
from records.states import (
    ConversationState,
    EscalationReason,
    EscalationState,
    Resolution,
    TurnStatus,
)
from records.tables import Conversation, Escalation, Turn
from tests.bot.test_slack_views import HOSTILE, NOW, few, formatted_texts


def a_turn(words: str, role: Role = Role.CUSTOMER, **facts: Any) -> Turn:
    given_facts = {"status": TurnStatus.COMPLETE, "created_at": NOW, "position": 0, **facts}
    return Turn(id="turn_1", role=role, content=words, **given_facts)


def an_escalation(words: str = "said [handoff]", **facts: Any) -> Escalation:
    given_facts = {
        "state": EscalationState.WAITING,
        "reason": EscalationReason.MODEL,
        "opened_at": NOW,
        **facts,
    }
    return Escalation(id="esc_1", conversation_id="conv_1", cause=words, **given_facts)


def taken(**facts: Any) -> Escalation:
    given_facts = {"owner": "U0ANN", "taken_at": NOW + timedelta(minutes=3), **facts}
    return an_escalation(state=EscalationState.TAKEN, **given_facts)


def ended(resolution: Resolution | None, **facts: Any) -> Escalation:
    given_facts = {
        "state": EscalationState.RESOLVED,
        "owner": "U0ANN",
        "resolved_by": "U0ANN",
        "taken_at": NOW + timedelta(minutes=3),
        "resolved_at": NOW + timedelta(minutes=33),
        "paused_seconds": 0.0,
        **facts,
    }
    return an_escalation(resolution=resolution, **given_facts)


def card(
    escalation: Escalation,
    *said: Turn,
    customer: str = "ada",
    version: str = "v",
    again: Turn | None = None,
) -> Content:
    conversation = Conversation(
        id="conv_1", assistant="support", customer=customer, state=ConversationState.OPEN
    )
    return escalation_card(
        escalation, conversation, led_here=said, version=version, wrote_again=again
    )


def messages_of(words: str) -> list[Content]:
    """Every message about an escalation, with somebody's words everywhere."""
    people = {"owner": words, "assignee": words}
    standing = [
        *(an_escalation(words, reason=reason) for reason in EscalationReason),
        an_escalation(words, assignee=words),
        an_escalation(words, state=EscalationState.TAKEN, **people),
        an_escalation(words, state=EscalationState.TAKEN, paused_at=NOW, **people),
        *(ended(r, note=words, resolved_by=words, owner=words) for r in [None, *Resolution]),
    ]
    said = [a_turn(words, role, author=words) for role in Role] * 3
    again = a_turn(words)
    cards = [card(e, *said, customer=words, version=words, again=again) for e in standing]
    cards += [card(e, customer="", version="") for e in standing]
    turns = [
        turn_message(a_turn(words, role, author=words, withheld=withheld, version="v"))
        for role in Role
        for withheld in (None, words)
    ]
    notes = [
        asked_note(assignee=words, by=words, is_owner=True),
        asked_note(assignee=words, by=words, is_owner=False),
        passed_note(owner=words, former=words),
        reminder_note(opened_at=NOW, assignee=words),
        on_call_note(on_call=words, since=NOW, others=10**9),
        on_call_note(on_call=words, since=None, others=1),
    ]
    return [*cards, *turns, *notes]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_slacks_limits(words: str) -> None:
    for message in messages_of(words):
        assert problems(message.blocks, most=50) == []
        assert 0 < len(message.text) <= 300


@pytest.mark.parametrize("words", HOSTILE)
def test_nobodys_words_can_ping_link_or_format(words: str) -> None:
    marked = f"\u0001<!channel> <https://evil.example|x> *mark* @here {words}"
    for message in messages_of(marked):
        for formatted in formatted_texts(message.blocks):
            assert "<!channel" not in formatted
            assert "<https:" not in formatted
            assert "*mark*" not in formatted
        assert "<!channel" not in message.text
        assert "<https:" not in message.text


@few
@given(st.text(max_size=200))
def test_no_random_words_do_any_of_this(words: str) -> None:
    test_no_words_break_slacks_limits(words)
    test_nobodys_words_can_ping_link_or_format(words)


@pytest.mark.parametrize("words", [None, *HOSTILE])
@pytest.mark.parametrize("number", [1, 2])
def test_the_forms_are_ones_that_slack_takes(words: str | None, number: int) -> None:
    origin = Origin("esc_1", "C0SUPPORT")
    replies = [] if words is None else [a_turn(words, Role.AGENT)] * number
    views = [resolve_modal(origin, replies=replies), assign_modal(origin)]
    assert [view_problems(view) for view in views] == [[], []]
    assert [Origin.loaded(view["private_metadata"]) for view in views] == [origin, origin]


@pytest.mark.parametrize(
    ("escalation", "offered"),
    [
        (an_escalation(), ["take_over", "assign", "dismiss"]),
        (taken(), ["resolve", "pause", "hand_back", "assign", "take_over_from"]),
        (
            taken(paused_at=NOW),
            ["resolve", "resume", "hand_back", "assign", "take_over_from"],
        ),
        *((ended(resolution), []) for resolution in Resolution),
    ],
)
def test_a_card_offers_what_may_be_done_as_it_stands(
    escalation: Escalation, offered: list[str]
) -> None:
    shown = card(escalation)
    assert list(buttons_of({"blocks": shown.blocks})) == offered


def test_what_cannot_be_taken_back_is_asked_about_first() -> None:
    asked = {
        element["action_id"]
        for escalation in (an_escalation(), taken())
        for block in card(escalation).blocks
        for element in block.get("elements") or []
        if element.get("confirm")
    }
    assert asked == {"dismiss", "hand_back", "take_over_from"}


@pytest.mark.parametrize(
    ("escalation", "words"),
    [
        (an_escalation(), ["Waiting for a person"]),
        (an_escalation(assignee="U0BEN"), ["Waiting", "<@U0BEN> was asked to take over"]),
        (taken(), ["<@U0ANN> speaks with the customer", "Waited 3 min"]),
        (taken(assignee="U0BEN"), ["<@U0ANN> speaks", "<@U0BEN> was asked"]),
        (taken(paused_at=NOW), ["<@U0ANN> has this, paused since"]),
        (ended(Resolution.SOLVED), ["Resolved by <@U0ANN>: *solved*", "Handling time 30 min"]),
        (
            ended(Resolution.NO_REPLY, paused_seconds=600.0, note="See ticket 7."),
            ["did not come back", "Handling time 20 min, without 10 min", "See ticket 7."],
        ),
        (ended(Resolution.SOLVED, paused_seconds=59.0), ["Resolved by", "Handling time 29 min"]),
        (ended(Resolution.HANDED_BACK), ["Handed back to the assistant by <@U0ANN>"]),
        (
            ended(Resolution.NOT_NEEDED, owner=None, taken_at=None, resolved_by="U0BEN"),
            ["Closed by <@U0BEN>: *no person was needed*"],
        ),
        (ended(None, resolved_by=None), ["Resolved by <@U0ANN>"]),
    ],
)
def test_a_card_says_how_it_stands(escalation: Escalation, words: list[str]) -> None:
    shown = str(card(escalation).blocks)
    assert [word for word in words if word not in shown] == []
    assert ("Resolved" in shown) == (words[0].startswith("Resolved") or "come back" in words[0])


def test_a_card_shows_the_last_words_in_short_and_who_said_them() -> None:
    said = [a_turn("first"), a_turn("x" * 4000, Role.ASSISTANT)]
    said += [a_turn("And? " * 40), a_turn("Wait.", Role.AGENT, author="U0ANN")]
    shown = str(card(an_escalation(), *said).blocks)
    assert "first" not in shown
    assert "x" * 299 in shown
    assert "x" * 300 not in shown
    assert "*Agent* <@U0ANN>" in shown
    assert shown.count("And? " * 23) == 2  # begun in the headline, and in whole below it


def test_the_customers_question_is_the_headline_and_said_once() -> None:
    shown = card(an_escalation(), a_turn("Where is\nmy card?"), a_turn("Soon.", Role.ASSISTANT))
    headline = shown.blocks[0]
    assert (headline["type"], headline["text"]["text"]) == ("header", "Where is my card?")
    assert str(shown.blocks).count("my card?") == 1
    assert shown.text == "Escalation in support: “Where is my card?”"


@pytest.mark.parametrize(
    ("reason", "cause", "said"),
    [
        ("model", "support-base asked for a person.", "The assistant asked for a person"),
        ("model", "v gave an empty answer.", "The assistant asked for a person: v gave an empty"),
        ("customer", "The customer asked for a person (“human”).", "The customer asked for a"),
        ("policy", "The rule “fraud” asks for a person.", "The rule “fraud” asks for a person"),
        ("engine", "", "The assistant could not answer"),
        ("flag", "<@U0ANN> flagged an answer: bad.", "<@U0ANN> flagged an answer"),
        ("customer", "<!channel> asked", "&lt;!channel&gt; asked"),
    ],
)
def test_why_a_person_was_asked_for_is_said_once(reason: str, cause: str, said: str) -> None:
    facts = card(an_escalation(cause, reason=EscalationReason(reason))).blocks[1]["text"]["text"]
    plain_facts = facts.replace("\u2060", "")
    assert plain_facts.startswith(f"*Customer:* ada · {said}")
    assert plain_facts.count("person") <= 1


@pytest.mark.parametrize("escalation", [an_escalation(), taken()])
def test_what_the_customer_wrote_since_is_shown_with_its_time(escalation: Escalation) -> None:
    shown = str(card(escalation, a_turn("Hello?"), again=a_turn("Anybody there?")).blocks)
    assert "*Wrote again* <!date^1748779200^" in shown
    assert "Anybody there?" in shown


def test_a_card_that_has_ended_is_two_lines() -> None:
    said = [a_turn("Where is my card?"), a_turn("Cards take a year.", Role.ASSISTANT)]
    again = a_turn("Hello?")
    shown = card(ended(Resolution.SOLVED), *said, again=again)
    assert [block["type"] for block in shown.blocks] == ["section", "context"]
    assert "Cards take a year." not in str(shown.blocks)
    assert "Hello?" not in str(shown.blocks)
    told = shown.blocks[0]["text"]["text"]
    assert told == (
        ":white_check_mark: Resolved by <@U0ANN>: *solved* · *Customer:* ada · Handling time 30 min"
    )


def test_a_long_turn_is_begun_and_refers_to_its_file() -> None:
    shown = turn_message(a_turn("word " * 10_000))
    assert len(shown.blocks) == 3
    assert wording.conversations.TURN_IN_FILE in str(shown.blocks)
    fits = turn_message(a_turn("word " * 1_150))
    assert str(fits.blocks).count("word") == 1_150
    assert wording.conversations.TURN_IN_FILE not in str(fits.blocks)


@few
@given(st.text(st.sampled_from("ab \n𝕏"), min_size=1, max_size=40))
def test_a_turn_that_is_not_long_is_shown_whole(words: str) -> None:
    turn = a_turn(f"x{words * 5_800}"[:5_799] + "x", version=None)
    shown = turn_message(turn)
    sections = [b["text"]["text"] for b in shown.blocks if b["type"] == "section"]
    assert "".join("".join(sections).split()) == "".join(turn.content.split())


def test_what_was_withheld_from_the_customer_is_shown_as_such() -> None:
    turn = a_turn("A colleague will reply.", Role.ASSISTANT, withheld="Perhaps on Monday.")
    for shown in (str(turn_message(turn).blocks), transcript_text([turn])):
        assert wording.conversations.WITHHELD in shown
        assert "Perhaps on Monday." in shown


def test_a_file_says_who_said_what_and_that_words_were_taken_back() -> None:
    turns = [a_turn("Hello?\x07"), a_turn("", Role.AGENT, author="U0ANN", removed_at=NOW)]
    assert transcript_text(turns) == (
        "[2025-06-01 12:00 UTC] Customer\nHello?\n\n"
        "[2025-06-01 12:00 UTC] Agent U0ANN\n(taken back)\n"
    )


def entered(replies: list[Turn], **fields: Any) -> dict[str, Any]:
    """The form of *Resolve* as it is sent: what is not entered stays as it was shown."""
    form = resolve_modal(Origin("esc_1", "C0SUPPORT"), replies=replies)
    values: dict[str, Any] = {}
    for block in form["blocks"]:
        element, name = block["element"], block["block_id"]
        known = {
            "value": element.get("initial_value"),
            "selected_option": element.get("initial_option"),
            "selected_options": element.get("initial_options") or [],
        }
        values[name] = {name: {**known, **fields.get(name, {})}}
    return {**form, "state": {"values": values}}


TICK: dict[str, Any] = {"selected_options": [{"value": "save_example"}]}
NO_TICK: dict[str, Any] = {"selected_options": []}
ONE = [a_turn("On Monday.", Role.AGENT)]
TWO = [*ONE, a_turn("Bye!", Role.AGENT)]


@pytest.mark.parametrize(
    ("replies", "fields", "saved"),
    [
        ([], {}, None),
        (ONE, {}, "On Monday."),
        (ONE, {"save_example": NO_TICK}, None),
        (ONE, {"right_answer": {"value": " By post. "}}, "By post."),
        (ONE, {"right_answer": {"value": "By post."}, "save_example": NO_TICK}, None),
        (ONE, {"right_answer": {"value": None}}, None),
        (TWO, {}, None),
        (TWO, {"save_example": TICK}, "On Monday."),
        (TWO, {"right_answer": {"value": "By post."}}, "By post."),
        (TWO, {"right_answer": {"value": " "}, "save_example": TICK}, None),
        ([a_turn("x" * 3001, Role.AGENT)], {}, None),
        ([a_turn("x" * 3001, Role.AGENT)], {"right_answer": {"value": "Short."}}, "Short."),
    ],
)
def test_an_example_is_what_was_written_down_and_only_where_somebody_wants_one(
    replies: list[Turn], fields: dict[str, Any], saved: str | None
) -> None:
    assert read_ending(entered(replies, **fields)).right_answer == saved


def test_what_is_entered_is_read_back() -> None:
    fields = {
        "resolution": {"selected_option": {"value": "not_solved"}},
        "note": {"value": " Asked IT. "},
    }
    assert read_ending(entered(ONE, **fields)) == Ending(
        Resolution.NOT_SOLVED, "On Monday.", "Asked IT."
    )
    empty = {"blocks": [], "state": {"values": {}}}
    assert read_ending(empty) == Ending(Resolution.SOLVED, None, None)
    assert read_assignee({"assignee": {"assignee": {"selected_user": "U0BEN"}}}) == "U0BEN"
