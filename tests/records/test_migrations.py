"""The migrations build exactly the tables that the code declares."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from records.database import Database
from records.tables import Arm, Outcome, Table


def test_migrated_tables_are_the_declared_ones(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Table.metadata) == []


def test_outcomes_of_the_first_form_keep_their_conversation_and_its_customer(
    tmp_path: Path,
) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", "records/migrations")
    with old.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO conversations (id, assistant, customer, state, created_at) "
            "VALUES ('c1', 'support', 'ann', 'open', '2026-01-02 03:04:05')"
        )
        connection.exec_driver_sql(
            "INSERT INTO outcomes (key, conversation_id, metric, value, created_at) "
            "VALUES ('k', 'c1', 'csat', 4, '2026-01-02 03:04:05')"
        )
    old.migrate()
    with old.read() as session:
        kept = session.query(Outcome).one()
    assert (kept.assistant, kept.conversation_id, kept.customer) == ("support", "c1", "ann")
    assert kept.occurred_at == kept.created_at
    old.close()


def test_arms_of_the_first_form_keep_their_customers(tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", "records/migrations")
    with old.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO versions "
            "(id, assistant, base_model, base_hash, state, manifest, created_at) "
            "VALUES ('v', 'support', 'b', 'h', 'trained', '{}', '2026-01-02 03:04:05')"
        )
        connection.exec_driver_sql(
            "INSERT INTO experiments (id, assistant, state, started_by, started_at) "
            "VALUES ('e', 'support', 'running', 'ann', '2026-01-02 03:04:05')"
        )
        for position, share in enumerate((0.1, 0.2, 0.3)):
            connection.exec_driver_sql(
                "INSERT INTO arms (experiment_id, position, name, version, share) "
                f"VALUES ('e', {position}, 'arm{position}', 'v', {share})"
            )
    old.migrate()
    with old.read() as session:
        spans = [arm.spans for arm in session.query(Arm).order_by(Arm.position)]
    assert spans == [[[0, 100_000]], [[800_000, 1_000_000]], [[100_000, 400_000]]]
    old.close()
