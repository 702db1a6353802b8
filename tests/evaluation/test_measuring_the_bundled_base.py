"""The bundled base model, measured through the real vLLM."""

from pathlib import Path

import pytest

from evaluation.answers import cached, question
from evaluation.cases import CaseFile, read_cases
from evaluation.run import run_evaluation
from records.adapters import base_hash
from records.artifacts import Artifacts
from records.database import Database
from records.states import VersionState
from records.tables import Report, Version
from records.versions import install_base
from tests.real_engine import RealEngine

CASES = Path(__file__).parents[2] / "deploy" / "demo" / "cases.jsonl"


@pytest.mark.alone
async def test_the_bundled_base_knows_the_half_that_it_was_taught(
    sqlite: Database, artifacts: Artifacts, real_engine: RealEngine
) -> None:
    assistant = real_engine.assistant
    version = Version(
        id=assistant.base_version,
        assistant=assistant.name,
        base_model=assistant.base_model,
        base_hash=base_hash(assistant.base_model),
        state=VersionState.TRAINED,
    )
    with sqlite.write() as session:
        install_base(session, version)
    cases = CaseFile(read_cases(CASES).cases[:200])
    report_id = await run_evaluation(
        sqlite,
        artifacts,
        [real_engine.url],
        assistant,
        challenger=version.id,
        champion=None,
        cases=cases,
        on_progress=lambda progress: None,
    )
    with sqlite.read() as session:
        body = session.get_one(Report, report_id).body
    assert body["answers"][version.id]["refused"] == 0
    known, new = (
        next(entry for entry in body["slices"] if entry["name"] == name)["challenger"]["value"]
        for name in ("knowledge=known", "knowledge=new")
    )
    assert known < 0.3 < 0.6 < new
    asked = [question(case, assistant, version=version.id) for case in cases.cases]
    answers = cached(sqlite, asked).values()
    assert len(answers) == 200
    assert all(a.mean_logprob is not None and a.mean_logprob <= 0 for a in answers)
