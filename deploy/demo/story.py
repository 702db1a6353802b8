"""The demo's acts, in order. Each prints what it does and why, and adds to the figures."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from deploy.demo import agents, figures
from deploy.demo.customers import Endpoint, Served, ask_all, say_how_it_went
from deploy.demo.queries import Part, Policy, Query, load_policy, load_queries
from records import jobs, keys
from records.artifacts import Artifacts
from records.assistant import Assistant, pick_assistant, read_assistants
from records.database import Database
from records.errors import UnderstudyError
from records.settings import Settings
from records.states import JobState, Verdict
from records.tables import Escalation, Job, Report

SLACK_MESSAGES_PER_SECOND = "100"
"""The stand-in takes this many, so that a week of tickets fits into minutes (Slack: 1)."""
_POLL_SECONDS = 0.5
_NEWS_SECONDS = 20
"""How often a job's progress is printed where no line can be overwritten."""


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


def _console() -> Console:
    """The terminal, or a hundred columns where the output goes elsewhere."""
    console = Console()
    return console if console.is_terminal else Console(width=100)


async def tell(scale: Scale, *, began: float) -> None:
    """Run all acts; state and figures stay in the home folder."""
    settings = Settings.load()
    console = _console()
    console.print(
        "[bold]Understudy: a support assistant that learns from its escalations.[/]\n"
        "The customers' queries are real (Banking77). The support agents are simulated: what they "
        "correct comes from the policy of an invented bank. Slack is a stand-in; every other part "
        "is the real one."
    )
    async with _everything(settings, console) as stage:
        stage.began = began
        queries = _traffic(load_queries(), scale.conversations)
        served = await customers_ask(stage, queries, scale)
        await agents_correct(stage, served)
        if scale.forgetting:
            await retrain_naively(stage)
        report = await retrain_in_slack(stage)
        if report.verdict is Verdict.PASS:
            await release(stage, report)
        else:
            console.print(
                f"The gate says {report.verdict}, so there is nothing to promote: the version "
                "stays where it is, and customers go on with the one that they have."
            )
    stage.figures["seconds"] = round(time.monotonic() - began, 1)
    finish(stage, report)


@contextlib.asynccontextmanager
async def _everything(settings: Settings, console: Console) -> AsyncIterator[Stage]:
    """Start all processes and take the stage down at the end, whatever happens."""
    from serving.settings import GatewaySettings
    from serving.supervisor import Supervisor
    from serving.up import UpSettings, programs

    os.environ["UNDERSTUDY_STANDIN_MESSAGES_PER_SECOND"] = SLACK_MESSAGES_PER_SECOND
    os.environ["UNDERSTUDY_SLACK_MESSAGES_PER_SECOND"] = SLACK_MESSAGES_PER_SECOND
    gateway, ports = GatewaySettings.load(), UpSettings.load()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLACK_")}
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
            artifacts=Artifacts(settings.artifacts, cache=settings.home / "cache"),
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


def _traffic(queries: Sequence[Query], limit: int | None) -> list[Query]:
    """The queries that customers ask, in an order that mixes the topics."""
    traffic = [query for query in queries if query.part is Part.TRAFFIC]
    step = 997  # a prime: walks through all of them in a fixed, mixed order
    mixed = [traffic[(i * step) % len(traffic)] for i in range(len(traffic))]
    return mixed[:limit]


async def customers_ask(stage: Stage, queries: Sequence[Query], scale: Scale) -> list[Served]:
    """Act 2: real queries through the endpoint; some customers then want a person."""
    stage.act(
        "2. Customers ask",
        f"{len(queries)} real queries go through the OpenAI-compatible endpoint to the bundled "
        "model, which was taught half of the policy only.",
    )
    right = asked = 0
    with stage.bar("served", len(queries)) as step:

        def on_answer(one: Served) -> None:
            nonlocal right, asked
            asked, right = asked + 1, right + one.served_right
            step(f"{right / asked:.0%} served right")

        began = time.monotonic()
        served = await ask_all(
            stage.endpoint, queries, policy=stage.policy, prefix="demo", on_answer=on_answer
        )
        seconds = time.monotonic() - began
    wrong = [one for one in served if not one.served_right and not one.escalated]
    asking = wrong[: scale.in_slack]
    await say_how_it_went(stage.endpoint, served, asking_for_a_person=asking)
    for one in wrong[:2]:
        stage.console.print(f"  [dim]asked:[/] {one.query.text}\n  [dim]got:[/]   {one.answer}")
    stage.figures["live_before"] = {
        "conversations": len(served),
        "served_right": sum(one.served_right for one in served),
        "seconds": round(seconds, 1),
        "asked_for_a_person": len(asking),
    }
    return served


async def agents_correct(stage: Stage, served: Sequence[Served]) -> None:
    """Act 3: agents take over and correct in Slack; the rest comes from their ticket system."""
    with stage.database.read() as session:
        wishes = session.scalars(
            select(Escalation).where(Escalation.reason == "customer").order_by(Escalation.id)
        ).all()
    found = [escalation.id for escalation in wishes]
    stage.act(
        "3. Agents correct",
        f"{len(found)} customers asked for a person. Simulated agents take each over in Slack, "
        "answer, flag the assistant's answer with the right one, resolve; a reviewer approves.",
    )
    began = time.monotonic()
    with stage.bar("handled in Slack", len(found)) as step:
        await agents.handle_escalations(stage.team, found, on_done=step)
    seconds = time.monotonic() - began
    handled = {escalation.conversation_id for escalation in wishes}
    rest = [o for o in served if not o.served_right and o.conversation_id not in handled]
    file = stage.settings.home / "demo" / "tickets.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(_ticket(stage.policy, one)) + "\n" for one in rest))
    stage.console.print(
        f"  The other {len(rest)} customers who were not served right were answered by mail; the "
        f"team's export of those tickets is imported: understudy import {file.name}"
    )
    await _understudy("import", str(file), "--json")
    stage.figures["corrections"] = {
        "in_slack": len(found),
        "in_slack_seconds": round(seconds, 1),
        "imported": len(rest),
    }


def _ticket(policy: Policy, one: Served) -> dict[str, Any]:
    topic = policy.topics[one.query.topic]
    return {
        "messages": [
            {"role": "user", "content": one.query.text},
            {"role": "assistant", "content": topic.answer},
        ],
        "customer": f"mail-{one.conversation_id}",
        "approved": True,
        "should_escalate": topic.handover,
        "slice": {"knowledge": topic.group.value},
    }


async def _understudy(*arguments: str) -> None:
    """Run one of our commands as a person would.

    Raises:
        UnderstudyError: it failed; with what it said.
    """
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "records.cli", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise UnderstudyError(f"understudy {arguments[0]} failed: {said.decode()[-2000:]}")


async def retrain_naively(stage: Stage) -> None:
    """Act 4: corrections alone; the gate must not let it pass."""
    stage.act(
        "4. Retrain on the corrections alone, to see what the gate is for",
        "Training on corrections alone forgets what the model knew. The worker snapshots the "
        "approved examples, trains a LoRA adapter, loads it into the running engine, proves that "
        "it is on, asks both versions the frozen cases, and the gate looks at each slice.",
    )
    with stage.database.write() as session:
        job = jobs.request(
            session,
            stage.assistant.name,
            requested_by="demo",
            options={"recipe": {"replay_share": 0}},
        )
    done = await _follow(stage, job.id)
    report = _show_report(stage, done)
    stage.figures["without_replay"] = {
        "version": done.version,
        "verdict": report.verdict,
        "evaluation": report.body,
        "retrain_seconds": _seconds(done),
    }


async def retrain_in_slack(stage: Stage) -> Report:
    """Act 5: /retrain in Slack; the worker trains, proves, evaluates, judges."""
    stage.act(
        "5. Retrain as it should be",
        "An operator types /retrain in Slack. This time, by default, answers that customers "
        "accepted are replayed among the corrections.",
    )
    await agents.ask_to_retrain(stage.team)
    job = await _follow(stage, await _newest_job(stage))
    report = _show_report(stage, job)
    stage.figures |= {"evaluation": report.body, "verdict": report.verdict, "version": job.version}
    stage.figures["retrain_seconds"] = _seconds(job)
    return report


def _show_report(stage: Stage, job: Job) -> Report:
    with stage.database.read() as session:
        report = session.get_one(Report, job.report_id)
    stage.console.print(figures.before_after(report.body))
    for reason in report.body["reasons"][:3]:
        stage.console.print(f"  {report.verdict}: {reason}", markup=False)
    return report


def _seconds(job: Job) -> float:
    assert job.finished_at is not None
    return round((job.finished_at - job.created_at).total_seconds(), 1)


async def _newest_job(stage: Stage) -> str:
    for _ in range(120):
        with stage.database.read() as session:
            active = jobs.active(session)
        if active:
            return active[-1].id
        await asyncio.sleep(_POLL_SECONDS)
    raise UnderstudyError("No retraining job appeared; see the bot's log.")


async def _follow(stage: Stage, job_id: str) -> Job:
    """Show a job's progress until it ends.

    Raises:
        UnderstudyError: it did not succeed.
    """
    told_stage, told_at = "", time.monotonic()
    with stage.console.status("waiting for the worker") as status:
        while True:
            with stage.database.read() as session:
                job = jobs.get(session, job_id)
            if job.state not in jobs.ACTIVE:
                break
            line = _progress_line(job)
            status.update(f"  {line}")
            quiet = 0 if stage.console.is_terminal else time.monotonic() - told_at
            if job.stage != told_stage or quiet >= _NEWS_SECONDS:
                told_stage, told_at = job.stage, time.monotonic()
                stage.console.print(f"  {line}", markup=False)
            await asyncio.sleep(_POLL_SECONDS)
    if job.state is not JobState.SUCCEEDED:
        raise UnderstudyError(f"The job {job.state}: {job.error}")
    return job


_UNITS = {
    "step": "step {}", "steps": "of {}", "done": "{}", "total": "of {} answered",
    "loss": "loss {:.3f}", "held_out_loss": "held-out loss {:.3f}",
    "tokens_per_second": "{:,.0f} tokens/s", "answers_per_second": "{:.0f} answers/s",
    "version": "{}", "seconds_left": "{:.0f} s left",
}  # fmt: skip


def _progress_line(job: Job) -> str:
    """A job's stage and figures in words, in the order above."""
    given = {k: v for k, v in job.progress.items() if v is not None}
    words = [form.format(given[name]) for name, form in _UNITS.items() if name in given]
    return f"{job.stage}: {', '.join(words)}" if words else job.stage


async def release(stage: Stage, report: Report) -> None:
    """Act 6: promote, roll back, promote again, by buttons in Slack, with the time each takes."""
    stage.act(
        "6. Release",
        "The operator presses Promote under the report, then Roll back, then Promote again. Each "
        "moves one pointer; the endpoint goes on answering.",
    )
    changes = []
    for action, wanted in (
        ("promote", report.challenger),
        ("rollback", report.champion),
        ("promote", report.challenger),
    ):
        await agents.press(stage.team, action)
        began = time.monotonic()
        await _until_served(stage, str(wanted))
        seconds = time.monotonic() - began
        changes.append({"action": action, "version": wanted, "seconds": round(seconds, 2)})
        stage.console.print(f"  {action}: {wanted} answers customers after {seconds:.1f} s")
    stage.figures["releases"] = changes


async def _until_served(stage: Stage, version: str) -> None:
    """Ask until an answer comes from `version`."""
    query = next(q for q in load_queries() if q.part is Part.TRAFFIC)
    for attempt in range(240):
        served = await ask_all(
            stage.endpoint,
            [query],
            policy=stage.policy,
            prefix=f"release-{version}-{time.monotonic_ns()}-{attempt}",
            on_answer=lambda _: None,
        )
        if served[0].version == version:
            return
        await asyncio.sleep(0.1)
    raise UnderstudyError(f"{version} was not served within a minute; see the gateway's log.")


def finish(stage: Stage, report: Report) -> None:
    """The table, the files, what to do next."""
    folder: Path = stage.settings.home / "demo"
    plot = stage.artifacts.fetch(report.path) / "plot.png"
    path = figures.write(folder, stage.figures, plot=plot)
    say = stage.console.print
    say("\n[bold]Before and after[/]")
    say(figures.before_after(report.body))
    say(
        f"{figures.relative_fall(report.body):.0%} fewer customers not served right "
        f"({report.verdict}), in {stage.figures['seconds'] / 60:.1f} minutes."
    )
    say(f"Figures: {path}\nPlot: {folder / 'before_after.png'}", markup=False)
    say("Everything is stopped. Next: understudy up  (goes on from here, all versions there)")
