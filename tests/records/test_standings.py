"""What the sides of an experiment have led to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select

from records import escalations, experiments, flags, outcomes
from records.assistant import Assistant
from records.conversations import Arrival, add_turn, receive
from records.database import Database
from records.experiments import Side
from records.flags import Judgement
from records.messages import Role
from records.outbox import Kind
from records.outcomes import Rating
from records.standings import Standing, standings
from records.states import AlertKind, EscalationReason
from records.tables import Conversation, Experiment, OutboxMessage, Turn
from records.versions import promote
from tests.conftest import install
from tests.records.build import trained


def started(database: Database, assistant: Assistant) -> str:
    install(database, assistant)
    trained(database, "support-a")
    with database.write() as session:
        sides = [Side("challenger", "support-a", 0.1)]
        return experiments.start(session, "support", sides, actor="U0OLGA").id


def talk(
    database: Database,
    conversation: str,
    *,
    experiment: str | None = None,
    customer: str | None = None,
    trial: bool = False,
) -> str:
    """A conversation in the arm of an experiment, or with the champion; returns the answer's id."""
    with database.write() as session:
        receive(session, Arrival("support", conversation, "hello", customer=customer))
        session.get_one(Conversation, conversation).trial = trial
        answer = Turn(
            conversation_id=conversation,
            role=Role.ASSISTANT,
            content="hi",
            version="support-a" if experiment else "support-base",
            experiment=experiment,
            arm="challenger" if experiment else None,
        )
        return add_turn(session, answer).id


def measured(database: Database, experiment: str) -> list[Standing]:
    with database.read() as session:
        return standings(session, session.get_one(Experiment, experiment))


def test_each_side_is_counted_by_customers_and_by_what_came_of_them(
    database: Database, assistant: Assistant
) -> None:
    talk(database, "conv_before")
    experiment = started(database, assistant)
    first = talk(database, "conv_1", experiment=experiment, customer="ann")
    talk(database, "conv_2", experiment=experiment, customer="ann")
    talk(database, "conv_3", experiment=experiment)
    talk(database, "conv_4", customer="ben")
    with database.write() as session:
        escalations.escalate(
            session, "conv_1", reason=EscalationReason.CUSTOMER, cause="asked for a person"
        )
        for _ in range(2):
            flags.add(session, first, agent="U0ANN", judgement=Judgement())
        outcomes.rate(session, "conv_2", Rating(thumb_up=True))
        outcomes.rate(session, "conv_3", Rating(thumb_up=False, csat=2))
        outcomes.rate(session, "conv_1", Rating(csat=5))
    champion, challenger = measured(database, experiment)
    assert champion == Standing(None, "support-base", 0.9, customers=1, conversations=1)
    assert challenger == Standing(
        "challenger",
        "support-a",
        0.1,
        customers=2,
        conversations=3,
        escalated=1,
        flagged=1,
        rated=3,
        thumbs=2,
        thumbs_up=1,
        csat=2,
        mean_csat=3.5,
    )


def test_colleagues_trials_count_for_neither_side(database: Database, assistant: Assistant) -> None:
    experiment = started(database, assistant)
    talk(database, "conv_1", experiment=experiment, trial=True)
    talk(database, "conv_2", trial=True)
    assert [side.conversations for side in measured(database, experiment)] == [0, 0]


def test_after_its_end_the_champions_side_grows_no_more(
    database: Database, assistant: Assistant
) -> None:
    experiment = started(database, assistant)
    talk(database, "conv_1")
    with database.write() as session:
        promote(session, "support-a", actor="ops")
    talk(database, "conv_2")
    champion, _ = measured(database, experiment)
    assert (champion.version, champion.conversations) == ("support-base", 1)


def test_no_table_that_grows_with_traffic_is_read_whole(
    sqlite: Database, assistant: Assistant
) -> None:
    experiment = started(sqlite, assistant)
    with sent(sqlite) as statements:
        measured(sqlite, experiment)
    for statement, parameters in statements:
        with sqlite.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(row[3]) for row in plan]
        whole = tuple(
            f"SCAN {table}"
            for table in ("turns", "conversations", "escalations", "flags", "outcomes")
        )
        assert [step for step in steps if step.startswith(whole)] == []


@contextmanager
def sent(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of a database within the block."""
    found: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        found.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_start_ramp_and_stop_are_told_and_kept(database: Database, assistant: Assistant) -> None:
    experiment = started(database, assistant)
    with database.write() as session:
        for share in (0.25, 0.5):
            experiments.set_shares(session, "support", {"challenger": share}, actor="U0ANN")
        experiments.stop(session, "support", actor="U0BEN")
    with database.read() as session:
        kinds = select(OutboxMessage.kind).where(OutboxMessage.subject == experiment)
        assert session.scalars(kinds.order_by(OutboxMessage.id)).all() == [
            Kind.EXPERIMENT_STARTED,
            *[Kind.EXPERIMENT_CHANGED] * 3,
        ]
        found = experiments.changes(session, experiment)
    assert [(row.action, row.actor) for row in found] == [
        ("start_experiment", "U0OLGA"),
        ("ramp_experiment", "U0ANN"),
        ("ramp_experiment", "U0ANN"),
        ("stop_experiment", "U0BEN"),
    ]


def test_an_alert_is_told_once_per_kind(database: Database, assistant: Assistant) -> None:
    experiment = started(database, assistant)
    with database.write() as session:
        for kind in (AlertKind.GUARDRAIL, AlertKind.GUARDRAIL, AlertKind.EVIDENCE):
            experiments.alert(session, experiment, kind, "More customers want a person.")
        told = select(OutboxMessage).where(OutboxMessage.kind == Kind.EXPERIMENT_ALERT)
        assert [row.payload["alert"] for row in session.scalars(told)] == ["guardrail", "evidence"]
