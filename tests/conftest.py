"""What every test may ask for: a database of each kind, an assistant, artifacts."""

import gc
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from sqlalchemy import URL, Engine, create_engine, event

from records import database as records_database
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.offline import go_offline
from records.states import VersionState
from records.tables import Table, Version
from records.versions import install_base

if TYPE_CHECKING:
    from tests.real_engine import RealEngine

go_offline()
gc.disable()  # until all tests are imported, of which none leaves garbage

# A busy machine must not fail a test. `quick` is for `make check`.
settings.register_profile("whole", settings(), deadline=None)
settings.register_profile("quick", settings(), deadline=None, max_examples=20)
settings.load_profile("whole")

POSTGRES_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL's server or the real engine, and what is slow.

    What imports torch, which takes seconds, comes first, so that one process runs all of it.
    """
    items.sort(key=lambda item: "tests/tuning/" not in item.nodeid)
    for item in items:
        asked = set(getattr(item, "fixturenames", ()))
        variant = getattr(getattr(item, "callspec", None), "params", {}).get("database")
        if asked & {"postgres", "postgres_url", "migrated_postgres_url"} or variant == "postgres":
            item.add_marker(pytest.mark.postgres)
        if "real_engine" in asked:
            item.add_marker(pytest.mark.alone)
        if item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """What was imported stays: it need not be looked through for garbage again and again."""
    gc.freeze()
    gc.enable()


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """Let the engines of one kind share what SQLAlchemy works out once for each: most of its time.

    Each has its own connections.
    """
    connected: dict[str, Engine] = {}

    def create(url: URL, **options: Any) -> Engine:
        engine = create_engine(url, **options)
        if shared := connected.get(url.drivername):
            engine.dialect = engine.pool._dialect = shared.dialect
            engine._compiled_cache = shared._compiled_cache
        else:
            connects = lambda *_: connected.setdefault(url.drivername, engine)  # noqa: E731
            event.listen(engine, "first_connect", connects)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_database, "create_engine", create)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throw-away PostgreSQL cluster, from Debian's programs."""
    if not POSTGRES_FOLDERS:
        reason = "PostgreSQL's server programs are not installed (Debian: postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; with CI=true nothing is skipped")
        pytest.skip(reason)
    programs = POSTGRES_FOLDERS[-1]
    folder = Path(tempfile.mkdtemp(prefix="understudy-postgres-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
    log = str(folder / "log")
    run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-l", log, "-w", "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_url: str) -> str:
    """The throw-away cluster's database, migrated once."""
    store = Database(postgres_url)
    store.migrate()
    store.close()
    return postgres_url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "understudy.db"
    store = Database(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty, migrated database; each test that asks for it runs on both kinds."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def postgres(migrated_postgres_url: str) -> Iterator[Database]:
    """An empty, migrated PostgreSQL database, for what SQLite has no like of."""
    store = Database(migrated_postgres_url)
    _empty(store)
    yield store
    store.close()


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database, for tests whose subject isn't the database."""
    path = tmp_path / "understudy.db"
    shutil.copy(migrated_sqlite, path)
    store = Database(f"sqlite:///{path}")
    event.listen(store.engine, "connect", _unsynced)
    yield store
    store.close()


def _unsynced(connection: Any, _record: Any) -> None:
    """No test cuts the power: the disk need not be waited for."""
    connection.execute("PRAGMA synchronous=OFF")


def _empty(store: Database) -> None:
    # Faster than TRUNCATE, which makes new files for each table.
    emptied = [f"DELETE FROM {table.name}" for table in Table.metadata.sorted_tables]
    restarted = "SELECT setval(c.oid, 1, false) FROM pg_class c WHERE c.relkind = 'S'"
    unchecked = "SET LOCAL session_replication_role = replica"
    with store.engine.begin() as connection:
        connection.exec_driver_sql(";".join([unchecked, *emptied, restarted]))


@pytest.fixture
def assistant() -> Assistant:
    """A small assistant whose base model is only a name."""
    return Assistant(
        name="support",
        system_prompt="You are the support assistant of Alder Bank.",
        base_model="some/base",
        handoff_sentence="A colleague will reply here.",
    )


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    """An artifact store in a folder."""
    return Artifacts(str(tmp_path / "artifacts"), cache=tmp_path / "cache")


def install(store: Database, assistant: Assistant) -> Version:
    """Make the bare base the champion, as the gateway does when it starts."""
    version = Version(
        id=assistant.base_version,
        assistant=assistant.name,
        base_model=assistant.base_model,
        base_hash="0" * 64,
        state=VersionState.TRAINED,
    )
    with store.write() as session:
        install_base(session, version)
    return version


@pytest.fixture(scope="session")
def real_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator["RealEngine"]:
    """One real vLLM for all slow tests, on a copy of the bundled base model."""
    from tests.real_engine import start_engine

    engine = start_engine(tmp_path_factory.mktemp("engine"), port=free_port())
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def engine_url(real_engine: "RealEngine") -> str:
    """Where the real vLLM listens; it serves the base as `support-base`."""
    return real_engine.url
