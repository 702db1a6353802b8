"""What is said of replies stays within Slack's limits, whatever agents and files are called."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.incoming.message import Message
from bot.standin.block_rules import problems
from bot.standin.people import buttons_of, text_of
from bot.views.content import Content
from bot.views.reply import unread_message, unrecorded_notice
from records.messages import Role
from records.tables import Audit, Turn
from tests.bot.test_slack_views import HOSTILE, NOW, few

LATER = NOW + timedelta(minutes=3)


def messages_of(words: str) -> list[Content]:
    """Every message that shows an agent's words, with those words everywhere."""
    states = [{}, {"delivered_at": LATER}, {"removed_at": LATER}]
    turns = [
        Turn(id="turn_1", role=Role.AGENT, content=words, author=words, created_at=NOW, **state)
        for state in states
    ]
    tries = [Audit(actor=words, created_at=LATER)] * 30
    unread = [
        unread_message(turn, tries=some, in_vain=in_vain)
        for turn in turns
        for some in ([], tries)
        for in_vain in (False, True)
    ]
    wrote = Message("U0ANN", "C0SUPPORT", "2.000001", "1.000001", words, files=(words,))
    return [*unread, unrecorded_notice(wrote)]


def check(words: str) -> None:
    for message in messages_of(words):
        assert problems(message.blocks, most=50) == []
        assert 0 < len(message.text) <= 300
        assert "<!channel>" not in _ours(message)


def _ours(message: Content) -> str:
    """What Slack would format: all but plain text."""
    parts = [message.text]
    for block in message.blocks:
        texts = [block.get("text"), *block.get("elements", [])]
        parts += [t["text"] for t in texts if isinstance(t, dict) and t.get("type") == "mrkdwn"]
    return "\n".join(parts)


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_harmless(words: str) -> None:
    check(words)


@few
@given(st.text(max_size=4000))
def test_any_words_are_harmless(words: str) -> None:
    check(words)


def test_retry_is_offered_while_it_may_help() -> None:
    waiting, delivered, removed = (
        Turn(id="turn_1", role=Role.AGENT, content="Hi", author="U0ANN", created_at=NOW, **state)
        for state in ({}, {"delivered_at": LATER}, {"removed_at": LATER})
    )
    tried = [Audit(actor="U0BEN", created_at=LATER)]

    def offers(turn: Turn, tries: list[Audit], *, in_vain: bool) -> bool:
        made = unread_message(turn, tries=tries, in_vain=in_vain)
        return "send_again" in buttons_of({"blocks": made.blocks})

    assert offers(waiting, [], in_vain=False)
    assert not offers(waiting, tried, in_vain=False)
    assert offers(waiting, tried, in_vain=True)
    assert not offers(delivered, tried, in_vain=True)
    assert not offers(removed, [], in_vain=True)


def test_every_sentence_has_its_gaps_filled() -> None:
    turn = Turn(id="t", role=Role.AGENT, content="Hi", author="U0ANN", created_at=NOW)
    made = unread_message(turn, tries=[Audit(actor="U0BEN", created_at=LATER)])
    shown = text_of({"text": made.text, "blocks": made.blocks})
    assert "{by}" not in shown
    assert "<@U0BEN>" in shown
    assert wording.replies.UNREAD_PLAIN in shown
