"""Which of several bots on one database sends the outbox: the one that holds the lock.

The lock is the operating system's or PostgreSQL's, so that it ends with its process.
"""

import contextlib
import fcntl
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from records.database import AdvisoryLock, Database

_LOCK = AdvisoryLock.OUTBOX


class Leadership:
    """A lock on the outbox of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: IO[str] | None = None
        self._connection: Connection | None = None

    def holds(self) -> bool:
        """Take the lock if it is free, and say whether we have it; never waits."""
        if self._database.is_sqlite:
            return self._holds_file()
        return self._holds_connection()

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            with contextlib.suppress(SQLAlchemyError):  # a broken connection can't even be asked
                self._connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK:d})"))
            with contextlib.suppress(SQLAlchemyError):
                self._connection.invalidate()  # whatever happened, the lock ends with its session
                self._connection.close()
            self._connection = None

    def _holds_file(self) -> bool:
        if self._file is not None:
            return True
        path = Path(f"{make_url(self._database.url).database}.outbox-lock")
        file = path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _holds_connection(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            connection = self._database.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
            if connection.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK:d})")):
                self._connection = connection
                return True
            connection.close()
        except SQLAlchemyError:
            self.release()
        return False
