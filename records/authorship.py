"""Who wrote what an example teaches, so that four eyes are the eyes of two people."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import transcripts
from records.states import ExampleSource
from records.tables import Audit, Escalation, Example

EDITED = "example_edited"
"""What the audit log calls an edit of an example."""
_REPLY = "reply:"


def authors(session: Session, example: Example) -> set[str]:
    """Who proposed it, all who edited it, and all whose replies to the customer it is made of."""
    session.flush()
    editors = session.scalars(
        select(Audit.actor).where(Audit.subject == example.id, Audit.action == EDITED)
    )
    named = {example.created_by, example.edited_by, *editors, *_who_replied(session, example)}
    return {name for name in named if name}


def reply_key(escalation: Escalation) -> str:
    """The key of the example made from what agents wrote after an escalation."""
    return f"{_REPLY}{escalation.id}"


def _who_replied(session: Session, example: Example) -> set[str | None]:
    if example.source is not ExampleSource.REPLY:
        return set()
    escalation = session.get(Escalation, example.key.removeprefix(_REPLY))
    replies = transcripts.replies(session, escalation) if escalation is not None else []
    return {turn.author for turn in replies}
