"""Which rows hold a customer's words, and where Slack shows them. Reads only."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from records import conversations
from records.outbox import Kind
from records.states import OutboxState
from records.tables import (
    Conversation,
    Erasure,
    Escalation,
    Example,
    Flag,
    OutboxMessage,
    Outcome,
    Turn,
)

_AT_ONCE = 500
"""Ids in one statement: databases take only so many values."""
_TALKS = "conversations"


@dataclass(frozen=True, slots=True)
class Reached:
    """Ids of the rows that hold a customer's words, by kind."""

    assistants: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    turns: tuple[str, ...] = ()
    escalations: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    threads: tuple[str, ...] = ()
    """`ts` of messages in Slack in whose threads it was spoken of."""
    lessons: tuple[str, ...] = ()
    """Rows of datasets that were made from their examples in other words."""

    @classmethod
    def loaded(cls, subjects: dict[str, Any]) -> "Reached":
        """As an erasure's row keeps it; kinds that it does not know are none."""
        return cls(**{field.name: tuple(subjects.get(field.name, ())) for field in fields(cls)})

    def dumped(self) -> dict[str, list[str]]:
        """For an erasure's row."""
        return {name: list(ids) for name, ids in asdict(self).items()}

    def with_(self, other: "Reached") -> "Reached":
        """Both, each id once."""
        both = (
            tuple(sorted({*getattr(self, field.name), *getattr(other, field.name)}))
            for field in fields(self)
        )
        return Reached(*both)

    @property
    def subjects(self) -> frozenset[str]:
        """All ids of rows that something may be told about."""
        ids = (self.conversations, self.turns, self.escalations, self.flags, self.examples)
        return frozenset(name for group in ids for name in group)

    def __bool__(self) -> bool:
        return bool(self.subjects or self.outcomes)


def of_customer(session: Session, hashed: str) -> list[Erasure]:
    """The customer's erasures, oldest first."""
    return list(
        session.scalars(
            select(Erasure)
            .where(Erasure.customer_hash == hashed)
            .order_by(Erasure.created_at, Erasure.id)
        )
    )


def reach(session: Session, customer: str, hashed: str) -> Reached:
    """All rows that hold a customer's words; drafts of replies to them, which copy these, too.

    In a conversation that was erased before, an answer may have arrived since that was being made.
    """
    talks = distinct(session, select(Conversation.id).where(Conversation.customer == customer))
    before = {name for row in of_customer(session, hashed) for name in row.subjects[_TALKS]}
    for part in in_parts(sorted(before - talks)):
        in_them = Turn.conversation_id.in_(part)
        talks |= distinct(session, select(Turn.conversation_id).where(in_them, Turn.content != ""))
    turns = values_of(session, Turn.id, Turn.conversation_id, talks)
    escalations = values_of(session, Escalation.id, Escalation.conversation_id, talks)
    flags = values_of(session, Flag.id, Flag.turn_id, turns)
    examples = {
        *distinct(session, select(Example.id).where(Example.customer == customer)),
        *values_of(session, Example.id, Example.conversation_id, talks),
        *values_of(session, Example.id, Example.turn_id, turns),
    }
    outcomes = {
        *map(str, distinct(session, select(Outcome.id).where(Outcome.customer == customer))),
        *map(str, values_of(session, Outcome.id, Outcome.conversation_id, talks)),
    }
    assistants = {
        *values_of(session, Conversation.assistant, Conversation.id, talks),
        *values_of(session, Example.assistant, Example.id, examples),
    }
    return Reached(
        assistants=tuple(sorted(assistants)),
        conversations=tuple(sorted(talks)),
        turns=tuple(sorted(turns)),
        escalations=tuple(sorted(escalations)),
        flags=tuple(sorted(flags)),
        examples=tuple(sorted(examples)),
        outcomes=tuple(sorted(outcomes)),
        threads=tuple(sorted(_threads(session, escalations))),
    )


def texts(session: Session, reached: Reached) -> frozenset[str]:
    """What the customer asked, word for word, unless somebody else asked just that too."""
    asked: set[str] = set()
    for ids in in_parts(reached.turns):
        asked.update(session.scalars(select(Turn.content).where(Turn.id.in_(ids))))
    for ids in in_parts(reached.examples):
        for prompt in session.scalars(select(Example.prompt).where(Example.id.in_(ids))):
            asked.update(str(message["content"]) for message in prompt)
    theirs = set(reached.conversations)
    shared = {
        content
        for part in in_parts(sorted(asked))
        for content, talk in session.execute(
            select(Turn.content, Turn.conversation_id).where(Turn.content.in_(part))
        )
        if talk not in theirs
    }
    return frozenset(asked - shared - {""})


def shown_in_slack(session: Session, reached: Reached) -> list[OutboxMessage]:
    """Messages of the bot's, about what was reached, that stand in Slack; oldest first."""
    found: list[OutboxMessage] = []
    for ids in in_parts(sorted(reached.subjects)):
        found += session.scalars(
            select(OutboxMessage).where(
                OutboxMessage.subject.in_(ids),
                OutboxMessage.state == OutboxState.SENT,
                OutboxMessage.gone_at.is_(None),
            )
        )
    return sorted((row for row in found if row.ts), key=lambda row: row.id)


def written_in_slack(session: Session, reached: Reached) -> list[tuple[str, str]]:
    """Channel and `ts` of messages that colleagues wrote to the customer in Slack."""
    sources: list[str | None] = []
    for ids in in_parts(reached.turns):
        sources += session.scalars(select(Turn.source_key).where(Turn.id.in_(ids)))
    written = [source for source in sources if source and conversations.written_in_slack(source)]
    places = [source.split(":") for source in written]
    return sorted((place[1], place[2]) for place in places if len(place) == 3)


def _threads(session: Session, escalations: Collection[str]) -> set[str]:
    found: set[str | None] = set()
    for ids in in_parts(sorted(escalations)):
        found.update(
            session.scalars(
                select(OutboxMessage.ts).where(
                    OutboxMessage.kind == Kind.ESCALATION_OPENED, OutboxMessage.subject.in_(ids)
                )
            )
        )
    return {ts for ts in found if ts}


def values_of(
    session: Session,
    wanted: "InstrumentedAttribute[Any]",
    column: "InstrumentedAttribute[Any]",
    ids: Collection[Any],
) -> set[Any]:
    """The `wanted` column of the rows whose `column` is one of `ids`."""
    found: set[Any] = set()
    for part in in_parts(ids):
        found |= distinct(session, select(wanted).where(column.in_(part)))
    return found


def distinct(session: Session, query: "Select[Any]") -> set[Any]:
    """What a query of one column finds, without what is unknown."""
    return {name for name in session.scalars(query) if name is not None}


def in_parts(ids: Collection[Any]) -> Iterator[Sequence[Any]]:
    """So many ids at a time as one statement takes."""
    ordered = list(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]
