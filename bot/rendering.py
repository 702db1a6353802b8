"""From a row of the outbox to what is to be done in Slack, by the records as they are now."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.contents import Contents
from bot.desk import Desk
from bot.kinds import HEADS, SUBJECTS, Subject
from bot.rendered import Nothing, NotYet, Post, Reaction, Rendered, Update, Upload
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
from records.states import JobState, OutboxState
from records.tables import Escalation, Example, OutboxMessage

_ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
_ALT_TEXT = 1000


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


def render(session: Session, row: OutboxMessage, desk: Desk) -> Rendered:
    """What to do in Slack for a row.

    Raises:
        NotFound: what it is about is gone.
    """
    kind = Kind(row.kind)
    if kind in HEADS:
        return _update(session, row, desk)
    match kind:
        case Kind.REPLY_RELAYED:
            return _confirmation(session, row)
        case Kind.REPORT_PLOT:
            return _plot(session, row, desk)
        case Kind.TURN_ADDED:
            card = _card(session, row.payload.get("escalation"))
            if card is None:
                return Nothing("the card of its thread was never sent")
        case Kind.EXAMPLE_PROPOSED:
            card = _latest_card(session, learning.get_example(session, row.subject))
        case _:
            card = None
    made = Contents(session, desk).of(kind, row)
    if card is not None and card.channel:
        return Post(card.channel, made, thread_ts=card.ts)
    return Post(channel_of(session, row, desk), made)


def _update(session: Session, row: OutboxMessage, desk: Desk) -> Rendered:
    head = HEADS[row.kind]
    shown = outbox.shown(session, head, row.subject)
    if _is_coming(session, head, row.subject):
        return NotYet()
    if not shown:
        return Nothing("the message that it changes was never sent")
    return Update(
        tuple((message.channel or "", message.ts or "") for message in shown),
        Contents(session, desk).of(head, row),
        last=head is not Kind.JOB_STARTED or jobs.get(session, row.subject).state in _ENDED,
    )


def _is_coming(session: Session, head: Kind, subject: str) -> bool:
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.kind == head,
        OutboxMessage.subject == subject,
        OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.SENDING]),
    )
    return session.scalar(waiting.limit(1)) is not None


def _card(session: Session, escalation_id: str | None) -> OutboxMessage | None:
    if escalation_id is None:
        return None
    return outbox.message_of(session, Kind.ESCALATION_OPENED, escalation_id)


def _latest_card(session: Session, example: Example) -> OutboxMessage | None:
    """The card of the conversation that an example came from."""
    latest = session.scalar(
        select(Escalation.id)
        .where(Escalation.conversation_id == example.conversation_id)
        .order_by(Escalation.opened_at.desc(), Escalation.id.desc())
        .limit(1)
    )
    return _card(session, latest)


def _plot(session: Session, row: OutboxMessage, desk: Desk) -> Rendered:
    report = reports.get(session, row.subject)
    message = outbox.message_of(session, Kind.REPORT_READY, report.id)
    path = desk.artifacts.fetch(report.path) / "plot.png"
    if message is None or not message.channel or not message.ts or not path.is_file():
        return Nothing("there is no plot, or no report to add it to")
    against = f" and {report.champion}" if report.champion else ""
    alt_text = report.body.get("alt_text") or f"Metrics of {report.challenger}{against}, plotted"
    return Upload(message.channel, message.ts, path, f"{report.id}.png", str(alt_text)[:_ALT_TEXT])


def _confirmation(session: Session, row: OutboxMessage) -> Rendered:
    source = conversations.turn(session, row.subject).source_key or ""
    origin, _, where = source.partition(":")
    channel, _, ts = where.partition(":")
    if origin != "slack" or not ts:
        return Nothing("the reply was not written in Slack")
    return Reaction(channel, ts, "white_check_mark")
