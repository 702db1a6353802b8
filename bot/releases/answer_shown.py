"""Which answer of the assistant people mean: by an id, by a message's link, or by the message."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import wording
from bot.outbox.kinds import SUBJECTS, Subject
from records import conversations, escalations, outbox
from records.errors import InvalidInput, NotFound
from records.messages import Role
from records.outbox import Kind
from records.tables import Turn

_TURN = re.compile(r"turn_\w+")
_CONVERSATION = re.compile(r"conv_\S+")
_LINK = re.compile(r"/archives/(\w+)/p(\d{10})(\d{6})")
_NAMING = ("flag_answer", "withdraw_flag")
"""Buttons that name the answer under which they stand."""


def answer_named(session: Session, named: str) -> str:
    """The id of the answer that an id or a link names; of a conversation its last answer.

    Raises:
        InvalidInput: it names nothing, or a message without an answer.
        NotFound: no such conversation, or one without an answer.
    """
    if link := _LINK.search(named):
        return answer_in_message(session, channel=link[1], ts=f"{link[2]}.{link[3]}")
    named = named.strip(" <>`")
    if _TURN.fullmatch(named):
        return named
    if _CONVERSATION.fullmatch(named):
        return _last_answer(session, named)
    raise InvalidInput(wording.explaining.USAGE)


def answer_in_message(session: Session, *, channel: str, ts: str) -> str:
    """The id of the answer that stands in a message of ours.

    Raises:
        InvalidInput: there is none.
    """
    row = outbox.find(session, channel=channel, ts=ts)
    about = SUBJECTS[Kind(row.kind)] if row is not None else None
    if row is not None and about is Subject.TURN:
        return row.subject
    if row is not None and about is Subject.ESCALATION:
        turn = escalations.get(session, row.subject).turn_id
        if turn is not None:
            return turn
    raise InvalidInput(wording.explaining.NO_SUCH_MESSAGE)


def answer_in_buttons(message: Mapping[str, Any], *, app: str | None) -> str | None:
    """The id of the answer that a message of ours offers to flag."""
    if message.get("app_id") != app:
        return None
    for element in _elements(message):
        if element.get("action_id") in _NAMING:
            value: str | None = element.get("value")
            return value
    return None


def _elements(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for block in message.get("blocks") or []:
        yield from block.get("elements") or []


def _last_answer(session: Session, conversation_id: str) -> str:
    conversations.get(session, conversation_id)
    found = session.scalar(
        select(Turn.id)
        .where(Turn.conversation_id == conversation_id, Turn.role == Role.ASSISTANT)
        .order_by(Turn.position.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound(wording.explaining.NO_ANSWER_YET)
    return found
