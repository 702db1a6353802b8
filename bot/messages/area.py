"""What the messages of one area are made of: their contents, and where they go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.outbox.kinds import SUBJECTS, Subject
from bot.outbox.rendered import Post, Rendered
from bot.routes import routed
from bot.views.content import Content
from records import (
    conversations,
    escalations,
    examples,
    experiments,
    flags,
    jobs,
    outbox,
    reports,
    transcripts,
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

    All that belongs to an escalation goes where its card stands, or will stand. A row that names a
    channel itself (an answer where somebody asked for it) goes there.

    Raises:
        NotFound: what it is about is gone.
    """
    if "channel" in row.payload:
        return str(row.payload["channel"])
    about = SUBJECTS[Kind(row.kind)]
    options = desk.assistant(assistant_of(session, about, row.subject)).slack
    if about is Subject.FLAG and (flagged_in := flags.get(session, row.subject).channel):
        return flagged_in
    escalation = _escalation_of(session, about, row)
    if escalation is None:
        return options.channel
    card = card_of(session, escalation.id)
    if card is not None and card.channel:
        return card.channel
    asked = transcripts.asked(transcripts.led_here(session, escalation))
    return routed(options, reason=escalation.reason, asked=asked)


def _escalation_of(session: Session, about: Subject, row: OutboxMessage) -> Escalation | None:
    """The escalation in whose thread, or as whose card, a row is shown."""
    if about is Subject.ESCALATION:
        return escalations.get(session, row.subject)
    if "escalation" in row.payload:
        return escalations.get(session, row.payload["escalation"])
    return latest_escalation(session, _conversation_of(session, about, row.subject))


def _conversation_of(session: Session, about: Subject, subject: str) -> str | None:
    match about:
        case Subject.TURN:
            return conversations.turn(session, subject).conversation_id
        case Subject.FLAG:
            turn = conversations.turn(session, flags.get(session, subject).turn_id)
            return turn.conversation_id
        case Subject.EXAMPLE:
            return examples.get(session, subject).conversation_id
        case _:
            return None


def assistant_of(session: Session, about: Subject, subject: str) -> str:
    """The name of the assistant that something belongs to.

    Raises:
        NotFound: it is gone.
    """
    match about:
        case Subject.ESCALATION:
            return _of_conversation(session, escalations.get(session, subject).conversation_id)
        case Subject.TURN:
            return _of_conversation(session, conversations.turn(session, subject).conversation_id)
        case Subject.FLAG:
            turn = conversations.turn(session, flags.get(session, subject).turn_id)
            return _of_conversation(session, turn.conversation_id)
        case Subject.EXAMPLE:
            return examples.get(session, subject).assistant
        case Subject.JOB:
            return jobs.get(session, subject).assistant
        case Subject.REPORT:
            return reports.get(session, subject).assistant
        case Subject.EXPERIMENT:
            return experiments.get(session, subject).assistant
        case Subject.VERSION:
            return versions.get(session, subject).assistant
        case Subject.ASSISTANT:
            return subject


def _of_conversation(session: Session, conversation_id: str) -> str:
    return conversations.get(session, conversation_id).assistant


def card_of(session: Session, escalation_id: str | None) -> OutboxMessage | None:
    """The card of an escalation, where it stands in Slack."""
    if escalation_id is None:
        return None
    return outbox.message_of(session, Kind.ESCALATION_OPENED, escalation_id)


def latest_escalation(session: Session, conversation_id: str | None) -> Escalation | None:
    """A conversation's unresolved escalation, or else the last one that was."""
    if conversation_id is None:
        return None
    unresolved = conversations.open_escalation(session, conversation_id)
    return unresolved or session.scalar(
        select(Escalation)
        .where(Escalation.conversation_id == conversation_id)
        .order_by(Escalation.opened_at.desc(), Escalation.id.desc())
        .limit(1)
    )


def latest_card(session: Session, conversation_id: str | None) -> OutboxMessage | None:
    """The card of a conversation's newest escalation, where it stands in Slack."""
    latest = latest_escalation(session, conversation_id)
    return card_of(session, latest.id if latest else None)


def posted(tell: Telling, made: Content, *, under: OutboxMessage | None = None) -> Post:
    """A new message: in the thread of the one that it belongs `under`, or in the channel."""
    if under is not None and under.channel:
        return Post(under.channel, made, thread_ts=under.ts)
    return Post(channel_of(tell.session, tell.row, tell.desk), made)
