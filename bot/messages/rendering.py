"""From a row of the outbox to what is to be done in Slack, by the records as they are now."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk import Desk
from bot.messages import asking, conversations, experiments, releases, replies, review
from bot.messages.area import Build, Render, Telling, posted
from bot.outbox.kinds import HEADS
from bot.outbox.rendered import Nothing, NotYet, Rendered, Update
from records import jobs, outbox
from records.outbox import Kind
from records.states import JobState, OutboxState
from records.tables import OutboxMessage

_AREAS = (
    conversations.AREA,
    replies.AREA,
    asking.AREA,
    review.AREA,
    releases.AREA,
    experiments.AREA,
)
_CONTENTS: Mapping[Kind, Build] = {k: b for area in _AREAS for k, b in area.contents.items()}
_RENDERS: Mapping[Kind, Render] = {k: r for area in _AREAS for k, r in area.renders.items()}
_ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


def render(session: Session, row: OutboxMessage, desk: Desk) -> Rendered:
    """What to do in Slack for a row.

    Raises:
        NotFound: what it is about is gone.
    """
    kind, tell = Kind(row.kind), Telling(session, desk, row)
    if kind in HEADS:
        return _update(tell)
    if kind in _RENDERS:
        return _RENDERS[kind](tell)
    return posted(tell, _CONTENTS[kind](tell))


def _update(tell: Telling) -> Rendered:
    session, row = tell.session, tell.row
    head = HEADS[row.kind]
    shown = outbox.shown(session, head, row.subject)
    if _is_coming(session, head, row.subject):
        return NotYet()
    if not shown:
        return Nothing("the message that it changes was never sent")
    return Update(
        tuple((message.channel or "", message.ts or "") for message in shown),
        _CONTENTS[head](tell),
        last=head is not Kind.JOB_STARTED or jobs.get(session, row.subject).state in _ENDED,
    )


def _is_coming(session: Session, head: Kind, subject: str) -> bool:
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.kind == head,
        OutboxMessage.subject == subject,
        OutboxMessage.state.in_([OutboxState.PENDING, OutboxState.SENDING]),
    )
    return session.scalar(waiting.limit(1)) is not None
