"""The demo's stage: everything that runs, and what its acts share."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo import agents
from deploy.demo.customers import Endpoint
from deploy.demo.queries import Policy, load_policy, load_queries
from records import keys
from records.artifacts import Artifacts
from records.assistant import Assistant, pick_assistant, read_assistants
from records.database import Database
from records.settings import Settings

SLACK_MESSAGES_PER_SECOND = "100"
"""The stand-in takes this many, so that a week of tickets fits into minutes (Slack: 1)."""


@dataclass(frozen=True)
class Scale:
    """How much happens; `conversations` None asks all queries of the traffic's share."""

    conversations: int | None = None
    in_slack: int = 40
    forgetting: bool = True


@dataclass
class Stage:
    """What the acts share: where things are, who plays, what was measured."""

    console: Console
    settings: Settings
    assistant: Assistant
    database: Database
    artifacts: Artifacts
    endpoint: Endpoint
    team: agents.Team
    policy: Policy
    began: float
    figures: dict[str, Any] = field(default_factory=dict)

    def act(self, title: str, why: str) -> None:
        """Announce an act, with the time since the demo began."""
        spent = time.monotonic() - self.began
        self.console.print(f"\n[bold]{title}[/]  [dim]{spent:.0f} s[/]\n{why}")

    @contextlib.contextmanager
    def bar(self, label: str, total: int) -> Iterator[Any]:
        """A progress bar; yields a function to call for each thing done."""
        columns = (
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"), TimeElapsedColumn(),
        )  # fmt: skip
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(label, total=total, note="")
            shown = 0

            def step(note: str = "") -> None:
                nonlocal shown
                progress.update(task, advance=1, note=note)
                shown += 1
                if not self.console.is_terminal and shown % max(1, total // 5) == 0:
                    self.console.print(f"  {label}: {shown}/{total} {note}")

            yield step


@contextlib.asynccontextmanager
async def open_stage(settings: Settings, console: Console) -> AsyncIterator[Stage]:
    """Start all processes and take the stage down at the end, whatever happens."""
    from serving.settings import GatewaySettings
    from serving.supervisor import Supervisor
    from serving.up import UpSettings, check_assistants, programs, require_free_ports

    os.environ["UNDERSTUDY_STANDIN_MESSAGES_PER_SECOND"] = SLACK_MESSAGES_PER_SECOND
    os.environ["UNDERSTUDY_SLACK_MESSAGES_PER_SECOND"] = SLACK_MESSAGES_PER_SECOND
    gateway, ports = GatewaySettings.load(), UpSettings.load()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLACK_")}
    check_assistants(gateway)
    require_free_ports(gateway, ports, environment=environment)
    database = Database(settings.database)
    database.migrate()
    wanted = programs(gateway, ports, environment=environment)
    supervisor = Supervisor(wanted, logs=settings.home / "logs")
    console.print(
        f"\n[bold]1. Start[/]\nEngine (vLLM), gateway, worker, bot; logs in {settings.home}/logs"
    )
    told: set[str] = set()

    def show(found: Sequence[Any]) -> None:
        for status in found:
            if status.state == "ready" and status.name not in told:
                told.add(status.name)
                console.print(f"  {status.name} is ready")

    supervisor.start()
    try:
        await asyncio.to_thread(supervisor.wait_ready, 600, show)
        assistant = pick_assistant(read_assistants(settings.assistants), "support")
        policy = load_policy()
        standin = f"http://127.0.0.1:{ports.standin_port}"
        yield Stage(
            console=console,
            settings=settings,
            assistant=assistant,
            database=database,
            artifacts=Artifacts.of(settings),
            endpoint=Endpoint(
                url=f"http://127.0.0.1:{gateway.port}",
                key=keys.local_key(settings.home, "customer"),
                assistant=assistant.name,
            ),
            team=agents.make_team(standin, assistant.slack.channel, policy, load_queries()),
            policy=policy,
            began=time.monotonic(),
        )
    finally:
        await asyncio.to_thread(supervisor.stop)
        database.close()
