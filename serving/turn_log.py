"""Customers' questions and their answers on their way into the records, as plain data.

Data rather than operations, so that a whole group is written by a few statements whatever its size,
and so that an entry can wait in a journal while the database is away. An entry may be written
twice; its turns' ids make sure that it counts once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm import Session

from records import conversations, escalations
from records.states import EscalationReason, EscalationState
from records.tables import Conversation, Turn


@dataclass(slots=True, eq=False)  # not frozen: made for each request, and four times as costly
class Entry:
    """What one request adds to a conversation."""

    conversation_id: str
    turns: tuple[dict[str, Any], ...] = ()
    """Columns of `turns` by name. In a new conversation they carry their `position`; a known one
    gets one turn at a time, which takes the next."""
    started: dict[str, Any] | None = None
    """Columns of `conversations`, where the conversation is new."""
    changed: dict[str, Any] | None = None
    """`customer`, `version` and `experiment` of a known conversation, where they change."""
    escalation: dict[str, Any] | None = None
    """`reason`, `cause` and `turn_id`, where it goes to a person."""
    if_taken: dict[str, Any] | None = None
    """What the answer's columns are instead, where an agent has taken over by now and the customer
    has read nothing of it yet."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of an entry."""

    conversation_id: str
    """Another one than the entry's where its key named a conversation already."""
    escalation_id: str | None = None
    position: int | None = None
    """Of the last turn that was added; unknown while it waits in a journal."""
    gave_way: bool = False
    """Whether it was written as its `if_taken` says."""


def stamp() -> str:
    """Now in UTC, in the form that both databases take: entries are written as JSON."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def dumped(entry: Entry) -> bytes:
    """An entry as one line of a journal: as the customer has read it by the time it is written."""
    return orjson.dumps(replace(entry, if_taken=None))


def loaded(line: bytes) -> Entry:
    """An entry from its line.

    Raises:
        ValueError: the line is not one whole entry.
    """
    fields = orjson.loads(line)
    return Entry(**{**fields, "turns": tuple(fields["turns"])})


def write_all(connection: Connection, entries: Sequence[Entry]) -> list[Recorded]:
    """Write entries that are in no conflict with each other or with what is recorded.

    Raises:
        IntegrityError: they are; nothing of them may be kept, and each is to be `write_alone`.
    """
    conversations.lock(connection, (e.conversation_id for e in entries if not e.started))
    _insert(connection, _CONVERSATIONS, [e.started for e in entries if e.started])
    changes = [{"id_": e.conversation_id, **e.changed} for e in entries if e.changed]
    if changes:
        connection.execute(_CHANGE, changes)
    escalated = _escalated(connection, entries)
    turns = [turn for entry in entries for turn in _turns(entry, escalated)]
    positions = _insert(connection, _TURNS, turns)
    for entry in entries:
        if entry.conversation_id in escalated:
            _show_turns(connection, entry)
    return [
        Recorded(
            entry.conversation_id,
            _escalate(connection, entry) if entry.escalation else None,
            positions.get(entry.turns[-1]["id"]) if entry.turns else None,
            gave_way=_gives_way(entry, escalated),
        )
        for entry in entries
    ]


def _gives_way(entry: Entry, escalated: Mapping[str, str]) -> bool:
    """Whether an agent has taken over, so that an answer that nobody has read is not given."""
    return entry.if_taken is not None and escalated.get(entry.conversation_id) == _TAKEN


def _turns(entry: Entry, escalated: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    if entry.if_taken is None or not _gives_way(entry, escalated):
        return entry.turns
    return [{**turn, **entry.if_taken} for turn in entry.turns]


def write_alone(session: Session, entry: Entry) -> Recorded:
    """Write an entry whose conversation, or some of whose turns, may be recorded already.

    Raises:
        IntegrityError: another process writes to the same conversation now; look again.
    """
    if entry.started:
        found = conversations.find(
            session,
            assistant=entry.started["assistant"],
            key=entry.started["key"] or entry.conversation_id,
        )
        if found is not None:
            entry = replace(entry, conversation_id=found.id, started=None)
    conversations.lock(session, [entry.conversation_id])
    ids = [turn["id"] for turn in entry.turns]
    known = set(session.scalars(select(Turn.id).where(Turn.id.in_(ids))))
    last = conversations.last_turn(session, entry.conversation_id)
    position = last.position + 1 if last else 0
    fresh = (turn for turn in entry.turns if turn["id"] not in known)
    turns = tuple(
        {**turn, "conversation_id": entry.conversation_id, "position": position + index}
        for index, turn in enumerate(fresh)
    )
    again = bool(entry.turns) and not turns  # what it led to has been done too
    rest = replace(entry, turns=turns, escalation=None if again else entry.escalation)
    session.flush()
    return write_all(session.connection(), [rest])[0]


@contextmanager
def _session(connection: Connection) -> Iterator[Session]:
    """A session for what is written rarely, within the transaction that `connection` is in."""
    with Session(connection) as session:
        yield session
        session.commit()  # of its own part only


def _escalate(connection: Connection, entry: Entry) -> str:
    assert entry.escalation is not None
    with _session(connection) as session:
        return escalations.escalate(
            session,
            entry.conversation_id,
            reason=EscalationReason(entry.escalation["reason"]),
            cause=entry.escalation["cause"],
            turn_id=entry.escalation["turn_id"],
        ).id


def _escalated(connection: Connection, entries: Sequence[Entry]) -> Mapping[str, str]:
    """The states of unresolved escalations, by the conversations that entries add turns to."""
    named = [e.conversation_id for e in entries if e.turns and not e.started]
    if not named:
        return {}
    found = connection.exec_driver_sql(_ESCALATED.of(connection), (orjson.dumps(named).decode(),))
    return {row[0]: row[1] for row in found}


def _show_turns(connection: Connection, entry: Entry) -> None:
    with _session(connection) as session:
        escalation = conversations.open_escalation(session, entry.conversation_id)
        assert escalation is not None
        for turn in entry.turns:
            conversations.tell_turn(session, session.get_one(Turn, turn["id"]), escalation)


_TAKEN = EscalationState.TAKEN.value
_TYPES = {
    "handed_over": "boolean", "position": "integer", "prompt_tokens": "integer",
    "completion_tokens": "integer", "first_token_ms": "double precision",
    "duration_ms": "double precision", "mean_logprob": "double precision",
    "created_at": "timestamp",
}  # fmt: skip
"""PostgreSQL's types of what is not text."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement over a JSON list, which is its one parameter, in the words of both databases."""

    sqlite: str
    postgres: str

    def of(self, connection: Connection) -> str:
        return self.sqlite if connection.dialect.name == "sqlite" else self.postgres


def _insertion(
    table: str,
    columns: Sequence[str],
    *,
    returned: str,
    computed: dict[str, str] | None = None,
) -> _Statement:
    """A statement that returns each row's id and the column `returned`.

    `computed` gives the expression for a column whose value is missing.
    """

    def values(read: str) -> str:
        found = []
        for name in columns:
            value = read.format(name)
            if computed and name in computed:
                conversation = read.format("conversation_id")
                value = f"COALESCE({value}, {computed[name].format(conversation)})"
            found.append(value)
        return ", ".join(found)

    names = ", ".join(columns)
    declared = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in columns)
    postgres_values = values("x.{}").replace("x.created_at", "x.created_at AT TIME ZONE 'UTC'")
    into, returning = f"INSERT INTO {table} ({names})", f"RETURNING id, {returned}"
    sqlite_values = values("x.value->>'{}'")
    return _Statement(
        sqlite=f"{into} SELECT {sqlite_values} "  # noqa: S608 - names of ours only
        f"FROM json_each(?) AS x WHERE TRUE {returning}",
        postgres=f"{into} SELECT {postgres_values} "  # noqa: S608 - names of ours only
        f"FROM json_to_recordset(CAST(%s AS json)) AS x({declared}) {returning}",
    )


_CONVERSATIONS = _insertion(
    "conversations",
    ("id", "assistant", "key", "customer", "state", "version", "experiment", "created_at"),
    returned="key",
)
_TURNS = _insertion(
    "turns",
    (
        "id", "conversation_id", "position", "role", "content", "created_at", "status",
        "handed_over", "withheld", "version", "experiment", "arm", "finish_reason",
        "first_token_ms", "duration_ms", "prompt_tokens", "completion_tokens", "mean_logprob",
    ),
    returned="position",
    computed={
        "position": "(SELECT COALESCE(MAX(t.position) + 1, 0) FROM turns t "
        "WHERE t.conversation_id = {})"
    },
)  # fmt: skip
_CHANGE = (
    update(Conversation)
    .where(Conversation.id == bindparam("id_"))
    .values({name: bindparam(name) for name in ("customer", "version", "experiment")})
)


_ESCALATED = _Statement(
    sqlite="SELECT conversation_id, state FROM escalations WHERE state <> 'resolved' "
    "AND conversation_id IN (SELECT value FROM json_each(?))",
    postgres="SELECT conversation_id, state FROM escalations WHERE state <> 'resolved' "
    "AND conversation_id IN (SELECT json_array_elements_text(CAST(%s AS json)))",
)


def _insert(
    connection: Connection, insertion: _Statement, rows: Sequence[dict[str, Any]]
) -> Mapping[str, Any]:
    """Insert rows; what the insertion returns of each, by the row's id."""
    if not rows:
        return {}
    statement = insertion.of(connection)
    found = connection.exec_driver_sql(statement, (orjson.dumps(rows).decode(),))
    return {row[0]: row[1] for row in found}
