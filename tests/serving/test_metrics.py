"""What the gateway counts, and how a scraper reads it."""

from typing import Any

import pytest

from serving.metrics import Kind, Metrics, exposition
from tests.serving.scrape import Shown

BASE = {"assistant": "support", "version": "support-base", "arm": "none"}


def answer(metrics: Metrics, **more: Any) -> None:
    fields: dict[str, Any] = {
        "assistant": "support", "version": "support-base", "arm": None, "status": "complete",
        "first_token_ms": 40.0, "duration_ms": 800.0, "prompt_tokens": 7, "completion_tokens": 3,
        **more,
    }  # fmt: skip
    metrics.answered(**fields)


def test_answers_are_counted_by_version_and_arm() -> None:
    metrics = Metrics(build="1")
    answer(metrics)
    answer(metrics)
    answer(metrics, version="support-1", arm="challenger", first_token_ms=None)
    answer(metrics, version=None, status="fallback", prompt_tokens=None, completion_tokens=None)
    shown = Shown(metrics)
    arm = {"assistant": "support", "version": "support-1", "arm": "challenger"}
    nobody = {"assistant": "support", "version": "none", "arm": "none"}
    assert shown.value("answers_total", **BASE, status="complete") == 2
    assert shown.value("answers_total", **arm, status="complete") == 1
    assert shown.value("answers_total", **nobody, status="fallback") == 1
    assert shown.value("prompt_tokens_total", **BASE) == 14
    assert shown.value("completion_tokens_total", **BASE) == 6
    assert shown.value("first_token_seconds_count", **BASE) == 2
    assert shown.value("first_token_seconds_count", **arm) == 0
    assert shown.value("first_token_seconds_bucket", **BASE, le="0.05") == 2
    assert shown.value("first_token_seconds_bucket", **BASE, le="0.025") == 0
    assert shown.value("answer_seconds_sum", **BASE) == 1.6


def test_requests_refusals_escalations_and_records_are_counted() -> None:
    metrics = Metrics(build="1")
    chat = "POST /v1/chat/completions"
    metrics.request(chat, 200, 0.2)
    metrics.request(chat, 429, 0.001)
    metrics.refused("customer_rate")
    metrics.escalated(assistant="support", reason="model", version="support-base")
    metrics.escalated(assistant="support", reason="customer")
    metrics.recorded([0.004, 0.02])
    metrics.recorded([])
    shown = Shown(metrics)
    assert shown.value("requests_total", route=chat, status="429") == 1
    assert shown.value("request_seconds_count", route=chat) == 2
    assert shown.value("refusals_total", cause="customer_rate") == 1
    assert shown.value("escalations_total", **BASE, reason="model") == 1
    nobody = {**BASE, "version": "none"}
    assert shown.value("escalations_total", **nobody, reason="customer") == 1
    assert shown.value("recording_seconds_count") == 2
    assert shown.value("recording_seconds_bucket", le="0.005") == 1
    assert shown.value("recording_group_size_count") == 2
    assert shown.value("recording_group_size_sum") == 2


def test_watched_values_are_read_when_the_metrics_are_asked_for() -> None:
    metrics, queue = Metrics(build="1"), [1]
    metrics.watch("queue", "How long it is.", lambda: len(queue))
    engines = [(("a:1",), 1.0), (("b:2",), 0.0)]
    metrics.watch("engine_up", "Whether.", lambda: engines, labels=("engine",))
    metrics.watch("drops", "How many.", lambda: 5, kind=Kind.COUNTER)
    assert Shown(metrics).value("queue") == 1
    queue.append(2)
    shown = Shown(metrics)
    assert shown.value("queue") == 2
    assert shown.value("engine_up", engine="b:2") == 0
    assert shown.value("drops_total") == 5
    with pytest.raises(ValueError, match="watched already"):
        metrics.watch("queue", "Again.", lambda: 0)


def test_two_gateways_in_one_process_count_apart() -> None:
    one, other = Metrics(build="1"), Metrics(build="1")
    answer(one)
    assert Shown(one).value("answers_total", **BASE, status="complete") == 1
    assert Shown(other).value("answers_total", **BASE, status="complete") is None


def test_the_number_of_series_is_bounded_whatever_comes() -> None:
    metrics = Metrics(build="1")
    for number in range(2_000):
        answer(metrics, version=f"v{number}")
        metrics.request(f"GET /{number}", 200, 0.1)
        metrics.refused(f"cause {number}")
        metrics.escalated(assistant="support", reason=f"reason {number}", version="v1")
    shown = Shown(metrics)
    lumped = {"assistant": "support", "version": "other", "arm": "other"}
    assert shown.value("answers_total", **lumped, status="complete") == 1_500
    assert shown.value("requests_total", route="other", status="200") == 1_500
    assert shown.value("refusals_total", cause="other") == 1_500
    assert shown.value("escalations_total", **BASE | {"version": "v1"}, reason="other") == 1_500


@pytest.mark.parametrize(
    "accept", ["", "text/plain", "application/openmetrics-text; version=1.0.0"]
)
def test_a_scraper_gets_the_form_that_it_accepts(accept: str) -> None:
    metrics = Metrics(build="1.2.3")
    answer(metrics, version='odd "name"\\\n')
    write, content_type = exposition(metrics, accept)
    openmetrics = "openmetrics" in accept
    assert content_type.startswith(accept.partition(";")[0] or "text/plain")
    assert write().endswith(b"# EOF\n") == openmetrics
    shown = Shown(metrics, accept)
    odd = {**BASE, "version": 'odd "name"\\\n'}
    assert shown.value("answers_total", **odd, status="complete") == 1
    assert any(
        sample.name == "understudy_build_info" and sample.labels["version"] == "1.2.3"
        for sample in shown.samples
    )


def test_what_is_written_is_what_was_read_before() -> None:
    metrics = Metrics(build="1")
    write, _ = exposition(metrics, "")
    answer(metrics)
    assert b"understudy_answers_total{" not in write()
