"""Views of retraining and releases keep to Slack's limits, whatever stands in the records."""

import re
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tuning
from bot import wording
from bot.standin.block_rules import problems, view_problems
from bot.views.content import Content
from bot.views.experiment import (
    Shown,
    alert_message,
    digest_message,
    experiment_message,
    experiment_view,
)
from bot.views.experiment_form import Origin as ExperimentOrigin
from bot.views.experiment_form import experiment_form
from bot.views.explanation import explanation
from bot.views.job import job_message
from bot.views.report import Standing, dated_report, report_details, report_message
from bot.views.report_figures import slice_lines, tables
from bot.views.retrain_form import (
    DAY,
    MINUTES,
    Offer,
    Origin,
    Since,
    Wishes,
    loading_form,
    problems_of,
    read_wishes,
    retrain_form,
    running_view,
)
from bot.views.rollback_form import Way, rollback_form
from bot.views.version_list import Listed, version_list
from records.standings import Standing as Side
from records.states import (
    AlertKind,
    EscalationState,
    ExampleSource,
    ExperimentState,
    JobState,
    JobTrigger,
    TrainingMethod,
    Verdict,
    VersionState,
)
from records.tables import Arm, Audit, Experiment, Job, Report, Version
from records.training_data import TrainingData
from tests.bot.test_slack_views import HOSTILE, NOW, few, formatted_texts
from tuning.workflow.stages import Stage

ORIGIN = Origin("support", "C0SUPPORT")


def jobs_of(words: str) -> list[Content]:
    return [
        job_message(
            Job(
                id="job_1",
                assistant="support",
                state=state,
                stage=words or "queued",
                requested_by=requested_by or "U1",
                progress={
                    "step": 1e300,
                    "steps": -1,
                    "total": 3,
                    "loss": float("inf"),
                    "held_out_loss": 0.5,
                    "tokens_per_second": 1e300,
                    "seconds_left": 1e300,
                    "words": words,
                },
                options={"since": NOW.isoformat(), "recipe": {"max_minutes": 30}},
                error=words,
                version=words,
                dataset_id=words,
                started_at=NOW,
                finished_at=NOW if state is not JobState.RUNNING else None,
            ),
            cancelled_by=words,
        )
        for state, requested_by in zip(
            JobState, (words, "threshold", "schedule", words, words), strict=True
        )
    ]


def body_of(words: str) -> dict[str, Any]:
    difference = {"value": 0.5, "low": None, "high": None}
    worse = [{"name": f"{words}={n}", "difference": difference} for n in range(40)]
    better = [{"name": words, "difference": {"value": -0.5, "low": -0.6, "high": -0.4}}] * 40
    return {"slices": [*worse, *better], "changes": {"fixed": 10**9, "broken": 10**9}}


def reports_of(words: str) -> list[Content]:
    shown = []
    for verdict in (Verdict.PASS, None):
        report = Report(
            id="rep_1",
            assistant="support",
            champion="support-base" if verdict else None,
            challenger=words or "v",
            frozen=True,
            verdict=verdict,
            body=body_of(words),
            path="reports/rep_1",
            created_at=NOW,
        )
        standing = Standing(
            words,
            None,
            may_promote=True,
            may_try=True,
            may_discard=True,
            discarded_by=words,
            tried_share=0.1,
            two_persons=True,
            consents=[words] * 9,
        )
        summary = "\n".join(f"| {words} |" for _ in range(60 if len(words) < 1000 else 3))
        shown.append(report_message(report, why=[words] * 4, standing=standing))
        shown.append(dated_report(report, summary=summary, why=[words] * 4))
        details = report_details(report, summary=summary, why=[words] * 4)
        assert details is not None
        shown.append(details)
    return shown


def shown_of(words: str, state: ExperimentState = ExperimentState.RUNNING) -> Shown:
    version = words[:80] or "v"  # the longest that the records keep
    experiment = Experiment(
        id="exp_1",
        assistant=words or "support",
        state=state,
        started_by=words,
        started_at=NOW,
        stopped_at=NOW,
        arms=[Arm(position=0, name=words, version=version, share=0.1, spans=[])],
    )
    detail = {"after": {words: 0.5}}
    actions = ("start_experiment", "ramp_experiment", "stop_experiment") * 9
    changes = [Audit(actor=words, action=a, detail=detail, created_at=NOW) for a in actions]
    sides = [
        Side(None, words, 0.9),
        *[
            Side(
                words,
                words,
                0.1,
                customers=10**12,
                conversations=10**12,
                escalated=10**12,
                flagged=10**12,
                rated=10**12,
                thumbs=10**12,
                thumbs_up=10**12,
                csat=10**12,
                mean_csat=4.2,
            )
        ]
        * 12,
    ]
    return Shown(
        experiment,
        sides=sides,
        changes=changes,
        promotable=[version],
        two_persons=True,
        consents=[(words, version)] * 9,
        at=NOW,
    )


def experiments_of(words: str) -> list[Content]:
    running = shown_of(words)
    return [
        *[experiment_message(shown_of(words, state)) for state in ExperimentState],
        digest_message(running, day=3),
        *[alert_message(running.experiment, kind, words) for kind in AlertKind],
    ]


def versions_of(words: str) -> list[Content]:
    made = [
        Listed(
            Version(
                id=words,
                assistant="support",
                state=state,
                dataset_id=words,
                created_at=NOW,
            ),
            verdict,
        )
        for state, verdict in zip(VersionState, (*Verdict, None, None), strict=True)
    ]
    return [
        version_list(words, made, left_out=9, now=NOW),
        version_list(words, [], left_out=0, now=NOW),
    ]


def explanations_of(words: str) -> list[Content]:
    flag = {"by": words, "reason": "wrong", "at": NOW.isoformat()}
    example = {
        "question": words,
        "chosen": words,
        "likeness": 0.5,
        "source": "flag",
        "created_by": words,
        "approved_by": words,
        "flag": flag,
    }
    turn = {
        "id": "turn_1",
        "conversation_id": words,
        "asked": words,
        "answered": words,
        "at": NOW.isoformat(),
        "version": words,
        "experiment": words,
        "arm": words,
        "mean_logprob": -0.2,
        "duration_ms": 1e9,
        "completion_tokens": 10**9,
    }
    release = {"action": "promote", "by": words, "at": NOW.isoformat()}
    version = {
        "id": words,
        "state": "champion",
        "parent": words,
        "base_model": words,
        "verdict": "PASS",
        "releases": [release] * 30,
    }
    whole = {
        "turn": turn,
        "escalation": {"reason": "model", "cause": words, "state": "waiting"},
        "flags": [flag, {**flag, "reason": None}] * 20,
        "version": version,
        "dataset": {
            "id": words,
            "examples_by_source": {str(source): 10**9 for source in ExampleSource},
            "nearest_examples": [example, {**example, "flag": None, "chosen": ""}] * 9,
        },
    }
    bare = {**turn, "asked": None, "version": None, "arm": None, "mean_logprob": None}
    nothing: dict[str, Any] = {
        "turn": bare,
        "escalation": None,
        "flags": [],
        "version": None,
        "dataset": None,
    }
    return [explanation(whole), explanation(nothing)]


def contents_of(words: str) -> list[Content]:
    return [
        *jobs_of(words),
        *reports_of(words),
        *experiments_of(words),
        *versions_of(words),
        *explanations_of(words),
    ]


def offer(words: str, *, trained: bool = True) -> Offer:
    data = TrainingData(
        used=dict.fromkeys(ExampleSource, 10**9) if trained else {},
        left_out=3,
        new=10**9,
        waiting=10**9,
        rejected=0,
    )
    return Offer(data, words, NOW if trained else None, 30.5 if trained else None, "Europe/Berlin")


def views_of(words: str) -> list[dict[str, Any]]:
    origin = Origin(words, "C0SUPPORT")
    job = Job(id="job_1", assistant=words, state=JobState.QUEUED, stage="queued", requested_by="U1")
    if len(words) > 500:  # metadata holds names of ours, which are short
        origin = ORIGIN
    return [
        *[
            retrain_form(origin, offer(words, trained=trained), Wishes(since, date(2026, 3, 2)))
            for since in Since
            for trained in (True, False)
        ],
        loading_form(origin),
        running_view(origin, job),
        experiment_form(
            ExperimentOrigin(origin.assistant, "C0SUPPORT"), ["support-a"] * 120, champion=words
        ),
        experiment_view(shown_of(words)),
        rollback_form(
            Way(origin.assistant, "support-a", "support-base", "C0SUPPORT"), experiment_runs=True
        ),
    ]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_slacks_limits(words: str) -> None:
    for message in contents_of(words):
        assert problems(message.blocks, most=50) == []
        assert message.text
        assert len(message.text) <= 300
    for view in views_of(words):
        assert view_problems(view) == []


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_can_ping_link_or_format(words: str) -> None:
    marked = f"{words}\u0001<!channel> <https://evil.example|x> *mark* @here"
    messages = contents_of(marked)
    shown = [message.blocks for message in messages]
    for blocks in [*shown, *[view["blocks"] for view in views_of(marked)]]:
        for formatted in formatted_texts(blocks):
            assert "<!channel" not in formatted
            assert "<https:" not in formatted
            assert "*mark*" not in formatted
    assert all("<!channel" not in message.text for message in messages)


@settings(few, max_examples=settings().max_examples // 12)
@given(st.text(max_size=200))
def test_no_random_words_do_any_of_this(words: str) -> None:
    test_no_words_break_slacks_limits(words)
    test_no_words_can_ping_link_or_format(words)


# --- what was entered ---


def state_of(**entered: Any) -> dict[str, Any]:
    return {name: {name: value} for name, value in entered.items()}


@pytest.mark.parametrize(
    ("written", "minutes"),
    [(None, None), ("", None), ("30", 30), ("0.5", 0.5), ("0", 0), ("-3", 0), ("soon", 0)],
)
def test_minutes_are_read_as_they_are_written(written: str | None, minutes: float | None) -> None:
    assert read_wishes(state_of(retrain_minutes={"value": written})).minutes == minutes


@pytest.mark.parametrize("written", ["nan", "inf", "1e9", "0", "soon"])
def test_minutes_that_are_none_are_said_to_be(written: str) -> None:
    wishes = read_wishes(state_of(retrain_minutes={"value": written}))
    assert problems_of(wishes, today=NOW.date()).keys() == {MINUTES}


@given(days=st.integers(-1000, 1000))
def test_a_day_is_refused_while_it_is_yet_to_come(days: int) -> None:
    wishes = Wishes(Since.DAY, NOW.date() + timedelta(days=days))
    assert (DAY in problems_of(wishes, today=NOW.date())) is (days > 0)


def test_a_day_that_is_not_asked_for_is_no_problem() -> None:
    ahead = NOW.date() + timedelta(days=3)
    assert problems_of(Wishes(Since.ALL, ahead), today=NOW.date()) == {}
    assert problems_of(Wishes(Since.DAY), today=NOW.date()).keys() == {DAY}


def test_a_reports_tables_are_kept_apart_and_cut_between_rows() -> None:
    written = "# PASS\n- why\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n| c |\n| --- |\n| 3 |\n"
    (block,) = tables(written)
    assert block.to_dict()["text"] == (
        "| a | b |\n| --- | ---: |\n| 1 | 2 |\n\n| c |\n| --- |\n| 3 |"
    )
    long = "\n".join(f"| {n} |" for n in range(100))
    shown, note = tables(long)
    assert shown.to_dict()["text"].splitlines()[-1] == "| 39 |"
    assert "left out here: 60" in str(note.to_dict())
    assert tables("no table") == []


def test_slices_are_said_with_the_greatest_change_first() -> None:

    entries = [
        {"name": "a", "difference": {"value": 0.02, "low": 0.01, "high": 0.03}},
        {"name": "b", "difference": {"value": 0.3, "low": -0.1, "high": 0.7}},
        {"name": "c", "difference": {"value": 0.0, "low": 0.0, "high": 0.0}},
        {"name": "d", "difference": {"value": None, "low": None, "high": None}},
    ]
    (worse,) = slice_lines({"slices": entries})
    assert worse.endswith("*Worse served:* b (perhaps, +30.0 points), a (+2.0 points)")


def test_a_slices_change_is_the_difference_of_its_figures_as_they_are_shown() -> None:
    entry = {
        "name": "known",
        "champion": {"value": 0.44054},
        "challenger": {"value": 0.40727},
        "difference": {"value": -0.03327, "low": -0.05, "high": -0.01},
    }
    (better,) = slice_lines({"slices": [entry]})
    assert better.endswith("known (-3.4 points)")


# --- words for everything ---


def test_there_are_words_for_each_stage_that_the_worker_notes() -> None:
    sources = [p.read_text() for p in Path(tuning.__path__[0]).rglob("*.py")]
    told = [stage for source in sources for stage in re.findall(r'"stage": "([^"]+)"', source)]
    noted = {*map(str, Stage), *told} - {Stage.REPORTED}  # the end follows in the same moment
    assert len(noted) > 8
    assert noted - wording.retraining.STAGES.keys() == set()
    assert max(map(len, noted)) <= 40  # what the records hold


@pytest.mark.parametrize(
    ("words", "closed_set"),
    [
        (wording.retraining.STATES, JobState),
        (wording.retraining.FALLBACKS, JobState),
        (wording.retraining.TITLES_BY_ITSELF, JobTrigger),
        (wording.retraining.METHODS, TrainingMethod),
        (wording.retraining.SOURCES, ExampleSource),
        (wording.releases.VERDICTS, Verdict),
        (wording.releases.VERSION_STATES, VersionState),
        (wording.experiments.TITLES, ExperimentState),
        (wording.experiments.ALERTS, AlertKind),
        (wording.experiments.ALERT_FALLBACKS, AlertKind),
        (wording.explaining.STATES, EscalationState),
    ],
)
def test_there_are_words_for_each_state(words: dict[str, str], closed_set: type[StrEnum]) -> None:
    assert set(words) == set(closed_set)
