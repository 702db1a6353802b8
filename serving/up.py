"""`understudy up`: everything on this machine, under one supervisor, with one line for each."""

import fcntl
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from records.errors import ConfigurationError, Conflict
from records.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table

    from serving.settings import GatewaySettings
    from serving.supervisor import Program, Status

_READY_SECONDS = 600
_UNDERSTUDY = (sys.executable, "-m", "records.cli")


class UpSettings(Settings):
    """Ports of what `up` starts beside the gateway."""

    bot_port: int = 3000
    standin_port: int = 3001


def programs(
    gateway: "GatewaySettings", settings: UpSettings, *, environment: Mapping[str, str]
) -> list["Program"]:
    """What is to run: an engine unless some are named, and a stand-in where Slack is not set."""
    from serving.supervisor import Program, file_ready, http_ready

    shared = slack_environment(settings, environment=environment)
    standing_in = "SLACK_API_URL" in shared

    def program(name: str, ready: object, *, command: str | None = None) -> Program:
        return Program(name, (*_UNDERSTUDY, command or name), ready, shared)  # type: ignore[arg-type]

    found = []
    if gateway.own_engine:
        health = f"http://127.0.0.1:{gateway.engine_port}/health"
        found.append(program("engine", http_ready(health)))
    host = "127.0.0.1" if gateway.host in ("0.0.0.0", "::") else gateway.host  # noqa: S104
    found.append(
        program(
            "gateway", http_ready(f"http://{host}:{gateway.port}/health/ready"), command="serve"
        )
    )
    found.append(program("worker", file_ready(gateway.home / "worker.ready")))
    if standing_in:
        standin = f"http://127.0.0.1:{settings.standin_port}/health"
        found.append(program("slack", http_ready(standin)))
    found.append(program("bot", http_ready(f"http://127.0.0.1:{settings.bot_port}/health")))
    return found


def only_up(home: Path) -> TextIO:
    """Hold a home folder for one `up` until the file that is returned is closed.

    Raises:
        Conflict: another one holds it.
    """
    held = (home / "up.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise Conflict(f"Another `understudy up` runs on {home}; stop it first.") from error
    return held


def require_free_ports(
    gateway: "GatewaySettings", settings: UpSettings, *, environment: Mapping[str, str]
) -> None:
    """See that nobody else answers where our processes are to listen.

    Raises:
        ConfigurationError: a port is taken; with the setting that changes it.
    """
    wanted = {"UNDERSTUDY_PORT": gateway.port, "UNDERSTUDY_BOT_PORT": settings.bot_port}
    if gateway.own_engine:
        wanted["UNDERSTUDY_ENGINE_PORT"] = gateway.engine_port
    if slack_environment(settings, environment=environment):
        wanted["UNDERSTUDY_STANDIN_PORT"] = settings.standin_port
    for name, port in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ConfigurationError(
                    f"Port {port} is taken, perhaps by another `understudy up`. Stop what listens "
                    f"there, or set {name} to another port."
                ) from error


def check_assistants(gateway: "GatewaySettings") -> None:
    """See that the assistants can be served, before processes would fail at it again and again.

    Raises:
        ConfigurationError: a file or a base model that needs mending.
    """
    from records.adapters import base_hash
    from records.assistant import read_assistants
    from serving.engine_process import engine_command, engine_uses_gpu

    assistants = list(read_assistants(gateway.assistants).values())
    if gateway.own_engine:
        engine_command(assistants, port=gateway.engine_port, gpu=engine_uses_gpu(), cores=1)
        _require_engine_for(assistants[0].base_model)
    for assistant in assistants:
        base_hash(assistant.base_model)


def _require_engine_for(base: str) -> None:
    """An engine of our own needs vLLM and, being offline, a base model on this machine."""
    if find_spec("vllm") is None:
        raise ConfigurationError(
            "The engine (vLLM) is not installed here. Run `make install`, or name a running one "
            "in UNDERSTUDY_ENGINE_URLS."
        )
    from huggingface_hub.constants import HF_HUB_CACHE, HF_HUB_OFFLINE

    kept = Path(HF_HUB_CACHE) / f"models--{base.replace('/', '--')}"
    if HF_HUB_OFFLINE and "://" not in base and not Path(base).is_dir() and not kept.is_dir():
        raise ConfigurationError(
            f"The base model {base} is neither a folder beside the assistant's file nor in "
            f"{HF_HUB_CACHE}, and nothing is downloaded by itself. Fetch it (hf download {base}), "
            "or start once with HF_HUB_OFFLINE=0 and TRANSFORMERS_OFFLINE=0."
        )


def slack_environment(settings: UpSettings, *, environment: Mapping[str, str]) -> dict[str, str]:
    """What the stand-in for Slack and its users must agree upon; empty with a real Slack."""
    real = ("SLACK_BOT_TOKEN", "UNDERSTUDY_SLACK_CLIENT_ID", "SLACK_CLIENT_ID")
    if any(environment.get(name) for name in real):
        return {}
    return {
        "SLACK_API_URL": f"http://127.0.0.1:{settings.standin_port}/api/",
        "SLACK_BOT_TOKEN": "xoxb-standin",
        "SLACK_SIGNING_SECRET": environment.get("SLACK_SIGNING_SECRET") or secrets.token_hex(16),
        "SLACK_APP_TOKEN": "",
        "UNDERSTUDY_STANDIN_BOT_URL": f"http://127.0.0.1:{settings.bot_port}/slack/events",
    }


@click.command()
def up() -> None:
    """Start everything on this machine: engine, gateway, worker, bot. Ctrl-C stops it all.

    Without SLACK_BOT_TOKEN a stand-in for Slack is started too; with UNDERSTUDY_ENGINE_URLS no
    engine is started. Logs lie in <home>/logs.
    """
    import signal

    from records.database import Database
    from serving.settings import GatewaySettings
    from serving.supervisor import Supervisor

    gateway, settings = GatewaySettings.load(), UpSettings.load()
    check_assistants(gateway)
    require_free_ports(gateway, settings, environment=os.environ)
    database = Database(gateway.database)
    database.migrate()
    database.close()
    holding = only_up(gateway.home)
    (gateway.home / "worker.ready").unlink(missing_ok=True)
    wanted = programs(gateway, settings, environment=os.environ)
    supervisor = Supervisor(wanted, logs=gateway.home / "logs")

    def terminate(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):  # a shell may have set SIGINT to be ignored
        signal.signal(number, terminate)
    click.echo(f"State: {gateway.home}. Logs: {gateway.home / 'logs'}. Ctrl-C stops everything.")
    try:
        supervisor.start()
        with _Screen() as screen:
            supervisor.wait_ready(_READY_SECONDS, screen.show)
            screen.note(what_next(gateway, settings, environment=os.environ))
            while True:
                screen.show(supervisor.status())
                signal.sigtimedwait([], 1)
    except KeyboardInterrupt:
        click.echo("Stopping ...")
    finally:
        supervisor.stop()
        holding.close()
    click.echo("All stopped. `understudy up` continues from here.")


def what_next(
    gateway: "GatewaySettings", settings: UpSettings, *, environment: Mapping[str, str]
) -> str:
    """What to do once everything is ready."""
    from records.assistant import read_assistants

    name = next(iter(read_assistants(gateway.assistants)))
    url = f"http://{gateway.host}:{gateway.port}"
    key = gateway.home / "customer.key"
    lines = [
        "Everything is ready. Ask something:",
        f'  curl {url}/v1/chat/completions -H "Authorization: Bearer $(cat {key})" \\',
        "    -H 'Content-Type: application/json' -d "
        f'\'{{"model": "{name}", "messages": [{{"role": "user", '
        '"content": "My card has not arrived"}]}\'',
        f"Admin key: {gateway.home / 'admin.key'}",
    ]
    if slack_environment(settings, environment=environment):
        lines.append(
            f"The support team's Slack (a stand-in): http://127.0.0.1:{settings.standin_port}"
        )
    return "\n".join(lines)


class _Screen:
    """One line per process: kept up to date on a terminal, told when it changes elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._told: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> "_Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def note(self, text: str) -> None:
        """Print lines that stay."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, found: "list[Status]") -> None:
        """Show how each process is."""
        if self._console.is_terminal:
            self._live.update(_table(found))
            return
        for status in found:
            now = (str(status.state), status.restarts)
            if self._told.get(status.name) != now:
                self._told[status.name] = now
                self.note(f"{status.name}: {status.state}{_details(status)}")


def _table(found: "list[Status]") -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    colours = {"ready": "green", "starting": "yellow", "waiting to restart": "red"}
    for status in found:
        state = f"[{colours.get(status.state, 'dim')}]{status.state}[/]"
        table.add_row(status.name, state, f"{status.seconds:.0f} s", _details(status).strip())
    return table


def _details(status: "Status") -> str:
    pid = f" pid {status.pid}" if status.pid else ""
    again = f", restarted {status.restarts}×" if status.restarts else ""
    return f"{pid}{again}"
