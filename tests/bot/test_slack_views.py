"""Views stay within Slack's limits and keep customers' words harmless, whatever these are."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.standin.block_rules import problems, view_problems
from bot.text import escaped, literal
from bot.views.content import Button, Content
from bot.views.example import example_card
from bot.views.flag_modal import Origin, flag_modal, loading_modal
from bot.views.job import job_message
from bot.views.notice import notice_modal
from bot.views.report import Standing, release_message, report_message
from bot.views.transcript import turn_message
from records.messages import Role
from records.states import (
    ExampleSource,
    ExampleState,
    FlagReason,
    JobState,
    ReleaseAction,
    TurnStatus,
    Verdict,
)
from records.tables import Example, Flag, Job, Release, Report, Turn

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
HOSTILE = [
    "",
    "   \n\t ",
    "\u200b\u200d",
    "<!channel> look",
    "<!here|here> <@U0ANN> <#C0SUPPORT|x> <!subteam^S1>",
    "<https://evil.example|your bank> https://evil.example mailto:a@b.example",
    "*bold* _it_ ~no~ `code` ```block```",
    "> quote\n>>> all\n# title\n- list\n[link](https://evil.example)",
    "&lt;!channel&gt; &amp;",
    ":smile: :rotating_light:",
    "مرحبا \u202e tfel ot thgir \u2066",
    "👩‍👩‍👧‍👦" * 2000,
    "𝕏" * 9000,
    "a" * 100_000,
    "word " * 20_000,
    "\n" * 5000,
    "\x00\x07\x1b[31m\r\n\ud800 lone",
    "@channel @here @everyone #general",
]
few = settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))


def messages_of(words: str) -> list[Content]:
    """Every message that shows somebody's words, with those words everywhere."""
    flags = [
        Flag(id=f"f{i}", turn_id="t", agent=f"U0A{i}", reason=FlagReason.WRONG, note=words)
        for i in range(20)
    ]
    turns = [
        turn_message(
            Turn(
                id="turn_1",
                role=role,
                content=words,
                created_at=NOW,
                author=words if role is Role.AGENT else None,
                status=TurnStatus.COMPLETE,
                version=words,
            ),
            flags=flags,
        )
        for role in Role
    ]
    return [*turns, *examples_of(words), *others_of(words)]


def examples_of(words: str) -> list[Content]:
    return [
        example_card(
            Example(
                id="ex_1",
                assistant="support",
                source=ExampleSource.FLAG,
                prompt=[{"role": "customer", "content": words}],
                chosen=words,
                rejected=words,
                should_escalate=should_escalate,
                state=state,
                created_by=words,
                decided_by=words,
                decided_at=NOW,
            ),
            handoff_sentence="A colleague will reply.",
        )
        for state in ExampleState
        for should_escalate in (False, True)
    ]


def others_of(words: str) -> list[Content]:
    job = Job(
        id="job_1",
        assistant="support",
        state=JobState.RUNNING,
        stage=words,
        requested_by=words,
        progress={"step": 1, "steps": 0, "loss": float("nan"), "words": words},
        error=words,
        version=words,
        started_at=NOW,
        finished_at=NOW,
    )
    release = Release(
        id=1,
        assistant="support",
        version=words,
        replaces=words,
        action=ReleaseAction.ROLLBACK,
        actor=words,
        created_at=NOW,
    )
    report = Report(
        id="rep_1",
        assistant="support",
        champion="support-base",
        challenger=words or "v",
        frozen=True,
        verdict=Verdict.PASS,
        body={},
        path="reports/rep_1",
    )
    standing = Standing("support-base", release, may_promote=True)
    shown = report_message(report, why=[words], standing=standing)
    return [job_message(job), release_message(release), shown]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_slacks_limits(words: str) -> None:
    for message in messages_of(words):
        assert problems(message.blocks, most=50) == []
        assert message.text
        assert len(message.text) <= 300


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_break_the_forms(words: str) -> None:
    origin = Origin("turn_1", "C0SUPPORT", "1.000001")
    views = [flag_modal(origin, words), loading_modal(origin), notice_modal(words or "?")]
    assert [view_problems(view) for view in views] == [[], [], []]


@pytest.mark.parametrize("words", HOSTILE)
def test_customers_words_cannot_ping_link_or_format(words: str) -> None:
    marked = f"{words}\u0001<!channel> <https://evil.example|x> *mark* @here"
    for message in messages_of(marked):
        for formatted in formatted_texts(message.blocks):
            assert "<!channel" not in formatted
            assert "<https:" not in formatted
            assert "*mark*" not in formatted
        assert "<!channel" not in message.text


@few
@given(st.text(max_size=200))
def test_no_random_words_do_any_of_this(words: str) -> None:
    test_no_words_break_slacks_limits(words)
    test_no_words_break_the_forms(words)
    test_customers_words_cannot_ping_link_or_format(words)


def formatted_texts(node: Any) -> list[str]:
    """Everything that Slack reads as its own markup."""
    if isinstance(node, list):
        return [text for item in node for text in formatted_texts(item)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "mrkdwn":
        assert node["verbatim"] is True
        return [node["text"]]
    if node.get("type") == "markdown":
        return [node["text"].replace("*mark*", "")]  # a report's own Markdown may format
    return [text for value in node.values() for text in formatted_texts(value)]


def test_the_two_answers_to_a_question_cannot_be_named_alike() -> None:
    with pytest.raises(AssertionError):
        Button("Cancel", "cancel_job", "job_1", question="Really?")
    (confirm,) = re.findall(r"'confirm': (\{.*?\}\})", str(job_message(active_job()).blocks))
    assert "Stop retraining" in confirm
    assert "Keep going" in confirm


def active_job() -> Job:
    return Job(id="job_1", assistant="support", state=JobState.QUEUED, requested_by="U0OPS")


def test_an_answer_that_fits_is_ready_to_be_edited_and_a_longer_one_is_not_cut() -> None:
    origin = Origin("turn_1", "C0SUPPORT", "1.000001")
    assert "'initial_value': 'Five days.'" in str(flag_modal(origin, "Five days."))
    assert "initial_value" not in str(flag_modal(origin, "a" * 3001))
    assert "too long to be edited" in str(flag_modal(origin, "a" * 3001))


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [("a < b & c > d", "a &lt; b &amp; c &gt; d"), ("&lt;", "&amp;lt;")],
)
def test_escaping_replaces_slacks_three_characters(given_text: str, wanted: str) -> None:
    assert escaped(given_text) == wanted


def test_a_short_text_loses_its_effect_but_not_its_letters() -> None:
    assert literal("*a* <!here>").replace("\u2060", "") == "*a* &lt;!here&gt;"
