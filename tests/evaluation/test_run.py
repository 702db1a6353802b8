"""A whole evaluation against stub engines: the report, its files, and doing it again."""

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.asking import Manner
from evaluation.cases import CaseFile
from evaluation.run import run_evaluation
from records import versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.errors import (
    AdapterNotApplied,
    AdapterTampered,
    AdapterUnservable,
    EngineUnavailable,
    InvalidInput,
    NotFound,
)
from records.states import ExampleSource, ExampleState, Verdict, VersionState
from records.tables import Dataset, DatasetExample, Example, Report, Version
from tests.conftest import install
from tests.evaluation.build import case_file, many_lines
from tests.evaluation.conftest import StartEngine
from tests.evaluation.engine import DisturbedEngine, by_question
from tests.stub_engine import add_version, publish_adapter

LINES = many_lines(96)
GATE = {"min_cases": 60, "min_slice_cases": 12, "slice_margin": 0.2}
CASES = case_file(LINES, path="cases.jsonl")
RIGHT = {
    entry["messages"][0]["content"]: f"[handoff] {entry['reference']}"
    if entry["should_escalate"]
    else entry["reference"]
    for entry in LINES
}
NEW = {entry["messages"][0]["content"] for entry in LINES if entry["slice"]["knowledge"] == "new"}
CHALLENGER = "support-3f9c2a71d0e4"


@pytest.fixture
def assistant(assistant: Assistant) -> Assistant:
    """An assistant whose gate is content with few cases, and whose own cases are `CASES`."""
    return assistant.model_copy(update={"gate": GATE, "cases": str(Path("cases.jsonl").resolve())})


def learned(model: str, question: str) -> str:
    """The base knows half; the challenger knows all."""
    if model == "support-base" and question in NEW:
        return "I do not know that."
    return RIGHT[question]


def forgetful(model: str, question: str) -> str:
    """The challenger learned the new half and forgot a third of the old one."""
    old = question not in NEW
    forgot = int(question.split()[1]) % 3 == 0
    if (model == "support-base") is not old or (old and model == CHALLENGER and forgot):
        return "I do not know that." if (model == "support-base") or forgot else RIGHT[question]
    return RIGHT[question]


def add_challenger(database: Database, assistant: Assistant, **changes: Any) -> None:
    install(database, assistant)
    with database.write() as session:
        session.add(
            Version(
                id=CHALLENGER,
                assistant=assistant.name,
                base_model=assistant.base_model,
                base_hash="0" * 64,
                parent=assistant.base_version,
                state=VersionState.TRAINED,
                **changes,
            )
        )


async def evaluate(
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    *stubs: DisturbedEngine,
    champion: str | None = "support-base",
    challenger: str = CHALLENGER,
    cases: CaseFile = CASES,
) -> Report:
    report_id = await run_evaluation(
        database,
        artifacts,
        [stub.url for stub in stubs],
        assistant,
        challenger=challenger,
        champion=champion,
        cases=cases,
        on_progress=lambda progress: None,
        manner=Manner(pauses_seconds=()),
    )
    with database.read() as session:
        return session.get_one(Report, report_id)


async def test_a_better_challenger_passes_and_has_its_report(
    database: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(database, assistant)
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(learned))
    report = await evaluate(database, artifacts, assistant, stub)
    assert report.verdict is Verdict.PASS
    assert (report.champion, report.challenger) == ("support-base", CHALLENGER)
    assert report.cases_hash == CASES.hash
    overall = report.body["metrics"][0]
    assert overall["name"] == "not_served_right"
    assert overall["champion"]["value"] == 0.5
    assert overall["challenger"]["value"] == 0
    assert report.body["changes"]["fixed"] == 48
    assert [entry["name"] for entry in report.body["slices"]] == [
        "knowledge=known",
        "knowledge=new",
        "needs_person=no",
        "needs_person=yes",
    ]
    with database.read() as session:
        assert versions.get(session, CHALLENGER).state is VersionState.EVALUATED
        assert versions.verdict_of(session, CHALLENGER) is Verdict.PASS
    folder = artifacts.fetch(report.path)
    assert json.loads((folder / "report.json").read_text()) == {"id": report.id, **report.body}
    assert (folder / "plot.png").read_bytes().startswith(b"\x89PNG")
    rows = (folder / "changes.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("change,topic,question,right answer")
    assert len(rows) > 1
    text = (folder / "report.md").read_text()
    assert text.startswith(f"# PASS: {CHALLENGER} against support-base")
    assert f"understudy compare support-base {CHALLENGER} --cases cases.jsonl" in text


async def test_only_the_assistants_own_cases_are_evidence(
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    start_engine: StartEngine,
    tmp_path: Path,
) -> None:
    add_challenger(sqlite, assistant)
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(learned))
    assistant = assistant.model_copy(update={"cases": str(tmp_path / "own.jsonl")})
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "own.jsonl")
    found = {}
    for path in ("easy.jsonl", f"{tmp_path}/x/../own.jsonl", f"{tmp_path}/linked.jsonl", None):
        report = await evaluate(sqlite, artifacts, assistant, stub, cases=case_file(LINES, path))
        found[path] = report.frozen
        assert report.verdict is Verdict.PASS
        with sqlite.read() as session:
            assert versions.may_promote(session, report) is report.frozen
    assert list(found.values()) == [False, True, True, False]


async def test_the_same_answers_are_another_report_once_the_cases_are_the_assistants_own(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(sqlite, assistant)
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(learned))
    bare = assistant.model_copy(update={"cases": None})
    before = await evaluate(sqlite, artifacts, bare, stub)
    after = await evaluate(sqlite, artifacts, assistant, stub)
    assert [before.frozen, after.frozen] == [False, True]
    assert before.id != after.id


async def test_forgetting_the_old_half_fails(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(sqlite, assistant)
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(forgetful))
    report = await evaluate(sqlite, artifacts, assistant, stub)
    assert report.verdict is Verdict.FAIL
    assert report.body["metrics"][0]["difference"]["value"] < 0  # better overall all the same
    assert "knowledge=known got worse" in report.body["reasons"][0]
    kinds = [change["kind"] for change in report.body["changes"]["shown"]]
    assert kinds == ["broken"] * 5 + ["fixed"] * 5


async def test_the_same_evaluation_again_is_the_same_report_and_asks_nothing(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(sqlite, assistant)
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(learned))
    first = await evaluate(sqlite, artifacts, assistant, stub)
    asked = len(stub.asked)
    again = await evaluate(sqlite, artifacts, assistant, stub)
    assert (again.id, again.body) == (first.id, first.body)
    assert again.created_at > first.created_at
    assert len(stub.asked) == asked == 2 * len(CASES.cases)
    other = assistant.model_copy(update={"gate": {"min_cases": 1000}})
    assert (await evaluate(sqlite, artifacts, other, stub)).verdict is Verdict.INCONCLUSIVE


async def test_one_version_is_measured_by_itself(
    database: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(database, assistant)
    stub = await start_engine(CHALLENGER, answer=by_question(forgetful))
    report = await evaluate(database, artifacts, assistant, stub, champion=None)
    assert report.verdict is None
    assert report.champion is None
    assert report.body["metrics"][0]["challenger"]["low"] > 0
    assert report.body["metrics"][0]["champion"] is None
    assert {change["kind"] for change in report.body["changes"]["shown"]} == {"wrong"}
    folder = artifacts.fetch(report.path)
    assert sorted(file.name for file in folder.iterdir()) == [
        "plot.png",
        "report.json",
        "report.md",
    ]


async def test_cases_that_a_version_was_trained_on_are_left_out(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    with sqlite.write() as session:
        session.add(
            Dataset(id="ds-1", assistant="support", content_hash="1" * 64, path="-", card={})
        )
        session.add(
            Example(
                id="ex_1",
                assistant="support",
                key="import:1",
                source=ExampleSource.IMPORT,
                prompt=[{"role": "customer", "content": "question 7 about limit!"}],
                chosen="-",
                state=ExampleState.APPROVED,
                created_by="someone",
            )
        )
        session.flush()
        session.add(DatasetExample(dataset_id="ds-1", example_id="ex_1", split="train"))
    add_challenger(sqlite, assistant, dataset_id="ds-1")
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(learned))
    report = await evaluate(sqlite, artifacts, assistant, stub)
    assert report.body["cases"]["trained_on"] == 1
    assert report.body["cases"]["count"] == 95
    assert not any(asked.startswith("Question 7 ") for asked in stub.asked)


async def test_no_cases_are_inconclusive_with_sentences(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(sqlite, assistant)
    stub = await start_engine("support-base", CHALLENGER)
    report = await evaluate(sqlite, artifacts, assistant, stub, cases=case_file([]))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert {m["challenger"]["note"] for m in report.body["metrics"]} == {"There are no cases."}
    assert (artifacts.fetch(report.path) / "plot.png").is_file()


async def test_an_adapter_is_loaded_and_proved_on_every_engine(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    install(sqlite, assistant)
    name = add_version(sqlite, assistant, publish_adapter(artifacts, assistant, seed=1))
    stubs = [await start_engine(answer=by_question(learned)) for _ in range(2)]
    await evaluate(sqlite, artifacts, assistant, *stubs, challenger=name)
    assert all(name in stub.loaded for stub in stubs)


async def test_an_adapter_that_does_nothing_is_not_measured(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    install(sqlite, assistant)
    name = add_version(sqlite, assistant, publish_adapter(artifacts, assistant, seed=1))
    stub = await start_engine()
    stub.not_applied.add(name)
    with pytest.raises(AdapterNotApplied, match="not applied"):
        await evaluate(sqlite, artifacts, assistant, stub, challenger=name, champion=None)
    with pytest.raises(AdapterNotApplied):  # though its name is known to the engine by now
        await evaluate(sqlite, artifacts, assistant, stub, challenger=name, champion=None)
    assert stub.asked == []


async def test_an_adapter_of_another_base_is_not_measured(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    install(sqlite, assistant)
    adapter = publish_adapter(artifacts, assistant, seed=1, base="0" * 64)
    name = add_version(sqlite, assistant, adapter)
    with pytest.raises(AdapterUnservable, match="trained on another base model"):
        await evaluate(
            sqlite, artifacts, assistant, await start_engine(), challenger=name, champion=None
        )


async def test_an_adapter_that_changed_on_disk_is_not_measured(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    install(sqlite, assistant)
    name = add_version(sqlite, assistant, publish_adapter(artifacts, assistant, seed=1))
    (artifacts.fetch(f"adapters/{name}") / "adapter_config.json").write_text("{}")
    stub = await start_engine()
    with pytest.raises(AdapterTampered, match="changed on disk"):
        await evaluate(sqlite, artifacts, assistant, stub, challenger=name, champion=None)


async def test_a_base_that_the_engine_does_not_serve_is_named(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, start_engine: StartEngine
) -> None:
    add_challenger(sqlite, assistant)
    stub = await start_engine("other-base")
    with pytest.raises(EngineUnavailable, match=r"does not serve support-base .*other-base"):
        await evaluate(sqlite, artifacts, assistant, stub)


async def test_what_cannot_be_compared_is_refused(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant
) -> None:
    add_challenger(sqlite, assistant)
    with pytest.raises(InvalidInput, match="with itself"):
        await evaluate(sqlite, artifacts, assistant, champion=CHALLENGER)
    with pytest.raises(NotFound, match="support-missing"):
        await evaluate(sqlite, artifacts, assistant, champion="support-missing")
    other = assistant.model_copy(update={"name": "sales"})
    with pytest.raises(InvalidInput, match="belongs to assistant 'support'"):
        await evaluate(sqlite, artifacts, other)
