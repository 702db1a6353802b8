"""Conversations and their turns."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import Session

from records import outbox
from records.errors import Conflict, NotFound
from records.ids import new_id
from records.messages import Role
from records.states import ConversationState, EscalationReason, EscalationState, Urgency
from records.tables import Conversation, Escalation, Turn

LONGEST_SHOWN = 5_800
"""So many characters of a turn are read in a message: two of Slack's blocks."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer's message as it comes in, and the conversation it belongs to."""

    assistant: str
    conversation_id: str
    content: str
    key: str | None = None
    customer: str | None = None
    version: str | None = None
    experiment: str | None = None


def find(session: Session, *, assistant: str, key: str) -> Conversation | None:
    """The conversation that a caller names: by our id or by the caller's own key."""
    return session.scalar(
        select(Conversation).where(
            Conversation.assistant == assistant,
            (Conversation.id == key) | (Conversation.key == key),
        )
    )


def lock(session: Session | Connection, conversation_ids: Iterable[str]) -> None:
    """Let no other transaction write to these conversations until this one ends.

    To be called before looking at what has been said, so that nothing comes in between. Rows are
    locked in the order of their ids: two that lock several never wait for each other. On SQLite it
    has nothing to do: a writer holds the write lock from its first statement.
    """
    connection = session.connection() if isinstance(session, Session) else session
    if connection.dialect.name == "postgresql" and (ids := sorted(set(conversation_ids))):
        connection.execute(_LOCK, {"ids": ids})


_LOCK = (
    select(Conversation.id)
    .where(Conversation.id.in_(bindparam("ids", expanding=True)))
    .order_by(Conversation.id)
    .with_for_update()
)


def get(session: Session, conversation_id: str, *, lock: bool = False) -> Conversation:
    """One conversation; with `lock`, of two transactions at once the second waits for the first.

    Raises:
        NotFound: no such id.
    """
    if lock:
        session.flush()  # what is read anew must not undo what waits to be written
    conversation = session.get(
        Conversation, conversation_id, with_for_update=lock or None, populate_existing=lock
    )
    if conversation is None:
        raise NotFound(f"No conversation {conversation_id!r}.")
    return conversation


def turn(session: Session, turn_id: str) -> Turn:
    """One turn.

    Raises:
        NotFound: no such id.
    """
    found = session.get(Turn, turn_id)
    if found is None:
        raise NotFound(f"No turn {turn_id!r}. Ids look like {new_id('turn')}.")
    return found


def history(session: Session, conversation_id: str, *, whole: bool = True) -> list[Turn]:
    """All turns of a conversation, oldest first; if not `whole`, without what was taken back."""
    query = select(Turn).where(Turn.conversation_id == conversation_id).order_by(Turn.position)
    return list(session.scalars(query if whole else query.where(Turn.removed_at.is_(None))))


def last_turn(session: Session, conversation_id: str) -> Turn | None:
    """The newest turn of a conversation."""
    return session.scalar(
        select(Turn)
        .where(Turn.conversation_id == conversation_id)
        .order_by(Turn.position.desc())
        .limit(1)
    )


def create(
    session: Session, *, assistant: str, customer: str | None = None, key: str | None = None
) -> tuple[Conversation, bool]:
    """A conversation in which nothing is said yet, and whether it is new.

    Where the caller's key names one already, that is the one, as if asked for once.

    Raises:
        Conflict: the key names another customer's conversation.
    """
    known = find(session, assistant=assistant, key=key) if key else None
    if known is None:
        fresh = Conversation(
            id=new_id("conv"),
            assistant=assistant,
            key=key,
            customer=customer,
            state=ConversationState.OPEN,
        )
        session.add(fresh)
        session.flush()
        return fresh, True
    if customer and known.customer and known.customer != customer:
        raise Conflict(f"The key {key!r} names a conversation of another customer. Use another.")
    known.customer = known.customer or customer
    return known, False


def start(session: Session, arrival: Arrival) -> Conversation:
    """The conversation a message belongs to, made where it is new; the message isn't recorded."""
    conversation = session.get(Conversation, arrival.conversation_id)
    if conversation is None:
        conversation = Conversation(
            id=arrival.conversation_id,
            assistant=arrival.assistant,
            key=arrival.key,
            customer=arrival.customer,
            state=ConversationState.OPEN,
            version=arrival.version,
            experiment=arrival.experiment,
        )
        session.add(conversation)
        session.flush()
    return conversation


def receive(session: Session, arrival: Arrival) -> Turn:
    """Record what a customer wrote, starting the conversation where it is new."""
    conversation = start(session, arrival)
    return add_turn(
        session,
        Turn(conversation_id=conversation.id, role=Role.CUSTOMER, content=arrival.content),
    )


def add_turn(session: Session, new: Turn) -> Turn:
    """Append a turn; one whose `source_key` is known already is returned, not added again.

    A turn in a conversation that waits for a person or has one is also queued for its thread in
    Slack, but for what was written there.
    """
    lock(session, [new.conversation_id])
    if new.source_key and (known := turn_from(session, new.source_key)) is not None:
        return known
    last = session.scalar(
        select(func.max(Turn.position)).where(Turn.conversation_id == new.conversation_id)
    )
    new.position = 0 if last is None else last + 1
    session.add(new)
    session.flush()
    escalation = open_escalation(session, new.conversation_id)
    if escalation is not None and not written_in_slack(new.source_key):
        tell_turn(session, new, escalation)
    return new


def turn_from(session: Session, source_key: str) -> Turn | None:
    """The turn that came from a source, if it is recorded."""
    return session.scalar(select(Turn).where(Turn.source_key == source_key))


def written_in_slack(source_key: str | None) -> bool:
    """Whether a turn with this source stands in Slack already, because it was written there."""
    return (source_key or "").startswith("slack:")


def show_turn(session: Session, turn: Turn, escalation: Escalation) -> None:
    """Queue a turn for an escalation's thread in Slack; each thread shows it once.

    A long one is begun in its message, and stands whole in a file after it.
    """
    kinds = [outbox.Kind.TURN_ADDED]
    if is_long(turn):
        kinds.append(outbox.Kind.TURN_SNIPPET)
    for kind in kinds:
        outbox.put(
            session,
            kind,
            turn.id,
            revision=escalation.id,
            urgency=transcript_urgency(escalation),
            escalation=escalation.id,
        )


def tell_turn(session: Session, turn: Turn, escalation: Escalation) -> None:
    """Queue what was said since an escalation was opened: for its thread, and for its card."""
    show_turn(session, turn, escalation)
    if turn.role is Role.CUSTOMER:
        outbox.put(session, outbox.Kind.ESCALATION_CHANGED, escalation.id, revision=turn.id)


def is_long(turn: Turn) -> bool:
    """Whether a turn is too long to be read in a message."""
    return max(len(turn.content), len(turn.withheld or "")) > LONGEST_SHOWN


def urgency_of(escalation: Escalation) -> Urgency:
    """How soon Slack must show its card."""
    if escalation.state is EscalationState.TAKEN:
        return Urgency.NOW
    return Urgency.LATER if escalation.reason is EscalationReason.ENGINE else Urgency.SOON


def transcript_urgency(escalation: Escalation) -> Urgency:
    """How soon Slack must show what was said: after all cards, until somebody has taken over.

    Slack takes one message a second, and a card shows the last words already.
    """
    return Urgency.NOW if escalation.state is EscalationState.TAKEN else Urgency.LAST


def open_escalation(session: Session, conversation_id: str) -> Escalation | None:
    """The conversation's unresolved escalation, if there is one."""
    return session.scalar(
        select(Escalation).where(
            Escalation.conversation_id == conversation_id,
            Escalation.state != EscalationState.RESOLVED,
        )
    )
