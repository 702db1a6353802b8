"""What the messages of one area are made of: their contents, and where they go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.kinds import SUBJECTS, Subject
from bot.rendered import Post, Rendered
from bot.views.content import Content
from records import (
    conversations,
    escalations,
    experiments,
    jobs,
    learning,
    outbox,
    reports,
    versions,
)
from records.outbox import Kind
from records.tables import Escalation, OutboxMessage


@dataclass(frozen=True, slots=True)
class Telling:
    """A row of the outbox about to be told of, and what that is read from."""

    session: Session
    desk: Desk
    row: OutboxMessage


Build = Callable[[Telling], Content]
"""Makes a message's content from the records as they are now.

Raises:
    NotFound: what it is about is gone.
"""

Render = Callable[[Telling], Rendered]
"""Says what to do in Slack for a row."""


@dataclass(frozen=True, slots=True)
class Area:
    """Contents by the kind that posts them, and rows that are not simply posted in the channel."""

    contents: Mapping[Kind, Build]
    renders: Mapping[Kind, Render]


def channel_of(session: Session, row: OutboxMessage, desk: Desk) -> str:
    """The channel, by id or name, in which a row's message appears: it is sent in order there.

    Raises:
        NotFound: what it is about is gone.
    """
    name = _assistant_name(session, SUBJECTS[Kind(row.kind)], row.subject)
    return desk.assistant(name).slack.channel


def _assistant_name(session: Session, about: Subject, subject: str) -> str:
    match about:
        case Subject.ESCALATION:
            return _of_conversation(session, escalations.get(session, subject).conversation_id)
        case Subject.TURN:
            return _of_conversation(session, conversations.turn(session, subject).conversation_id)
        case Subject.FLAG:
            turn = conversations.turn(session, learning.get_flag(session, subject).turn_id)
            return _of_conversation(session, turn.conversation_id)
        case Subject.EXAMPLE:
            return learning.get_example(session, subject).assistant
        case Subject.JOB:
            return jobs.get(session, subject).assistant
        case Subject.REPORT:
            return reports.get(session, subject).assistant
        case Subject.EXPERIMENT:
            return experiments.get(session, subject).assistant
        case Subject.VERSION:
            return versions.get(session, subject).assistant


def _of_conversation(session: Session, conversation_id: str) -> str:
    return conversations.get(session, conversation_id).assistant


def card_of(session: Session, escalation_id: str | None) -> OutboxMessage | None:
    """The card of an escalation, where it stands in Slack."""
    if escalation_id is None:
        return None
    return outbox.message_of(session, Kind.ESCALATION_OPENED, escalation_id)


def latest_card(session: Session, conversation_id: str | None) -> OutboxMessage | None:
    """The card of a conversation's newest escalation, where it stands in Slack."""
    latest = session.scalar(
        select(Escalation.id)
        .where(Escalation.conversation_id == conversation_id)
        .order_by(Escalation.opened_at.desc(), Escalation.id.desc())
        .limit(1)
    )
    return card_of(session, latest)


def posted(tell: Telling, made: Content, *, under: OutboxMessage | None = None) -> Post:
    """A new message: in the thread of the one that it belongs `under`, or in the channel."""
    if under is not None and under.channel:
        return Post(under.channel, made, thread_ts=under.ts)
    return Post(channel_of(tell.session, tell.row, tell.desk), made)
