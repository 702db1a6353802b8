"""The database: SQLite in WAL mode or PostgreSQL, one way to read and one way to write.

Writers take SQLite's write lock when they begin, so that a transaction never fails half-way
because another one wrote in between.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum, unique
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.orm import Session

from records.errors import (
    ConfigurationError,
    StorageFull,
    StorageUnavailable,
    UnderstudyError,
)
from records.settings import make_folder

_PATIENCE = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""libpq's, in seconds and milliseconds: a server that is gone must not hold anybody for minutes."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_WAIT_SECONDS = 30


@unique
class AdvisoryLock(IntEnum):
    """Every advisory lock taken on PostgreSQL, in one place: two of one number shut each other out.

    The numbers are shared by all programs on one database; ours begin at an arbitrary one.
    """

    MIGRATION = 720_411
    OUTBOX = 720_412
    """Held by the bot that sends the outbox."""
    WORKER = 720_413
    """Held by the one worker."""
    ASSISTANT = 720_414
    """A class of locks: one for each assistant, by the hash of its name."""


class Database:
    """Sessions on one database. Threads may share it; forked processes may not."""

    def __init__(self, url: str, *, lock_wait_seconds: float = _LOCK_WAIT_SECONDS) -> None:
        """Connect lazily to `url`, an SQLAlchemy URL (`postgresql://` means psycopg).

        Raises:
            ConfigurationError: not a URL of SQLite or PostgreSQL, or a folder that cannot be made.
        """
        parsed = _parsed(url)
        self.lock_wait_seconds = lock_wait_seconds
        """On SQLite it may be changed at any time; the next transaction keeps to it."""
        self.url = parsed.render_as_string(hide_password=False)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                make_folder(Path(parsed.database).parent)
                _make_private(Path(parsed.database))
            self.engine = create_engine(
                parsed, hide_parameters=True, connect_args={"timeout": lock_wait_seconds}
            )
            _use_wal(self.engine, lambda: self.lock_wait_seconds)
        else:
            waiting = {"options": f"-c lock_timeout={int(lock_wait_seconds * 1000)}"}
            self.engine = create_engine(
                parsed,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={**_PATIENCE, **waiting},
            )
        # Parameters are hidden from errors, which are logged: they are customers' words.
        self._reading = self.engine.execution_options(understudy_reading=True)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose block is one transaction: committed at its end, or rolled back.

        Raises:
            StorageFull, StorageUnavailable: translated from the driver's errors.
        """
        with (
            _translated(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A bare connection whose block is one transaction, where a session would cost too much.

        Raises:
            StorageFull, StorageUnavailable: translated from the driver's errors.
        """
        with _translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; what it loads stays usable after the block."""
        with _translated(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest form; safe to call from several processes at once."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with _translated(), self.engine.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SET LOCAL lock_timeout = 0")  # it may take long
                query = f"SELECT pg_advisory_xact_lock({AdvisoryLock.MIGRATION:d})"
                connection.exec_driver_sql(query)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Give all connections back; one that is in use is closed when it comes back."""
        pool = self.engine.pool
        self.engine.dispose()
        event.listen(pool, "checkin", _close)


def _close(connection: Any, _: object) -> None:
    if connection is not None:  # else it was given up already
        connection.close()


def lock_assistant(session: Session, assistant: str) -> None:
    """Let no other transaction change what an assistant serves or trains until this one ends.

    To be called before reading what the change depends on; calling it again is harmless. On SQLite
    it has nothing to do: a writer holds the write lock from its first statement.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = func.hashtext(assistant)
        session.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.ASSISTANT.value, number)))


_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def _parsed(url: str) -> URL:
    """The URL with our driver. It is never quoted in an error: it may hold a password."""
    remedy = (
        "Set it to sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME, or leave it out for a "
        "file in the home folder."
    )
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise ConfigurationError(f"UNDERSTUDY_DATABASE_URL is not a URL. {remedy}") from error
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise ConfigurationError(
            f"UNDERSTUDY_DATABASE_URL: {parsed.drivername} is not supported. {remedy}"
        )
    return parsed.set(drivername=driver)


def _make_private(file: Path) -> None:
    """Let nobody else read a new file, in whatever folder: it holds people's words and tokens.

    SQLite gives what it puts beside it the same rights.
    """
    with suppress(OSError):  # it is there; or it can't be made, as SQLite will say
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _use_wal(engine: Engine, lock_wait_seconds: Callable[[], float]) -> None:
    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction control is off: we begin explicitly, below.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wait = int(lock_wait_seconds() * 1000)
        if connection.info.get("busy_timeout") != wait:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait}")
            connection.info["busy_timeout"] = wait
        reading = connection.get_execution_options().get("understudy_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


_FULL = ("disk is full", "disk i/o error", "no space left", "could not extend file")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's operational errors into ours; leave programming errors alone."""
    try:
        yield
    except UnderstudyError:
        raise
    except (OperationalError, InterfaceError) as error:
        raise storage_error(error) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise  # its subclasses tell of a mistake of ours
        raise storage_error(error) from error  # SQLite: the file is not a database, or is damaged
    except OSError as error:
        if error.errno == 28:
            raise StorageFull(f"No space is left: {os.strerror(28)}.") from error
        raise


def storage_error(error: DBAPIError) -> UnderstudyError:
    """Our error for a failed statement: full, or not available."""
    detail = str(error.orig).splitlines()[0] if error.orig else type(error).__name__
    if any(sign in detail.lower() for sign in _FULL):
        return StorageFull(f"The database has no space left ({detail}). Free some, then try again.")
    if "not a database" in detail:
        return StorageUnavailable(
            f"The database's file holds something else ({detail}). Move it away, or restore a "
            "backup in its place."
        )
    return StorageUnavailable(f"The database cannot be used now ({detail}).")
