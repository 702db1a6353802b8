"""One way to write: all of a block or nothing of it, on both databases."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from records import audit, keys
from records.database import Database
from records.errors import StorageFull, UnderstudyError
from records.states import KeyScope
from records.tables import Audit


def test_migrating_twice_and_at_once_is_migrating_once(database: Database) -> None:
    threads = [threading.Thread(target=database.migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalars(select(Audit)).all() == []


def test_a_new_database_file_is_readable_by_nobody_else(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with database.write() as session:
        session.execute(text("CREATE TABLE secrets (token TEXT)"))
        modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    database.close()
    assert modes == {"new.db": 0, "new.db-wal": 0, "new.db-shm": 0}


def test_a_failing_block_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        audit.note(session, actor="a", action="b", subject="c")
        session.flush()
        _ = 1 / 0
    with database.read() as session:
        assert session.scalars(select(Audit)).all() == []


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_audit_log_cannot_be_changed(database: Database, statement: str) -> None:
    with database.write() as session:
        audit.note(session, actor="a", action="b", subject="c")
    with pytest.raises((DBAPIError, UnderstudyError), match="append-only"), database.write() as s:
        s.connection().exec_driver_sql(statement)


def test_writers_on_several_threads_wait_for_each_other(database: Database) -> None:
    def work() -> None:
        for _ in range(20):
            with database.write() as session:
                audit.note(session, actor="a", action="b", subject="c")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert len(session.scalars(select(Audit)).all()) == 80


def test_a_full_sqlite_says_so_and_keeps_what_it_had(sqlite: Database) -> None:
    with sqlite.write() as session:
        audit.note(session, actor="before", action="b", subject="c")
    with pytest.raises(StorageFull, match="no space"), sqlite.write() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for _ in range(1000):
            audit.note(session, actor="x" * 60, action="b" * 60, subject="c" * 100)
        session.flush()
    with sqlite.read() as session:
        assert session.scalars(select(Audit.actor)).all() == ["before"]


def test_a_key_is_known_until_it_is_revoked(database: Database) -> None:
    with database.write() as session:
        key = keys.create(session, name="shop", scope=KeyScope.CUSTOMER, actor="ops")
    with database.write() as session:
        found = keys.find(session, key)
        assert found is not None
        assert found.scope is KeyScope.CUSTOMER
        assert keys.find(session, key + "x") is None


def test_a_connection_in_use_while_all_is_closed_is_closed_when_it_comes_back(
    migrated_postgres_url: str,
) -> None:
    store = Database(migrated_postgres_url)
    with store.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        store.close()
    assert raw is not None
    assert raw.closed  # type: ignore[attr-defined]
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    store.close()
