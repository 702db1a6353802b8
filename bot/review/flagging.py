"""Flagging an answer in Slack: where it stands, saving at once, the form that follows.

Buttons, the message shortcut and the reaction lead here alike.
"""

from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.forms import open_form
from bot.views.flag_modal import Origin, flag_modal, loading_modal
from records import conversations, flags, outbox
from records.flags import FlaggedAt
from records.messages import Role
from records.outbox import Kind
from records.tables import Escalation, OutboxMessage, Turn


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """An answer of the assistant's that a message shows, and the thread of the message."""

    turn: str
    thread_ts: str


def answer_at(session: Session, *, channel: str, ts: str) -> AnswerShown | None:
    """The answer that a message of ours shows: its own, or the one that an escalation is about."""
    row = outbox.find(session, channel=channel, ts=ts)
    if row is None:
        return None
    if row.kind == Kind.ESCALATION_OPENED:
        about = session.get_one(Escalation, row.subject).turn_id
        return AnswerShown(about, ts) if about and _is_answer(session, about) else None
    if row.kind == Kind.TURN_ADDED and _is_answer(session, row.subject):
        return AnswerShown(row.subject, _thread_of(session, row) or ts)
    return None


def _is_answer(session: Session, turn_id: str) -> bool:
    turn = session.get(Turn, turn_id)
    return turn is not None and turn.role is Role.ASSISTANT and turn.version is not None


def _thread_of(session: Session, row: OutboxMessage) -> str | None:
    """The thread of a turn's message: its escalation's, or the one that its row names."""
    if escalation := row.payload.get("escalation"):
        card = outbox.message_of(session, Kind.ESCALATION_OPENED, escalation)
        return card.ts if card else None
    return row.payload.get("thread_ts")


def origin_of(body: dict[str, Any], turn_id: str) -> Origin:
    """The answer of a button, and where that stands: in a message, or in words that one sees."""
    container = body.get("container") or {}
    message = body.get("message") or {}
    ts = message.get("ts") or container.get("message_ts")
    thread = message.get("thread_ts") or container.get("thread_ts") or ts
    return Origin(turn_id, body["channel"]["id"], thread)


async def flag(
    desk: Desk, client: AsyncWebClient, *, trigger_id: str, agent: str, origin: Origin
) -> str | None:
    """Save an agent's flag and open the form; returns what to tell them if that came too late.

    Raises:
        NotFound: no such turn.
        InvalidInput: it is no answer of the assistant's.
    """

    async def save() -> dict[str, Any]:
        return await desk.write(lambda session: _saved(session, origin, agent))

    return await open_form(
        client,
        trigger_id,
        work=save(),
        loading=loading_modal(origin),
        late=wording.review.FLAG_LATE,
    )


def _saved(session: Session, origin: Origin, agent: str) -> dict[str, Any]:
    where = FlaggedAt(origin.channel, origin.thread_ts)
    last = flags.add_once(session, origin.turn, agent=agent, where=where)
    answer = conversations.turn(session, origin.turn).models_words
    return flag_modal(origin, answer, last)
