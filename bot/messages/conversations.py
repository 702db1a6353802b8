"""Messages about escalations: the card, the transcript in its thread, what became of replies."""

from sqlalchemy import select

from bot.messages.area import Area, Telling, card_of, posted
from bot.rendered import Nothing, Reaction, Rendered
from bot.views.content import Content
from bot.views.escalation import escalation_card, turn_message
from records import conversations, escalations
from records.messages import Role
from records.outbox import Kind
from records.tables import Conversation, Escalation, Flag, Turn


def _card(tell: Telling) -> Content:
    escalation = escalations.get(tell.session, tell.row.subject)
    conversation = conversations.get(tell.session, escalation.conversation_id)
    turns = conversations.history(tell.session, conversation.id)
    asked = [t for t in turns if t.role is Role.CUSTOMER and t.created_at <= escalation.opened_at]
    return escalation_card(
        escalation,
        conversation,
        question=asked[-1].content if asked else "",
        version=_version_shown(escalation, conversation, turns),
    )


def _version_shown(
    escalation: Escalation, conversation: Conversation, turns: list[Turn]
) -> str | None:
    """The version that gave the answer which led here."""
    cause = [t.version for t in turns if t.id == escalation.turn_id and t.version]
    return cause[0] if cause else conversation.version


def _turn(tell: Telling) -> Content:
    flags = tell.session.scalars(
        select(Flag).where(Flag.turn_id == tell.row.subject).order_by(Flag.created_at, Flag.id)
    )
    return turn_message(conversations.turn(tell.session, tell.row.subject), flags=list(flags))


def _in_thread(tell: Telling) -> Rendered:
    card = card_of(tell.session, tell.row.payload.get("escalation"))
    if card is None:
        return Nothing("the card of its thread was never sent")
    return posted(tell, _turn(tell), under=card)


def _confirmation(tell: Telling) -> Rendered:
    source = conversations.turn(tell.session, tell.row.subject).source_key or ""
    origin, _, where = source.partition(":")
    channel, _, ts = where.partition(":")
    if origin != "slack" or not ts:
        return Nothing("the reply was not written in Slack")
    return Reaction(channel, ts, "white_check_mark")


AREA = Area(
    contents={Kind.ESCALATION_OPENED: _card, Kind.TURN_ADDED: _turn},
    renders={Kind.TURN_ADDED: _in_thread, Kind.REPLY_RELAYED: _confirmation},
)
