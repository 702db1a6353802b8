"""Examples that wait for a person's word, and what people decide on them.

Knows nothing of what they are made from: see `flags`, `replies`, `imports` and `replay`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, exists, or_, select
from sqlalchemy.orm import Session

from records import audit, conversations, outbox
from records.authorship import EDITED, authors
from records.errors import Conflict, Forbidden, InvalidInput, NotFound
from records.ids import new_id, utc_now
from records.messages import Message
from records.states import ExampleSource, ExampleState, TurnStatus, Urgency
from records.tables import DatasetExample, Example, Turn

APPROVED = f"example_{ExampleState.APPROVED}"
"""What the audit log calls an approval."""
CUSTOMERS_WORDS = tuple(source for source in ExampleSource if source.is_customers_word)
"""Sources that nobody of the team approved: what customers accepted or declined."""
_BATCH = 512


class StoredExample(NamedTuple):
    """An approved example as the database holds it: plain values, its JSON not read yet."""

    id: str
    source: ExampleSource
    prompt: str
    chosen: str
    rejected: str | None
    should_escalate: bool
    slice: str
    origin: str
    customer: str | None
    conversation_id: str | None
    created_at: datetime


def propose(session: Session, example: Example) -> Example:
    """Add an example that waits for a person's word; Slack shows it beside its conversation."""
    session.add(example)
    session.flush()
    waiting = conversations.open_escalation(session, example.conversation_id or "")
    urgency = conversations.urgency_of(waiting) if waiting else Urgency.NOW  # not before its card
    outbox.put(session, outbox.Kind.EXAMPLE_PROPOSED, example.id, urgency=urgency)
    return example


def get(session: Session, example_id: str, *, lock: bool = False) -> Example:
    """One example; with `lock`, of two transactions at once the second waits for the first.

    Raises:
        NotFound: no such id.
    """
    if lock:
        session.flush()  # what is read anew must not undo what waits to be written
    found = session.get(
        Example, example_id, with_for_update=True if lock else None, populate_existing=lock
    )
    if found is None:
        raise NotFound(f"No example {example_id!r}.")
    return found


def approved(session: Session, assistant: str) -> list[Example]:
    """All approved examples of an assistant, oldest first."""
    return list(
        session.scalars(
            select(Example)
            .where(Example.assistant == assistant, Example.state == ExampleState.APPROVED)
            .order_by(Example.created_at, Example.id)
        )
    )


def stream_approved(
    session: Session, assistant: str, *, since: datetime | None = None, declined: bool = False
) -> Iterator[list[StoredExample]]:
    """All approved examples of an assistant by their ids, a batch in memory at a time.

    With `since`, what people approved before is left out; what customers said never is. Answers
    that customers declined come only if they are wanted: they hold no right answer.
    """
    columns = (
        Example.id,
        Example.source,
        cast(Example.prompt, Text),
        Example.chosen,
        Example.rejected,
        Example.should_escalate,
        cast(Example.slice, Text),
        cast(Example.origin, Text),
        Example.customer,
        Example.conversation_id,
        Example.created_at,
    )
    wanted = [Example.assistant == assistant, Example.state == ExampleState.APPROVED]
    if since is not None:
        wanted.append(or_(Example.decided_at >= since, Example.source.in_(CUSTOMERS_WORDS)))
    if not declined:
        wanted.append(Example.source != ExampleSource.DECLINED)
    rows = session.execute(
        select(*columns).where(*wanted).order_by(Example.id).execution_options(yield_per=_BATCH)
    )
    for batch in rows.partitions():
        yield [StoredExample._make(row) for row in batch]


def edit(
    session: Session,
    example_id: str,
    *,
    chosen: str,
    should_escalate: bool,
    actor: str,
    seen: str | None = None,
) -> Example:
    """Change what an example teaches, as long as nobody has decided on it.

    Raises:
        Conflict: it is decided, its flag replaced or withdrawn, or it isn't what was `seen`.
        InvalidInput: it would teach nothing.
    """
    example = get(session, example_id, lock=True)
    require_waiting(example)
    require_seen(example, seen)
    wanted = chosen.strip(), should_escalate
    if not wanted[0] and not should_escalate:
        raise InvalidInput("Write the right answer, or say that a person should answer.")
    if wanted != (example.chosen, example.should_escalate):
        example.chosen, example.should_escalate = wanted
        example.edited_by = actor
        _changed(session, example, actor=actor, action=EDITED)
    return example


def decide(
    session: Session,
    example_id: str,
    *,
    approve: bool,
    actor: str,
    should_escalate: bool | None = None,
    note: str | None = None,
    four_eyes: bool = False,
    seen: str | None = None,
) -> Example:
    """Approve or reject an example. Who decides the same twice decides once.

    `should_escalate` replaces what the example says of that, where it is given; `note` says why it
    is rejected. With `four_eyes` nobody approves what they wrote. `seen` is the fingerprint of what
    the person had before them: nobody approves words that they have not read.

    Raises:
        Conflict: it was decided otherwise or by somebody else, a later flag replaced it, or it was
            edited meanwhile.
        Forbidden: four eyes are wanted.
    """
    example = get(session, example_id, lock=True)
    wanted = ExampleState.APPROVED if approve else ExampleState.REJECTED
    if example.state is wanted and example.decided_by == actor:
        return example
    require_waiting(example)
    if approve:
        require_seen(example, seen)
    if approve and four_eyes:
        changes = should_escalate is not None and should_escalate != example.should_escalate
        _require_other_eyes(session, example, actor, changes=changes)
    if should_escalate is not None:
        example.should_escalate = should_escalate
    example.state, example.decided_by, example.decided_at = wanted, actor, utc_now()
    example.decision_note = note
    if approve:
        _replace_earlier(session, example, actor=actor)
    _changed(session, example, actor=actor, action=f"example_{wanted}")
    return example


def reopen(session: Session, example_id: str, *, actor: str) -> Example:
    """Take a decision back: the example waits again. Only who decided may, and not once it trained.

    Raises:
        Conflict: it waits already, or a dataset holds it.
        Forbidden: somebody else decided.
    """
    example = get(session, example_id, lock=True)
    if example.state not in (ExampleState.APPROVED, ExampleState.REJECTED):
        raise Conflict(f"This example is {example.state}: there is no decision to take back.")
    if example.decided_by != actor:
        raise Forbidden(f"Only <@{example.decided_by}>, who decided, can take that back.")
    used = exists().where(DatasetExample.example_id == example_id)
    if session.scalar(select(used)):
        raise Conflict("This example is part of a dataset already, so the decision stands.")
    example.state, example.decided_by, example.decided_at = ExampleState.PROPOSED, None, None
    example.decision_note = None
    _changed(session, example, actor=actor, action="example_reopened")
    return example


def is_own(session: Session, example: Example, actor: str) -> bool:
    """Whether a person wrote what an example teaches, so that four eyes want somebody else."""
    return actor in authors(session, example)


def fingerprint(example: Example) -> str:
    """The same as long as an example teaches the same."""
    taught = f"{int(example.should_escalate)}{example.chosen}"
    return sha256(taught.encode("utf-8", "replace")).hexdigest()[:16]


def require_seen(example: Example, seen: str | None) -> None:
    """See that an example still teaches what a person saw of it.

    Raises:
        Conflict: it was edited meanwhile.
    """
    if seen is not None and seen != fingerprint(example):
        by = f" by <@{example.edited_by}>" if example.edited_by else ""
        raise Conflict(f"This example was edited{by} meanwhile. Look at it again, then decide.")


def require_waiting(example: Example) -> None:
    """See that nobody has decided on an example yet.

    Raises:
        Conflict: somebody has, or its flag was replaced or withdrawn.
    """
    if example.state is not ExampleState.PROPOSED:
        by = f" by <@{example.decided_by}>" if example.decided_by else ""
        raise Conflict(f"This example is already {example.state}{by}.")


def _require_other_eyes(session: Session, example: Example, actor: str, *, changes: bool) -> None:
    if is_own(session, example, actor):
        raise Forbidden("You wrote this example, so somebody else must approve it.")
    if changes:
        raise Forbidden("Who changes an example can't approve it. Edit it; then another approves.")


def _replace_earlier(session: Session, example: Example, *, actor: str) -> None:
    """An approved flag takes the place of what the same agent taught of the same answer before."""
    if example.source is not ExampleSource.FLAG:
        return
    earlier = session.scalars(
        select(Example).where(
            Example.turn_id == example.turn_id,
            Example.created_by == example.created_by,
            Example.source == ExampleSource.FLAG,
            Example.state == ExampleState.APPROVED,
            Example.id != example.id,
        )
    )
    for other in earlier:
        other.state = ExampleState.SUPERSEDED
        _changed(session, other, actor=actor, action="example_superseded")


def _changed(session: Session, example: Example, *, actor: str, action: str) -> None:
    audit.note(session, actor=actor, action=action, subject=example.id)
    show_change(session, example)


def show_change(session: Session, example: Example) -> None:
    """Bring an example's card up to date."""
    outbox.put(session, outbox.Kind.EXAMPLE_CHANGED, example.id, revision=new_id("rev"))


def asked(said: Sequence[Turn], *, before: Turn) -> list[Message]:
    """What was said before a turn; sentences of ours that stood in for the model are no lesson."""
    return [
        t.message
        for t in said
        if t.position < before.position
        and t.status is not TurnStatus.FALLBACK
        and t.removed_at is None
    ]


def to_json(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as the JSON that examples store."""
    return [{"role": str(m.role), "content": m.content} for m in messages]
