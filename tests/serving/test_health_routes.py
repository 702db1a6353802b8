"""Whether the gateway is ready, with reasons; and who may read its metrics."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
import yaml
from sqlalchemy import func, select

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import StorageFull
from records.keys import create
from records.states import KeyScope
from records.tables import Turn
from tests.serving.running_gateway import Stack, running, until
from tests.serving.scrape import Scraped, Shown
from tests.stub_engine import StubEngine

DOCS = Path(__file__).resolve().parents[2] / "docs" / "observability.md"


async def scrape(stack: Stack, *, accept: str = "", key: str = "admin") -> Scraped:
    headers = {**stack.headers(key), "Accept": accept}
    async with stack.http.get(f"{stack.url}/metrics", headers=headers) as response:
        assert response.status == 200, await response.text()
        return Scraped(await response.text(), openmetrics="openmetrics" in accept)


async def test_a_gateway_that_can_answer_and_record_is_ready(stack: Stack) -> None:
    ready = await stack.call("GET", "/health/ready")
    assert (ready["status"], ready["reasons"], ready["waiting"]) == (200, [], [])
    assert (await stack.call("GET", "/health/live"))["status"] == 200


async def test_without_an_engine_it_is_not_ready_and_says_so(stack: Stack) -> None:
    await stack.engine.stop()
    await until(lambda: not stack.gateway.fleet.healthy)
    ready = await stack.call("GET", "/health/ready")
    assert (ready["status"], ready["reasons"]) == (503, ["No engine answers."])
    assert ready["waiting"] == ["support"]
    assert (await stack.call("GET", "/health/live"))["status"] == 200


async def test_what_no_engine_is_ready_for_is_named(stack: Stack) -> None:
    stack.engine.bases = ["another-base"]
    await until(lambda: not stack.gateway.fleet.ready("support-base"))
    ready = await stack.call("GET", "/health/ready")
    assert ready["status"] == 503
    assert ready["reasons"] == ["support: no engine is ready for support-base."]


async def test_while_nothing_can_be_recorded_it_is_not_ready(
    tmp_path: Path,
    migrated_sqlite: Path,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    file = shutil.copy(migrated_sqlite, tmp_path / "locked.db")
    database = Database(f"sqlite:///{file}", lock_wait_seconds=1)
    async with running(
        tmp_path, database=database, artifacts=artifacts, assistant=assistant, engine=engine,
        ready_lag_seconds=0.2,
    ) as stack:  # fmt: skip
        with Database(f"sqlite:///{file}").write() as other:
            other.execute(select(func.count(Turn.id)))
            ready = await stack.call("GET", "/health/ready")
        assert ready["status"] == 503
        assert ready["reasons"] == ["Recording takes longer than 0.2 s."]
        assert (await stack.call("GET", "/health/ready"))["status"] == 200
    database.close()


async def test_a_gateway_that_keeps_turns_in_a_journal_is_ready_without_a_database(
    tmp_path: Path,
    migrated_sqlite: Path,
    artifacts: Artifacts,
    assistant: Assistant,
    engine: StubEngine,
) -> None:
    file = shutil.copy(migrated_sqlite, tmp_path / "locked.db")
    database = Database(f"sqlite:///{file}", lock_wait_seconds=0.2)
    async with running(
        tmp_path, database=database, artifacts=artifacts, assistant=assistant, engine=engine,
        ready_lag_seconds=0.2, when_storage_fails="spool",
    ) as stack:  # fmt: skip
        with Database(f"sqlite:///{file}").write() as other:
            other.execute(select(func.count(Turn.id)))
            assert (await stack.chat())["status"] == 200
            ready = await stack.call("GET", "/health/ready")
            found = await scrape(stack)
        assert (ready["status"], ready["reasons"]) == (200, [])
        assert ready["spooled"] > 0
        assert found.value("spooled_records") == ready["spooled"]
        await until(lambda: stack.gateway.recorder.spooled == 0)
    database.close()


async def test_why_nothing_can_be_recorded_is_told(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_session: object) -> None:
        raise StorageFull("The database has no space left.")

    monkeypatch.setattr("serving.health_routes._nothing", full)
    ready = await stack.call("GET", "/health/ready")
    assert ready["status"] == 503
    assert ready["reasons"] == ["Nothing can be recorded: no space is left."]


async def test_a_gateway_that_is_about_to_stop_is_not_ready_but_answers(stack: Stack) -> None:
    stack.gateway.draining.begun = True
    ready = await stack.call("GET", "/health/ready")
    assert (ready["status"], ready["reasons"]) == (503, ["This gateway is about to stop."])
    assert (await stack.chat())["status"] == 200


@pytest.mark.parametrize(
    ("scope", "status"),
    [(KeyScope.OPS, 200), (KeyScope.ADMIN, 200), (KeyScope.AGENT, 403), (KeyScope.CUSTOMER, 403)],
)
async def test_metrics_need_a_key_of_scope_ops(stack: Stack, scope: KeyScope, status: int) -> None:
    with stack.database.write() as session:
        key = create(session, name="prometheus", scope=scope, actor="test")
    headers = {"Authorization": f"Bearer {key}"}
    async with stack.http.get(f"{stack.url}/metrics", headers=headers) as response:
        assert response.status == status
    async with stack.http.get(f"{stack.url}/metrics") as response:
        assert response.status == 401


async def test_metrics_can_be_opened(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, assistant: Assistant, engine: StubEngine
) -> None:
    async with (
        running(
            tmp_path, database=sqlite, artifacts=artifacts, assistant=assistant, engine=engine,
            metrics_open=True,
        ) as stack,
        stack.http.get(f"{stack.url}/metrics") as response,
    ):  # fmt: skip
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")


def documented() -> set[str]:
    """The metrics of the table in docs/observability.md."""
    return set(re.findall(r"^\| `(understudy_\w+)`", DOCS.read_text(), re.MULTILINE))


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text"])
async def test_every_documented_metric_exists_and_every_metric_is_documented(
    stack: Stack, accept: str
) -> None:
    await stack.chat()
    found = {n for n in (await scrape(stack, accept=accept)).names if n.startswith("understudy_")}
    if accept:  # OpenMetrics has a type of its own for these
        found = {f"{n}_info" if n == "understudy_build" else n for n in found}
    assert documented() == found
    assert len(found) > 20


def test_the_documented_rules_ask_for_documented_metrics() -> None:
    blocks = [yaml.safe_load(b) for b in re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.S)]
    (rules,) = (block["groups"][0]["rules"] for block in blocks if "groups" in block)
    assert len(rules) == 3
    for rule in rules:
        asked = set(re.findall(r"understudy_\w+", rule["expr"]))
        assert asked
        assert {name.removesuffix("_bucket") for name in asked} <= documented()


async def test_an_answer_shows_in_the_metrics(stack: Stack) -> None:
    await stack.chat()
    await stack.chat(stream=False)
    found = await scrape(stack)
    base = {"assistant": "support", "version": "support-base", "arm": "none"}
    chat = {"route": "POST /v1/chat/completions", "status": "200"}
    assert found.value("answers_total", **base, status="complete") == 2
    assert found.value("answer_seconds_count", **base) == 2
    assert (found.value("completion_tokens_total", **base) or 0) > 0
    assert found.value("requests_total", **chat) == 2
    assert found.value("requests_in_flight") == 1  # the scrape itself
    assert (found.value("recording_seconds_count") or 0) >= 4
    assert found.value("recorder_queue") == 0
    host = stack.engine.url.removeprefix("http://")
    assert found.value("engine_healthy", engine=host) == 1
    assert found.value("engine_ready_versions", engine=host) == 1
    assert found.value("champion_served", assistant="support") == 1
    served = {"pointed": "support-base", "served": "support-base"}
    assert found.value("release_info", assistant="support", **served) == 1


async def test_an_engine_that_is_down_shows_as_escalations_and_fixed_sentences(
    stack: Stack,
) -> None:
    await stack.engine.stop()
    await until(lambda: not stack.gateway.fleet.healthy)
    assert (await stack.chat())["status"] == 200
    found = await scrape(stack)
    nobody = {"assistant": "support", "version": "none", "arm": "none"}
    assert found.value("answers_total", **nobody, status="fallback") == 1
    assert found.value("escalations_total", **nobody, reason="engine") == 1
    host = stack.engine.url.removeprefix("http://")
    assert found.value("engine_healthy", engine=host) == 0


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_whose_customer_leaves_shows_as_abandoned(
    stack: Stack, *, stream: bool
) -> None:
    stack.engine.hold()
    asking = asyncio.create_task(stack.chat(stream=stream))
    await stack.engine.waiting.wait()
    asking.cancel()
    base = {"assistant": "support", "version": "support-base", "arm": "none"}
    metrics = stack.gateway.observing.metrics
    await until(lambda: Shown(metrics).value("answers_total", **base, status="abandoned") == 1)
    stack.engine.held.set()
    await until(lambda: Shown(metrics).value("requests_in_flight") == 0)
    assert Shown(metrics).value("answers_total", **base, status="complete") is None


async def test_a_request_that_is_refused_shows_by_cause(stack: Stack) -> None:
    await stack.call("POST", "/v1/chat/completions", json={}, headers={})
    await stack.call("GET", "/nowhere")
    found = await scrape(stack)
    assert found.value("refusals_total", cause="invalid_api_key") == 1
    assert found.value("requests_total", route="POST /v1/chat/completions", status="401") == 1
    assert found.value("requests_total", route="other", status="404") == 1
