"""The demo's acts, in order. Each prints what it does and why, and adds to the figures."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from deploy.demo import agents, figures
from deploy.demo.customers import Served, ask_all, insist, say_how_it_went
from deploy.demo.queries import ASK_FOR_A_PERSON, Group, Part, Policy, Query, load_queries
from deploy.demo.stage import Scale, Stage, open_stage
from records import jobs
from records.errors import UnderstudyError
from records.settings import Settings
from records.states import JobState, Verdict
from records.tables import Escalation, Job, Report

_POLL_SECONDS = 0.5
_NEWS_SECONDS = 20
"""How often a job's progress is printed where no line can be overwritten."""


async def tell(scale: Scale, *, began: float, on_error_stream: bool = False) -> None:
    """Run all acts; state and figures stay in the home folder."""
    settings = Settings.load()
    console = figures.make_console(on_error_stream=on_error_stream)
    console.print(
        "[bold]Understudy: a support assistant that learns from its escalations.[/]\n"
        "The customers' queries are real (Banking77). The support agents are simulated: what they "
        "correct comes from the policy of an invented bank. Slack is a stand-in; every other part "
        "is the real one."
    )
    async with open_stage(settings, console) as stage:
        stage.began = began
        queries = _traffic(load_queries(), scale.conversations)
        asked = await customers_ask(stage, queries, scale)
        await agents_correct(stage, asked)
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


def _traffic(queries: Sequence[Query], limit: int | None) -> list[Query]:
    """The queries that customers ask, in an order that mixes the topics."""
    traffic = [query for query in queries if query.part is Part.TRAFFIC]
    step = 997  # a prime: walks through all of them in a fixed, mixed order
    mixed = [traffic[(i * step) % len(traffic)] for i in range(len(traffic))]
    return mixed[:limit]


@dataclass(frozen=True)
class Asked:
    """All customers with their first answer, and those who then asked for a person."""

    served: Sequence[Served]
    unhappy: Sequence[Served]


async def customers_ask(stage: Stage, queries: Sequence[Query], scale: Scale) -> Asked:
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
    unhappy = await insist(
        stage.endpoint, wrong[: scale.in_slack], phrases=stage.policy.person_phrases
    )
    at_once = await _ask_for_a_person_at_once(stage)
    insisting = {one.conversation_id for one in unhappy}
    quiet = [one for one in served if one.conversation_id not in insisting]
    await say_how_it_went(stage.endpoint, [*quiet, *unhappy, *at_once])
    for one in wrong[:2]:
        stage.console.print(f"  [dim]asked:[/] {one.query.text}\n  [dim]got:[/]   {one.answer}")
    stage.figures["live_before"] = {
        "conversations": len(served),
        "served_right": sum(one.served_right for one in served),
        "seconds": round(seconds, 1),
        "asked_for_a_person_after_a_wrong_answer": len(unhappy),
        "asked_for_a_person_at_once": len(at_once),
    }
    return Asked(served, unhappy)


async def _ask_for_a_person_at_once(stage: Stage) -> list[Served]:
    """Customers who want a person and nothing else, in words of the demo's own."""
    wishes = [Query(p, ASK_FOR_A_PERSON, Part.TRAFFIC) for p in stage.policy.person_phrases]
    return await ask_all(
        stage.endpoint, wishes, policy=stage.policy, prefix="person", on_answer=lambda _: None
    )


async def agents_correct(stage: Stage, asked: Asked) -> None:
    """Act 3: agents take over and correct in Slack; the rest comes from their ticket system."""
    in_slack = [one.conversation_id for one in asked.unhappy]
    with stage.database.read() as session:
        found = session.scalars(
            select(Escalation.id)
            .where(Escalation.conversation_id.in_(in_slack))
            .order_by(Escalation.id)
        ).all()
    stage.act(
        "3. Agents correct",
        f"{len(found)} customers asked for a person after a wrong answer. Simulated agents take "
        "each over in Slack, answer, flag the assistant's answer with the right one, resolve; a "
        "reviewer approves.",
    )
    began = time.monotonic()
    with stage.bar("handled in Slack", len(found)) as step:
        await agents.handle_escalations(stage.team, found, on_done=step)
    seconds = time.monotonic() - began
    rest = [o for o in asked.served if not o.served_right and o.conversation_id not in in_slack]
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
        served = await _until_served(stage, str(wanted))
        seconds = time.monotonic() - began
        changes.append({"action": action, "version": wanted, "seconds": round(seconds, 2)})
        stage.console.print(f"  {action}: {wanted} answers customers after {seconds:.1f} s")
    stage.figures["releases"] = changes
    stage.figures["explain"] = served.turn_id
    stage.console.print(f"  [dim]asked:[/] {served.query.text}\n  [dim]got:[/]   {served.answer}")


async def _until_served(stage: Stage, version: str) -> Served:
    """Ask until an answer comes from `version`; returns that answer."""
    new = (t.name for t in stage.policy.topics.values() if t.group is Group.NEW)
    topic = next(new)
    query = next(q for q in load_queries() if q.part is Part.TRAFFIC and q.topic == topic)
    for attempt in range(240):
        served = await ask_all(
            stage.endpoint,
            [query],
            policy=stage.policy,
            prefix=f"release-{version}-{time.monotonic_ns()}-{attempt}",
            on_answer=lambda _: None,
        )
        if served[0].version == version:
            return served[0]
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
    if "explain" in stage.figures:
        say("Where did that answer come from? understudy explain " + stage.figures["explain"])
    say("Everything is stopped. Next: make up  (goes on from here, all versions there)")
