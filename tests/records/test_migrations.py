"""The migrations build exactly the tables that the code declares."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from records.database import Database
from records.tables import Table


def test_migrated_tables_are_the_declared_ones(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Table.metadata) == []
