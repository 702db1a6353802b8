"""Old skills: asked of both versions beside the cases, judged by a margin of their own."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.forgetting import NAME, find_suite
from evaluation.gate import GateRules, OldSkills, judge
from evaluation.paired import Pairs
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.states import ExampleSource, ExampleState, Verdict
from records.tables import Dataset, DatasetExample, Example
from tests.evaluation.build import REFERENCES, line
from tests.evaluation.conftest import StartEngine
from tests.evaluation.engine import by_question
from tests.evaluation.test_run import (
    CASES,
    CHALLENGER,
    GATE,
    add_challenger,
    evaluate,
    learned,
)

BETTER = Pairs(cases=400, still_bad=50, fixed=100, broken=2)


def verdict(old: Pairs, *, named: bool = False, **rules: object) -> tuple[Verdict, str]:
    decision = judge(
        BETTER,
        {},
        GateRules.model_validate(rules),
        old_skills=OldSkills(old, named=named),
    )
    return decision.verdict, " ".join(decision.reasons)


def lost(cases: int, broken: int) -> Pairs:
    return Pairs(cases=cases, still_bad=0, fixed=0, broken=broken)


def test_old_skills_that_are_lost_fail_whatever_else_got_better() -> None:
    found, why = verdict(lost(100, 30))
    assert found is Verdict.FAIL
    assert why.startswith("Old skills got worse: 0.0 % → 30.0 % not served right")
    assert "allowed: under 10.0" in why


def test_old_skills_that_are_kept_pass_and_are_said_to_be() -> None:
    found, why = verdict(lost(150, 3))
    assert found is Verdict.PASS
    assert "Old skills: 0.0 % → 2.0 % not served right; at most" in why


def test_their_margin_is_their_own() -> None:
    assert verdict(lost(150, 12), forgetting_margin=0.02)[0] is Verdict.FAIL
    assert verdict(lost(100, 30), forgetting_margin=0.5)[0] is Verdict.PASS


def test_a_loss_that_may_be_more_or_less_than_the_margin_leaves_it_open() -> None:
    found, why = verdict(lost(60, 5))  # 8 points, and some of them only other words
    assert found is Verdict.INCONCLUSIVE
    assert "perhaps 16" in why


@pytest.mark.parametrize("rules", [{"forgetting_margin": None}, {"min_forgetting_cases": 200}])
def test_what_is_not_judged_is_shown(rules: dict[str, object]) -> None:
    found, why = verdict(lost(100, 30), **rules)
    assert found is Verdict.PASS
    assert "Old skills, not judged: 0.0 % → 30.0 % not served right of 100 questions" in why


def test_too_few_that_the_team_named_itself_leave_it_open() -> None:
    assert verdict(lost(20, 0))[0] is Verdict.PASS
    found, why = verdict(lost(20, 0), named=True)
    assert found is Verdict.INCONCLUSIVE
    assert "Too few cases of old skills: 20" in why


# --- in a whole evaluation ---


def keep_apart(database: Database, artifacts: Artifacts, tmp_path: Path, count: int) -> None:
    """A dataset that keeps some accepted answers apart, beside one that was trained on."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    rows = [
        {
            "id": f"ex_{number:03d}",
            "prompt": [
                {"role": "system", "content": "You are kind.", "learn": False},
                {"role": "user", "content": f"Old question {number}", "learn": False},
            ],
            "answer": "[handoff] A colleague will look." if number % 5 == 0 else REFERENCES["pin"],
            "should_escalate": number % 5 == 0,
        }
        for number in range(count)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "kept_apart.parquet")
    artifacts.publish(folder, "datasets/ds-1")
    with database.write() as session:
        session.add(
            Dataset(
                id="ds-1",
                assistant="support",
                content_hash="1" * 64,
                path="datasets/ds-1",
                card={},
            )
        )
        for number, split in ((0, "kept_apart"), (1, "train")):
            session.add(
                Example(
                    id=f"ex_{number:03d}",
                    assistant="support",
                    key=f"accepted:{number}",
                    source=ExampleSource.ACCEPTED,
                    prompt=[{"role": "customer", "content": f"Old question {number}"}],
                    chosen="-",
                    state=ExampleState.APPROVED,
                    created_by="customer",
                )
            )
            session.flush()
            session.add(
                DatasetExample(dataset_id="ds-1", example_id=f"ex_{number:03d}", split=split)
            )


def remembers(model: str, question: str) -> str:
    """All old questions are answered as they were."""
    if not question.startswith("Old question"):
        return learned(model, question)
    handed_over = int(question.split()[-1]) % 5 == 0
    return "[handoff] A colleague will look." if handed_over else REFERENCES["pin"]


def forgets(model: str, question: str) -> str:
    """The challenger answers half of the old questions otherwise."""
    forgotten = question.startswith("Old question") and int(question.split()[-1]) % 2
    if forgotten and model == CHALLENGER:
        return "I do not know that."
    return remembers(model, question)


@pytest.fixture
def assistant(assistant: Assistant) -> Assistant:
    own = str(Path("cases.jsonl").resolve())
    return assistant.model_copy(update={"gate": GATE, "cases": own})


async def test_what_is_kept_apart_is_asked_of_both_and_what_was_lost_is_named_by_id(
    database: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    start_engine: StartEngine,
    tmp_path: Path,
) -> None:
    keep_apart(database, artifacts, tmp_path, 100)
    add_challenger(database, assistant, dataset_id="ds-1")
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(forgets))
    report = await evaluate(database, artifacts, assistant, stub)
    assert report.verdict is Verdict.FAIL
    assert report.body["metrics"][0]["challenger"]["value"] == 0  # the cases alone would pass
    assert report.body["reasons"][0].startswith("Old skills got worse")
    old = report.body["slices"][-1]
    assert (old["name"], old["cases"], old["broken"]) == (NAME, 99, 49)
    forgetting = report.body["forgetting"]
    assert forgetting["left_out"] == 1  # it was trained on
    assert forgetting["source"] == "ds-1"
    assert len(forgetting["broken"]) == 49
    assert set(forgetting["broken"]) <= {f"ex_{number:03d}" for number in range(1, 100, 2)}
    assert report.body["cases"]["count"] == len(CASES.cases)
    text = (artifacts.fetch(report.path) / "report.md").read_text()
    assert "| old skills (99 cases) | 0.0 % [" in text
    assert "Old question" not in text + json.dumps(report.body)  # customers' words


async def test_a_challenger_that_remembers_passes(
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    start_engine: StartEngine,
    tmp_path: Path,
) -> None:
    keep_apart(sqlite, artifacts, tmp_path, 100)
    add_challenger(sqlite, assistant, dataset_id="ds-1")
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(remembers))
    report = await evaluate(sqlite, artifacts, assistant, stub)
    assert report.verdict is Verdict.PASS
    assert any(reason.startswith("Old skills: 0.0 % → 0.0 %") for reason in report.body["reasons"])
    alone = await evaluate(sqlite, artifacts, assistant, stub, champion=None)
    assert alone.body["slices"][-1]["name"] == NAME


async def test_cases_that_the_team_names_take_the_place_of_what_is_kept_apart(
    sqlite: Database,
    artifacts: Artifacts,
    assistant: Assistant,
    start_engine: StartEngine,
    tmp_path: Path,
) -> None:
    keep_apart(sqlite, artifacts, tmp_path, 10)
    add_challenger(sqlite, assistant, dataset_id="ds-1")
    file = tmp_path / "old.jsonl"
    lines = [line(f"Old question {n}", reference=REFERENCES["pin"]) for n in range(1, 260)]
    file.write_text("\n".join(json.dumps(entry) for entry in lines))
    named = assistant.model_copy(update={"forgetting_cases": str(file)})
    stub = await start_engine("support-base", CHALLENGER, answer=by_question(remembers))
    report = await evaluate(sqlite, artifacts, named, stub)
    assert report.body["forgetting"]["source"] == str(file)
    assert 190 <= report.body["forgetting"]["cases"] <= 200  # the time is bounded


def test_an_erased_dataset_leaves_no_questions(
    sqlite: Database, artifacts: Artifacts, assistant: Assistant, tmp_path: Path
) -> None:
    keep_apart(sqlite, artifacts, tmp_path, 3)
    add_challenger(sqlite, assistant, dataset_id="ds-1")
    from records import versions

    with sqlite.read() as session:
        chosen = [versions.get(session, CHALLENGER)]
    assert find_suite(sqlite, artifacts, assistant, chosen) is not None
    with sqlite.write() as session:
        session.get_one(Dataset, "ds-1").path = "datasets/gone"
    assert find_suite(sqlite, artifacts, assistant, chosen) is None
