"""What a retraining would be made of, counted."""

from datetime import UTC, datetime, timedelta

from records import jobs, training_data, versions
from records.assistant import Assistant
from records.database import Database
from records.states import ExampleSource, ExampleState, JobState, VersionState
from records.tables import Dataset, Example, Version
from records.training_data import News
from tests.conftest import install

BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def example(
    database: Database,
    key: str,
    *,
    source: ExampleSource = ExampleSource.FLAG,
    state: ExampleState = ExampleState.APPROVED,
    days: int = 0,
    assistant: str = "support",
) -> None:
    decided = state in (ExampleState.APPROVED, ExampleState.REJECTED)
    with database.write() as session:
        session.add(
            Example(
                assistant=assistant,
                key=key,
                source=source,
                prompt=[{"role": "customer", "content": "Where is my card?"}],
                chosen="In the post.",
                state=state,
                created_by="U0ANN",
                decided_at=BEGAN + timedelta(days=days) if decided else None,
            )
        )


def test_examples_are_counted_by_source_and_by_what_becomes_of_them(database: Database) -> None:
    example(database, "a")
    example(database, "b", source=ExampleSource.REPLY)
    example(database, "c", source=ExampleSource.ACCEPTED)
    example(database, "d", state=ExampleState.PROPOSED)
    example(database, "e", state=ExampleState.REJECTED)
    example(database, "f", state=ExampleState.SUPERSEDED)
    example(database, "g", assistant="sales")
    with database.read() as session:
        found = training_data.count(session, "support")
    flag, reply, accepted = ExampleSource.FLAG, ExampleSource.REPLY, ExampleSource.ACCEPTED
    assert found.used == {flag: 1, reply: 1, accepted: 1}
    assert (found.total, found.corrections, found.new) == (3, 2, 2)
    assert (found.waiting, found.rejected, found.left_out) == (1, 1, 0)


def test_a_first_day_leaves_older_corrections_out_but_no_replay(database: Database) -> None:
    example(database, "old", days=-3)
    example(database, "new", days=1)
    example(database, "accepted", source=ExampleSource.ACCEPTED, days=-3)
    with database.read() as session:
        found = training_data.count(session, "support", since=BEGAN)
    assert found.used == {ExampleSource.FLAG: 1, ExampleSource.ACCEPTED: 1}
    assert found.left_out == 1


def test_what_is_new_was_approved_after_the_champions_dataset_was_made(
    database: Database, assistant: Assistant
) -> None:
    install(database, assistant)
    example(database, "old", days=-3)
    example(database, "new", days=1)
    with database.read() as session:
        assert training_data.count(session, "support").new == 2
    version = Version(
        id="support-a",
        assistant="support",
        base_model="some/base",
        base_hash="0" * 64,
        adapter_path="adapters/a",
        dataset_id="ds-1",
        state=VersionState.TRAINED,
    )
    dataset = Dataset(
        id="ds-1", assistant="support", content_hash="0", path="p", card={}, created_at=BEGAN
    )
    with database.write() as session:
        session.add(dataset)
        session.flush()
        versions.register(session, version)
        versions.promote(session, "support-a", actor="ops", without_evidence=True)
    with database.read() as session:
        assert training_data.count(session, "support").new == 1


def test_news_are_corrections_with_the_time_of_the_first(database: Database) -> None:
    with database.read() as session:
        assert training_data.approved_since(session, "support", None) == News(0, None)
    example(database, "old", days=-3)
    example(database, "new", days=2)
    example(database, "newer", days=4)
    example(database, "accepted", source=ExampleSource.ACCEPTED, days=1)
    with database.read() as session:
        found = training_data.approved_since(session, "support", BEGAN)
        assert found == News(2, BEGAN + timedelta(days=2))
        assert training_data.approved_since(session, "support", None).count == 3


def test_the_last_training_is_the_last_that_ended_well(database: Database) -> None:
    with database.read() as session:
        assert training_data.last_trained_at(session, "support") is None
    started = []
    for state in (JobState.SUCCEEDED, JobState.FAILED):
        with database.write() as session:
            job = jobs.request(session, "support", requested_by="U0OLGA")
            jobs.advance(session, job.id, stage="collecting examples")
            jobs.finish(session, job.id, state=state)
            started.append(job.started_at)
    with database.read() as session:
        assert training_data.last_trained_at(session, "support") == started[0]


def test_who_cancelled_a_job_is_known(database: Database) -> None:
    with database.write() as session:
        job = jobs.request(session, "support", requested_by="U0OLGA")
        assert jobs.cancelled_by(session, job.id) is None
        jobs.cancel(session, job.id, actor="U0ANN")
    with database.read() as session:
        assert jobs.cancelled_by(session, job.id) == "U0ANN"
        assert jobs.active_of(session, "support") is None
