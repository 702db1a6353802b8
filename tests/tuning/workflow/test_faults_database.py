"""The database away for some seconds, in each step: the job waits for it, and ends as it would."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from records.artifacts import Artifacts
from records.database import Database
from records.states import JobState
from records.tables import Dataset, Report, Version
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.workflow.test_durable import count, ended, request, running, wait_for
from tests.tuning.workflow.test_faults import STEPS, around_steps, messages, stages, write_cases
from tuning.settings import WorkerSettings
from tuning.workflow.stages import Stage

pytestmark = pytest.mark.slow
AWAY_SECONDS = 3.0


class Line:
    """A line to a server that can be cut for a while: a relay on loopback."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listening: socket.socket | None = None
        self._pairs: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listen(0)
        assert self._listening is not None
        self.port = self._listening.getsockname()[1]
        self._timers: list[threading.Timer] = []
        self.cuts = 0

    def cut(self, seconds: float) -> None:
        """Refuse and end all connections for so long."""
        self.cuts += 1
        self._hang_up()
        timer = threading.Timer(seconds, self._listen, [self.port])
        self._timers.append(timer)
        timer.start()

    def is_open(self) -> bool:
        return self._listening is not None

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._hang_up()

    def _hang_up(self) -> None:
        with self._lock:
            listening, self._listening = self._listening, None
            ended, self._pairs = self._pairs, []
        for one in (listening, *ended):
            if one is not None:
                one.close()

    def _listen(self, port: int) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(50)
        with self._lock:
            self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            with self._lock:
                if self._listening is not listening:
                    client.close()
                    server.close()
                    return
                self._pairs += [client, server]
            threading.Thread(target=_relay, args=(client, server), daemon=True).start()


def _relay(client: socket.socket, server: socket.socket) -> None:
    other = {client: server, server: client}
    try:
        while True:
            for one in select.select([client, server], [], [], 0.2)[0]:
                said = one.recv(65536)
                if not said:
                    return
                other[one].sendall(said)
    except (OSError, ValueError):  # cut
        return
    finally:
        client.close()
        server.close()


@pytest.fixture
def line(postgres: Database) -> Iterator[Line]:
    """The line to PostgreSQL, whose records are empty."""
    url = make_url(postgres.url)
    relay = Line(url.host or "127.0.0.1", url.port or 5432)
    yield relay
    relay.close()


@pytest.fixture
def far(postgres: Database, line: Line) -> Iterator[Database]:
    """The records at the end of that line."""
    url = make_url(postgres.url).set(host="127.0.0.1", port=line.port)
    database = Database(url.render_as_string(hide_password=False))
    yield database
    database.close()


def test_each_step_waits_for_a_database_that_is_away(
    settings: WorkerSettings,
    postgres: Database,
    far: Database,
    line: Line,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_assistant(settings.assistants, cases=write_cases(settings.home / "cases.jsonl"))
    teach(postgres, lessons(12))
    told = stages(monkeypatch)

    def cut(attempt: Callable[[], Any], name: str) -> Any:
        line.cut(AWAY_SECONDS)
        return attempt()

    around_steps(monkeypatch, cut)
    with running(settings.model_copy(update={"database_url": far.url}), far, shelf):
        job = ended(postgres, request(postgres), seconds=180)
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert line.cuts == len(STEPS)
    assert (count(postgres, Dataset), count(postgres, Version), count(postgres, Report)) == (
        1,
        2,
        1,
    )
    assert messages(postgres)["report_ready"] == messages(postgres)["job_started"] == 1
    assert Stage.EVALUATING in told


def test_a_worker_that_stops_while_the_database_is_away_leaves_the_job_to_the_next(
    settings: WorkerSettings,
    postgres: Database,
    far: Database,
    line: Line,
    shelf: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    teach(postgres, lessons(12))
    gone = threading.Event()

    def cut(attempt: Callable[[], Any], name: str) -> Any:
        if name == "prove" and not gone.is_set():
            line.cut(6.0)
            gone.set()
        return attempt()

    around_steps(monkeypatch, cut)
    update = {"database_url": far.url, "storage_wait_seconds": 60.0}
    with running(settings.model_copy(update=update), far, shelf) as worker:
        job_id = request(postgres)
        gone.wait(60)
        worker.stopping.set()
    wait_for(line.is_open)
    with running(settings.model_copy(update=update), far, shelf):
        job = ended(postgres, job_id, seconds=120)
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
