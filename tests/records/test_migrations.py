"""The migrations build exactly the tables that the code declares."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from records.database import Database
from records.tables import Outcome, Table


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
