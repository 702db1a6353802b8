"""`understudy evaluate` and `understudy compare`, as a person runs them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from evaluation.main import _next_step, compare, evaluate
from records.assistant import Assistant
from records.database import Database
from records.errors import InvalidInput, NotFound
from tests.evaluation.build import many_lines
from tests.evaluation.engine import DisturbedEngine, by_question
from tests.evaluation.test_run import CHALLENGER, GATE, LINES, add_challenger, learned


@pytest.fixture
def engine() -> Iterator[DisturbedEngine]:
    """A stub engine in a thread: the commands run a loop of their own."""
    stub = DisturbedEngine("support-base", CHALLENGER)
    stub.answer = by_question(learned)
    loop, started = asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        loop.run_until_complete(stub.start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(stub.stop())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    started.wait()
    yield stub
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: DisturbedEngine, assistant: Assistant
) -> Path:
    """A home with two versions, and an assistant that names its cases."""
    store = Database(f"sqlite:///{tmp_path / 'understudy.db'}")
    store.migrate()
    add_challenger(store, assistant)
    store.close()
    (tmp_path / "assistants").mkdir()
    written = assistant.model_dump(mode="json", exclude={"cases"})
    written |= {"cases": "cases.jsonl", "gate": GATE}
    (tmp_path / "assistants" / "support.yaml").write_text(yaml.safe_dump(written))
    lines = [json.dumps(line) for line in LINES]
    (tmp_path / "assistants" / "cases.jsonl").write_text("\n".join([*lines, "{oh no"]))
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_ASSISTANTS", str(tmp_path / "assistants"))
    monkeypatch.setenv("UNDERSTUDY_ENGINE_URLS", engine.url)
    return tmp_path


def run(*arguments: str) -> Result:
    command = compare if len([a for a in arguments if a.startswith("support-")]) > 1 else evaluate
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def test_compare_prints_table_verdict_report_and_what_to_do_next(home: Path) -> None:
    result = run("support-base", CHALLENGER)
    assert result.exit_code == 0
    shown = result.output
    assert "cases.jsonl:97: " in shown
    assert f"{CHALLENGER}: 96 of 96 cases answered" in shown
    assert "Customers not served right" in shown
    assert "knowledge=new (48 cases)" in shown
    assert f"PASS: {CHALLENGER} against support-base" in shown
    assert f"Next: Let it answer customers: understudy promote {CHALLENGER}" in shown
    (folder,) = (home / "artifacts" / "reports").iterdir()
    assert str(folder) in shown


def test_a_pass_on_other_cases_does_not_lead_to_promote(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_text("\n".join(json.dumps(line) for line in LINES))
    shown = run("support-base", CHALLENGER, "--cases", str(copy)).output
    assert f"PASS: {CHALLENGER} against support-base" in shown
    assert "understudy promote" not in shown
    assert f"compare on those: understudy compare support-base {CHALLENGER}" in shown


def test_evaluate_prints_json_alone_on_standard_output(home: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(json.dumps(line) for line in many_lines(8)))
    result = json.loads(run(CHALLENGER, "--cases", str(few), "--json").stdout)
    assert result["verdict"] is None
    assert result["cases"]["count"] == 8
    assert result["id"].startswith("rep_")
    assert Path(result["folder"], "report.md").is_file()
    assert result["next"].endswith(f"understudy compare support-base {CHALLENGER}")


def test_what_is_missing_is_said_in_a_sentence(home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="support-nothing"):
        run("support-nothing")
    with pytest.raises(NotFound, match="no file of cases"):
        run(CHALLENGER, "--cases", str(tmp_path / "none.jsonl"))
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(InvalidInput, match="no case that can be used"):
        run(CHALLENGER, "--cases", str(tmp_path / "bad.jsonl"))


def test_after_a_pass_promotion_is_advised_against_the_present_champion_only() -> None:
    body = {"champion": "a-1", "challenger": "a-2", "verdict": "PASS"}
    assert "promote a-2" in _next_step(body, "a-1", may_promote=True)
    other = _next_step(body, "a-3", may_promote=False)
    assert "promote" not in other
    assert other.endswith("understudy compare a-3 a-2")
    assert "champion already" in _next_step(body, "a-2", may_promote=False)
