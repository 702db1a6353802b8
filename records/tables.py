"""All tables. Columns say units in their names; JSON columns hold plain values.

Text ids come from `records.ids.new_id`; tables with integer keys are read in the order of writing.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from records.ids import new_id, utc_now
from records.messages import Message, Role
from records.states import (
    ConversationState,
    DoubtKind,
    EscalationReason,
    EscalationState,
    EventKind,
    ExampleSource,
    ExampleState,
    ExperimentState,
    FlagReason,
    JobState,
    KeyScope,
    OutboxState,
    ReleaseAction,
    Resolution,
    TurnStatus,
    Urgency,
    Verdict,
    VersionState,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database (SQLite itself keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse times without a zone; keep others as UTC, because SQLite drops the zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must carry a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite dropped."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _words(values: type[StrEnum]) -> Enum:
    """A closed set stored as its plain words, so that a new word needs no migration."""
    return Enum(
        values,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


_SERIAL = BigInteger().with_variant(Integer, "sqlite")


class Table(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain dict
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Conversation(Table):
    """A customer's dialogue; `key` is the caller's own name for it."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("assistant", "key"),
        Index(
            "trial_conversations",
            "id",
            sqlite_where=text("trial = 1"),
            postgresql_where=text("trial"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    assistant: Mapped[str] = mapped_column(String(64), index=True)
    key: Mapped[str | None] = mapped_column(String(200))
    customer: Mapped[str | None] = mapped_column(String(200), index=True)
    state: Mapped[ConversationState] = mapped_column(_words(ConversationState))
    owner: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[str | None] = mapped_column(String(80))
    experiment: Mapped[str | None] = mapped_column(String(40))
    trial: Mapped[bool] = mapped_column(default=False)
    """A colleague tries a version in Slack: no customer, counted in no metric."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)

    turns: Mapped[list["Turn"]] = relationship(
        order_by="Turn.position", back_populates="conversation"
    )


_UNDELIVERED = text("role = 'agent' AND delivered_at IS NULL AND removed_at IS NULL")


class Turn(Table):
    """One message in a conversation; for an answer also what produced it and how long it took."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position"),
        Index(
            "undelivered_replies",
            "created_at",
            sqlite_where=_UNDELIVERED,
            postgresql_where=_UNDELIVERED,
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("turn"))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    position: Mapped[int]
    role: Mapped[Role] = mapped_column(_words(Role))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    author: Mapped[str | None] = mapped_column(String(64))
    """The Slack user id of the agent who wrote it."""
    source_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    """What the turn came from (`slack:<channel>:<ts>`), so that a repeated delivery adds none."""
    status: Mapped[TurnStatus] = mapped_column(_words(TurnStatus), default=TurnStatus.COMPLETE)
    handed_over: Mapped[bool] = mapped_column(default=False)
    """Whether the model asked for a person in this answer."""
    withheld: Mapped[str | None] = mapped_column(Text)
    """What the model said where the customer got a sentence in its place (too unsure)."""
    version: Mapped[str | None] = mapped_column(String(80), index=True)
    experiment: Mapped[str | None] = mapped_column(String(40))
    arm: Mapped[str | None] = mapped_column(String(40))
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    first_token_ms: Mapped[float | None]
    duration_ms: Mapped[float | None]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    mean_logprob: Mapped[float | None]
    original: Mapped[str | None] = mapped_column(Text)
    """What an agent wrote first, where the words were edited or taken back since."""
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    """When the words were taken back; `content` is empty then."""
    delivered_at: Mapped[datetime | None]
    """When a stream or poll of the customer's first had an agent's words."""

    conversation: Mapped[Conversation] = relationship(back_populates="turns")

    @property
    def waits_for_its_reader(self) -> bool:
        """Whether it is an agent's and the customer has not had it yet."""
        is_open = self.delivered_at is None and self.removed_at is None
        return self.role is Role.AGENT and is_open

    @property
    def models_words(self) -> str:
        """What the model said, though the customer may have read a sentence in its place."""
        return self.withheld or self.content

    @property
    def is_models_own(self) -> bool:
        """Whether it is a whole answer of the model's, not a sentence in its place, or erased."""
        answered = self.role is Role.ASSISTANT and self.status is TurnStatus.COMPLETE
        return answered and self.version is not None and self.removed_at is None

    @property
    def message(self) -> Message:
        """The turn as the plain message that prompts are made of."""
        return Message(self.role, self.content)


class Escalation(Table):
    """A conversation handed to a person. At most one per conversation is unresolved."""

    __tablename__ = "escalations"
    __table_args__ = (
        Index(
            "one_open_escalation",
            "conversation_id",
            unique=True,
            sqlite_where=text("state != 'resolved'"),
            postgresql_where=text("state != 'resolved'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("esc"))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turns.id"))
    reason: Mapped[EscalationReason] = mapped_column(_words(EscalationReason))
    cause: Mapped[str] = mapped_column(Text)
    """Who or what caused it, in words."""
    state: Mapped[EscalationState] = mapped_column(
        _words(EscalationState), default=EscalationState.WAITING
    )
    owner: Mapped[str | None] = mapped_column(String(64))
    assignee: Mapped[str | None] = mapped_column(String(64))
    """Who was asked to take it over; until they do, nothing of theirs reaches the customer."""
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    taken_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    """Since when its owner waits for something else; None where it isn't paused."""
    paused_seconds: Mapped[float] = mapped_column(default=0.0)
    """Length of the pauses that have ended."""
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[Resolution | None] = mapped_column(_words(Resolution))
    resolved_by: Mapped[str | None] = mapped_column(String(64))
    """Who ended it: its owner, or who saw that no person was needed."""
    note: Mapped[str | None] = mapped_column(Text)
    """What colleagues should know of how it ended."""

    conversation: Mapped[Conversation] = relationship()


class ConversationEvent(Table):
    """Something that happened in a conversation beside its turns: who speaks now, typing.

    Numbered within its conversation (`seq`), so that readers see events in order and none is
    skipped. `position` is that of the last turn before it, -1 where there was none.
    """

    __tablename__ = "conversation_events"
    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    position: Mapped[int]
    kind: Mapped[EventKind] = mapped_column(_words(EventKind))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Flag(Table):
    """An agent's mark that an answer was bad. Append-only: the last one of an agent counts."""

    __tablename__ = "flags"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("flag"))
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    """Which of its answer's flags it is, counted from 0, whatever clocks say."""
    agent: Mapped[str] = mapped_column(String(64), index=True)
    reason: Mapped[FlagReason | None] = mapped_column(_words(FlagReason))
    correction: Mapped[str | None] = mapped_column(Text)
    should_escalate: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(Text)
    withdrawn: Mapped[bool] = mapped_column(default=False)
    """The agent takes back what they said of the answer before."""
    channel: Mapped[str | None] = mapped_column(String(32))
    """Where in Slack it was flagged, with `thread_ts`: what becomes of it is told there."""
    thread_ts: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Example(Table):
    """A training record: the conversation so far, the right answer, the wrong one if any."""

    __tablename__ = "examples"
    __table_args__ = (Index("examples_by_state", "assistant", "state"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("ex"))
    assistant: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    """What it was made from (`flag:<id>`, `import:<hash>`): repeating makes no second one."""
    source: Mapped[ExampleSource] = mapped_column(_words(ExampleSource))
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turns.id"), index=True)
    flag_id: Mapped[str | None] = mapped_column(ForeignKey("flags.id"), index=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer: Mapped[str | None] = mapped_column(String(200), index=True)
    prompt: Mapped[list[dict[str, Any]]]
    """Messages as `{"role": customer|assistant|agent, "content": text}`, the customer's last."""
    chosen: Mapped[str] = mapped_column(Text)
    """The right answer without the handoff marker; with `should_escalate` it may be empty."""
    rejected: Mapped[str | None] = mapped_column(Text)
    should_escalate: Mapped[bool] = mapped_column(default=False)
    slice: Mapped[dict[str, Any]] = mapped_column(default=dict)
    origin: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Where an import came from: `{"file": name, "line": number}`, `{"document": id}`, ..."""
    state: Mapped[ExampleState] = mapped_column(_words(ExampleState))
    created_by: Mapped[str] = mapped_column(String(64))
    edited_by: Mapped[str | None] = mapped_column(String(64))
    """Who changed it since it was proposed."""
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None] = mapped_column(Text)
    """Why it was rejected: a `states.RejectReason`, or other words."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Doubt(Table):
    """Why an approved example went back to review; it is settled by the next decision on it."""

    __tablename__ = "doubts"
    __table_args__ = (UniqueConstraint("example_id", "kind", "fingerprint"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("doubt"))
    example_id: Mapped[str] = mapped_column(ForeignKey("examples.id"), index=True)
    kind: Mapped[DoubtKind] = mapped_column(_words(DoubtKind))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """What was doubted: approving the same once more is an answer, and is not doubted again."""
    other_id: Mapped[str | None] = mapped_column(ForeignKey("examples.id"))
    """The example that contradicts it, if one does."""
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    job_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Document(Table):
    """A page of the team's knowledge: FAQ, product page, policy. Approved by who adds it."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("assistant", "name"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("doc"))
    assistant: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(300))
    """Its file's name or path as given: adding it again replaces the text."""
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    """Plain text with headings, as training reads it."""
    licence: Mapped[str | None] = mapped_column(String(120))
    added_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Erasure(Table):
    """A customer whose words were erased: only a keyed hash of who it was, and what was reached.

    It is unfinished as long as something is left to be done on the machine that keeps the files.
    """

    __tablename__ = "erasures"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("er"))
    customer_hash: Mapped[str] = mapped_column(String(64), index=True)
    requested_by: Mapped[str] = mapped_column(String(64))
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    versions: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Ids of versions whose adapters were trained on the customer's words."""
    subjects: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Ids of what was reached, by kind: by them files are swept again, and Slack is listed."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class Fix(Table):
    """What a version says to the question of a flagged answer, and whether that is right now."""

    __tablename__ = "fixes"

    flag_id: Mapped[str] = mapped_column(ForeignKey("flags.id"), primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("versions.id"), primary_key=True, index=True)
    answer: Mapped[str] = mapped_column(Text)
    handed_over: Mapped[bool] = mapped_column(default=False)
    fixed: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Consent(Table):
    """One person's yes to something that needs several (`promote` of a report)."""

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("action", "subject", "actor"),)

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(120))
    actor: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Dataset(Table):
    """An immutable snapshot of approved examples, named by its content (`ds-<hash>`)."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    assistant: Mapped[str] = mapped_column(String(64))
    content_hash: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(Text)
    """Where it lies, relative to the artifact store."""
    card: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    erased_at: Mapped[datetime | None]
    """When somebody's words were taken out of it: its content is no longer what its name says."""
    replaced_by: Mapped[str | None] = mapped_column(String(40))
    """The dataset that holds what was left."""


class DatasetExample(Table):
    """Which examples a dataset holds, and in which split."""

    __tablename__ = "dataset_examples"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    example_id: Mapped[str] = mapped_column(ForeignKey("examples.id"), primary_key=True, index=True)
    split: Mapped[str] = mapped_column(String(16))


class Version(Table):
    """A base model with an adapter, or none, as served; its id is the name the engine knows."""

    __tablename__ = "versions"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    assistant: Mapped[str] = mapped_column(String(64), index=True)
    base_model: Mapped[str] = mapped_column(Text)
    base_hash: Mapped[str] = mapped_column(String(64))
    adapter_path: Mapped[str | None] = mapped_column(Text)
    """Where the adapter lies, relative to the artifact store; None for the bare base."""
    dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id"))
    parent: Mapped[str | None] = mapped_column(String(80))
    """The champion at the time of training."""
    state: Mapped[VersionState] = mapped_column(_words(VersionState))
    manifest: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Release(Table):
    """A change of the release pointer. The newest row of an assistant is the pointer."""

    __tablename__ = "releases"
    __table_args__ = (Index("release_pointer", "assistant", "id"),)

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    assistant: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    replaces: Mapped[str | None] = mapped_column(String(80))
    action: Mapped[ReleaseAction] = mapped_column(_words(ReleaseAction))
    actor: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Experiment(Table):
    """An A/B test between versions in live traffic. At most one per assistant runs."""

    __tablename__ = "experiments"
    __table_args__ = (
        Index(
            "one_running_experiment",
            "assistant",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("exp"))
    assistant: Mapped[str] = mapped_column(String(64))
    state: Mapped[ExperimentState] = mapped_column(_words(ExperimentState))
    started_by: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    stopped_at: Mapped[datetime | None]

    arms: Mapped[list["Arm"]] = relationship(order_by="Arm.position", lazy="selectin")


class Arm(Table):
    """One side of an experiment. What the arms' shares leave over stays with the champion."""

    __tablename__ = "arms"
    __table_args__ = (UniqueConstraint("experiment_id", "name"),)

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiments.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    share: Mapped[float]
    """Share of customers, 0..1."""
    spans: Mapped[list[list[int]]] = mapped_column(JSON)
    """The customers it holds, see `records/places.py`."""


class Shadow(Table):
    """A version that answers a sample of real questions unseen. At most one per assistant runs."""

    __tablename__ = "shadows"
    __table_args__ = (
        Index(
            "one_running_shadow",
            "assistant",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("shd"))
    assistant: Mapped[str] = mapped_column(String(64))
    version: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    share: Mapped[float]
    """Share of answered turns, 0..1."""
    state: Mapped[ExperimentState] = mapped_column(_words(ExperimentState))
    started_by: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    stopped_at: Mapped[datetime | None]


class ShadowAnswer(Table):
    """What a shadow version said where a customer read the answer of `turn_id`."""

    __tablename__ = "shadow_answers"
    __table_args__ = (UniqueConstraint("shadow_id", "turn_id"),)

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    shadow_id: Mapped[str] = mapped_column(ForeignKey("shadows.id"))
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id"), index=True)
    version: Mapped[str] = mapped_column(String(80), index=True)
    content: Mapped[str] = mapped_column(Text)
    handed_over: Mapped[bool] = mapped_column(default=False)
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    mean_logprob: Mapped[float | None]
    duration_ms: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(Text)
    """Why it gave no answer, in words."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Outcome(Table):
    """What a conversation led to, or what a customer did later (no conversation named).

    `key` is the reporter's id: a repeated report adds none.
    """

    __tablename__ = "outcomes"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    assistant: Mapped[str] = mapped_column(String(64), index=True)
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    customer: Mapped[str | None] = mapped_column(String(200), index=True)
    turn_id: Mapped[str | None] = mapped_column(ForeignKey("turns.id"))
    """The one answer that it is about, where it is about one (a thumb)."""
    position: Mapped[int | None]
    """That of the conversation's last turn when it was reported."""
    metric: Mapped[str] = mapped_column(String(64), index=True)
    value: Mapped[float]
    comment: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(default=utc_now)
    """When it happened; reports may come later."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Answer(Table):
    """A version's answer to a frozen case, kept so that no case is asked twice."""

    __tablename__ = "answers"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Hash of version, prompt and sampling settings."""
    version: Mapped[str] = mapped_column(String(80), index=True)
    content: Mapped[str] = mapped_column(Text)
    finish_reason: Mapped[str | None] = mapped_column(String(32))
    completion_tokens: Mapped[int | None]
    mean_logprob: Mapped[float | None]
    duration_ms: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Report(Table):
    """An evaluation of one version, or of a challenger against a champion, with its verdict."""

    __tablename__ = "reports"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("rep"))
    assistant: Mapped[str] = mapped_column(String(64))
    champion: Mapped[str | None] = mapped_column(String(80))
    challenger: Mapped[str] = mapped_column(String(80), index=True)
    cases_hash: Mapped[str] = mapped_column(String(64))
    frozen: Mapped[bool] = mapped_column(default=False)
    """Whether it was made on the assistant's own frozen cases: only that is evidence."""
    verdict: Mapped[Verdict | None] = mapped_column(_words(Verdict))
    body: Mapped[dict[str, Any]]
    path: Mapped[str] = mapped_column(Text)
    """The folder with report.md, report.json, plot.png and changes.csv, in the artifact store."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Job(Table):
    """A request to retrain, and how far it is. Its id is also the workflow's.

    At most one per assistant waits or runs.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "one_active_job",
            "assistant",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("job"))
    assistant: Mapped[str] = mapped_column(String(64))
    state: Mapped[JobState] = mapped_column(_words(JobState), default=JobState.QUEUED)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    requested_by: Mapped[str] = mapped_column(String(64))
    stage: Mapped[str] = mapped_column(String(40), default="queued")
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Figures of the current stage: step, steps, loss, tokens_per_second, seconds_left, ..."""
    revision: Mapped[int] = mapped_column(default=0)
    dataset_id: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[str | None] = mapped_column(String(80))
    report_id: Mapped[str | None] = mapped_column(String(40))
    error: Mapped[str | None] = mapped_column(Text)
    spent: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Per step: seconds of it, and of accelerator; and what that costs by the settings."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Audit(Table):
    """Who did what to what, and when. Rows are never changed or deleted (triggers hold it)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(120), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class OutboxMessage(Table):
    """Something Slack must show: what happened to what. The bot renders it when it sends it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_by_state", "state", "urgency", "id"),
        Index("outbox_by_message", "channel", "ts"),
    )

    id: Mapped[int] = mapped_column(_SERIAL, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    """One message per key, however often it is put."""
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    """The id of what it is about: an escalation, turn, job, report, ..."""
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    urgency: Mapped[int] = mapped_column(default=Urgency.NOW)
    """See `states.Urgency`; among equals the older goes first."""
    state: Mapped[OutboxState] = mapped_column(_words(OutboxState), default=OutboxState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    team: Mapped[str | None] = mapped_column(String(32))
    """The Slack workspace in which it stands; None: the only one."""
    channel: Mapped[str | None] = mapped_column(String(32))
    ts: Mapped[str | None] = mapped_column(String(32))
    """Slack's id of the message once it is sent; with `channel` the way back from a click."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    """When Slack said that somebody had deleted the message there."""
    begun_after: Mapped[str | None] = mapped_column(String(32))
    """The newest message known in its channel when its sending began: what it leads to is newer."""


class SlackEvent(Table):
    """Deliveries from Slack that were taken in, so that a repeated one does nothing."""

    __tablename__ = "slack_events"

    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)


class ApiKey(Table):
    """A caller's key; only its SHA-256 is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True, default=lambda: new_id("key"))
    name: Mapped[str] = mapped_column(String(120))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[KeyScope] = mapped_column(_words(KeyScope))
    requests_per_minute: Mapped[int | None]
    """This key's own limit; None: the gateway's setting."""
    concurrent_requests: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    revoked_at: Mapped[datetime | None]


class SlackInstallation(Table):
    """The app in one Slack workspace, with the bot's tokens there: to be kept as secrets are."""

    __tablename__ = "slack_installations"

    team: Mapped[str] = mapped_column(String(32), primary_key=True)
    """The workspace's id (T…)."""
    name: Mapped[str] = mapped_column(String(200), default="")
    bot_token: Mapped[str] = mapped_column(Text)
    bot_id: Mapped[str] = mapped_column(String(32))
    bot_user: Mapped[str] = mapped_column(String(32))
    scopes: Mapped[str] = mapped_column(Text, default="")
    """What the app may do there, comma-separated."""
    refresh_token: Mapped[str | None] = mapped_column(Text)
    """Exchanged, once, for the next token; None: the token does not expire."""
    expires_at: Mapped[datetime | None]
    rotating_until: Mapped[datetime | None]
    """One process exchanges the token; no other one does before this."""
    installed_by: Mapped[str | None] = mapped_column(String(32))
    installed_at: Mapped[datetime] = mapped_column(default=utc_now)


class SlackInstallState(Table):
    """Installations of the app that people began in a browser: each may be completed once."""

    __tablename__ = "slack_install_states"

    state: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime]
