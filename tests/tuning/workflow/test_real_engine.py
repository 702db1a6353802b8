"""On the real vLLM: a retraining whose adapter is proved to be on."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from records import versions
from records.adapters import read_manifest
from records.artifacts import Artifacts
from records.database import Database
from records.engine import Engine
from records.proof import Proof, prove
from records.states import JobState
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.workflow.test_durable import ended, request
from tuning.settings import WorkerSettings
from tuning.workflow.worker import Worker

if TYPE_CHECKING:
    from tests.real_engine import RealEngine

pytestmark = pytest.mark.alone


def test_a_trained_adapter_is_proved_on_vllm(real_engine: "RealEngine", tmp_path: Path) -> None:
    settings = WorkerSettings(
        home=tmp_path,
        assistants=write_assistant(tmp_path / "assistants", base_model=str(real_engine.base)),
        engine_urls=real_engine.url,
    )
    store = Database(settings.database)
    store.migrate()
    shelf = Artifacts(settings.artifacts, cache=tmp_path / "artifacts")
    teach(store, lessons(48))
    with Worker(settings, store, shelf) as worker:
        job_id = request(store, epochs=3, batch_size=8, learning_rate=1e-3)
        worker.take_up()
        job = ended(store, job_id, seconds=240)
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    with store.read() as session:
        version = versions.get(session, str(job.version))
    folder = shelf.fetch(str(version.adapter_path))

    async def measure() -> Proof:
        async with Engine(real_engine.url) as engine:
            return await prove(engine, version.id, read_manifest(folder))

    proof = asyncio.run(measure())
    assert proof.to_adapter < 0.001
    assert proof.to_base > 0.1
    store.close()
