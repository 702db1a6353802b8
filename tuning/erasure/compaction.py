"""Taking what was erased out of the database's own files.

A row that is changed or deleted leaves its old bytes behind. On SQLite, VACUUM writes the file anew
without them, and a checkpoint that truncates empties the write-ahead log. On PostgreSQL, VACUUM
gives the space of old rows free to be written over; until then, and in its write-ahead log and
backups, the bytes stay (see docs/erasure.md).
"""

import sqlite3
from collections.abc import Sequence

from sqlalchemy import text

from records.database import Database

TABLES = (
    "conversations", "turns", "escalations", "flags", "fixes", "shadow_answers", "outcomes",
    "examples", "doubts", "answers", "datasets", "versions", "reports", "outbox",
)  # fmt: skip
"""All tables that held words."""


def compact(database: Database) -> str | None:
    """Take old bytes out; returns what is in the way, in a sentence, where something is."""
    if database.is_sqlite:
        return _sqlite(database)
    _postgres(database, TABLES)
    return None


def _sqlite(database: Database) -> str | None:
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = cursor.fetchone() or (1, 0, 0)
        cursor.close()
    except sqlite3.OperationalError as error:
        return (
            f"The database's file could not be written anew ({error}), so it still holds old "
            "bytes. Free as much space as it takes, or stop what uses it, then run this again."
        )
    finally:
        connection.close()
    if busy:
        return (
            "Somebody reads the database just now, so its write-ahead log still holds old bytes. "
            "Run this again in a moment."
        )
    return None


def _postgres(database: Database, tables: Sequence[str]) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in tables:
            connection.execute(text(f"VACUUM {table}"))
