"""Keeping processes: ready, restarted on any exit, stopped cleanly, never left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from records.cli import understudy
from records.errors import ConfigurationError, Conflict
from serving.settings import GatewaySettings
from serving.supervisor import Program, StartFailed, State, Supervisor, file_ready, http_ready
from serving.up import (
    UpSettings,
    check_assistants,
    only_up,
    programs,
    require_free_ports,
    what_next,
)
from tests.conftest import free_port

SLEEP = "import os, pathlib, time, sys; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); "


def sleeper(folder: Path, name: str = "sleeper", code: str = "time.sleep(600)") -> Program:
    mark = folder / f"{name}.pid"
    return Program(name, (sys.executable, "-c", SLEEP + code, str(mark)), file_ready(mark))


@contextmanager
def supervised(folder: Path, *wanted: Program, **options: Any) -> Iterator[Supervisor]:
    supervisor = Supervisor(wanted, logs=folder / "logs", **options)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def wait_for(condition: Callable[[], Any], *, seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)
    return value


def test_all_are_waited_for_and_stopped(tmp_path: Path) -> None:
    seen = []
    with supervised(tmp_path, sleeper(tmp_path, "a"), sleeper(tmp_path, "b")) as supervisor:
        supervisor.wait_ready(15, seen.append)
        pids = [status.pid for status in supervisor.status()]
        assert {s.state for s in seen[-1]} == {State.READY}
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert {status.state for status in supervisor.status()} == {State.STOPPED}


@pytest.mark.parametrize("ending", ["kill", "restart"])
def test_what_ends_is_started_again(tmp_path: Path, ending: str) -> None:
    with supervised(tmp_path, sleeper(tmp_path)) as supervisor:
        supervisor.wait_ready(15)
        old = getattr(supervisor, ending)("sleeper")
        supervisor.wait_ready(15)
        (status,) = supervisor.status()
        assert status.pid != old
        assert status.restarts == 1


def test_an_exit_with_status_0_is_a_death_too_and_pauses_grow(tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = f"open({str(count)!r}, 'a').write('x')"
    with supervised(tmp_path, sleeper(tmp_path, code=code)):
        wait_for(lambda: count.exists() and len(count.read_text()) >= 2)


def test_one_that_is_deaf_to_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = sleeper(
        tmp_path, code="import signal; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    )
    with supervised(tmp_path, deaf, patience_seconds=0.2) as supervisor:
        supervisor.wait_ready(15)
        (status,) = supervisor.status()
    assert not psutil.pid_exists(status.pid or 0)


def test_what_does_not_get_ready_is_named_with_its_log(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import time; print('why', flush=True); time.sleep(600)")
    never = Program("never", command, http_ready(f"http://127.0.0.1:{free_port()}/"))
    with supervised(tmp_path, never) as supervisor:
        log = tmp_path / "logs" / "never.log"
        wait_for(lambda: log.exists() and log.read_text() == "why\n")
        with pytest.raises(StartFailed, match=r"never is starting .*never\.log"):
            supervisor.wait_ready(0.3)


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from serving.supervisor import Supervisor, Program, file_ready
mark = Path({str(tmp_path)!r}) / "pid"
code = {SLEEP + "time.sleep(600)"!r}
s = Supervisor([Program("x", (sys.executable, "-c", code, str(mark)), file_ready(mark))],
               logs=mark.parent)
s.start()
s.wait_ready(15)
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        mark = tmp_path / "pid"
        pid = int(wait_for(lambda: mark.exists() and mark.read_text()))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")


def settings(tmp_path: Path, **more: Any) -> GatewaySettings:
    return GatewaySettings(home=tmp_path, **more)


def names(tmp_path: Path, environment: dict[str, str], **more: Any) -> list[str]:
    found = programs(settings(tmp_path, **more), UpSettings(), environment=environment)
    return [program.name for program in found]


def test_what_is_started_depends_on_what_is_there_already(tmp_path: Path) -> None:
    slack = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}
    assert names(tmp_path, {}) == ["engine", "gateway", "worker", "slack", "bot"]
    assert names(tmp_path, slack) == ["engine", "gateway", "worker", "bot"]
    named = names(tmp_path, slack, engine_urls="http://gpu:8000")
    assert named == ["gateway", "worker", "bot"]


def test_bot_and_stand_in_share_one_secret(tmp_path: Path) -> None:
    found = programs(settings(tmp_path), UpSettings(), environment={})
    environments = {p.name: p.environment for p in found}
    assert environments["bot"] == environments["slack"]
    assert environments["bot"]["SLACK_API_URL"] == "http://127.0.0.1:3001/api/"
    assert environments["bot"]["SLACK_SIGNING_SECRET"]


def test_the_next_step_is_a_line_to_copy(tmp_path: Path, assistant: Any) -> None:
    (tmp_path / "a.yaml").write_text("name: support\nsystem_prompt: x\nbase_model: some/base\n")
    told = what_next(settings(tmp_path, assistants=tmp_path), UpSettings(), environment={})
    assert "curl http://127.0.0.1:8000/v1/chat/completions" in told
    assert str(tmp_path / "customer.key") in told
    assert '"model": "support"' in told
    assert os.sep in told


def test_a_taken_port_is_named_before_anything_is_started() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = int(other.getsockname()[1])
        gateway = GatewaySettings(port=taken, engine_port=free_port())
        ports = UpSettings(bot_port=free_port(), standin_port=free_port())
        with pytest.raises(ConfigurationError, match=f"Port {taken} is taken.*UNDERSTUDY_PORT"):
            require_free_ports(gateway, ports, environment={})


BASED = "system_prompt: x\nbase_model: {base}\n"


def test_assistants_that_cannot_be_served_are_named_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = Path(__file__).parents[2] / "deploy" / "demo" / "base"
    home, folder = tmp_path / "home", tmp_path / "assistants"
    monkeypatch.setenv("UNDERSTUDY_HOME", str(home))
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(folder))

    def refused(*bases: object) -> str:
        for number, base in enumerate(bases):
            text = f"name: a{number}\n{BASED.format(base=base)}"
            (folder / f"{number}.yaml").write_text(text)
        result = CliRunner().invoke(understudy, ["up"])
        assert isinstance(result.exception, ConfigurationError), result.output
        assert not home.exists()
        return str(result.exception)

    assert "No assistant in" in refused()
    folder.mkdir()
    assert "is missing" in refused(tmp_path / "nothing")
    assert "config.json is missing" in refused("./nothing")
    assert "hf download nobody/nothing" in refused("nobody/nothing")
    assert "One engine serves one base model" in refused(bundled, "other/base")
    (folder / "0.yaml").write_text("name: [")
    assert "0.yaml cannot be read" in refused()


def test_assistants_that_can_be_served_pass(tmp_path: Path) -> None:
    bundled = Path(__file__).parents[2] / "deploy" / "demo" / "base"
    (tmp_path / "a.yaml").write_text(f"name: a\n{BASED.format(base=bundled)}")
    check_assistants(settings(tmp_path, assistants=tmp_path))
    (tmp_path / "b.yaml").write_text(f"name: b\n{BASED.format(base='other/base')}")
    check_assistants(settings(tmp_path, assistants=tmp_path, engine_urls="http://gpu:8000"))


def test_one_home_has_one_up(tmp_path: Path) -> None:
    with only_up(tmp_path), pytest.raises(Conflict, match="Another `understudy up` runs"):
        only_up(tmp_path)
    only_up(tmp_path).close()
