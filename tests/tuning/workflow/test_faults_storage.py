"""Jobs whose artifacts lie behind S3 (moto's server on loopback), also while it is away."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from records import versions
from records.artifacts import Artifacts
from records.database import Database
from records.states import JobState
from tests.conftest import free_port
from tests.tuning.build import lessons, teach, write_assistant
from tests.tuning.workflow.test_durable import ended, request, running
from tests.tuning.workflow.test_faults import around_steps, stages, write_cases
from tuning.settings import WorkerSettings
from tuning.workflow.interruption import Interruption
from tuning.workflow.stages import Stage

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

pytestmark = pytest.mark.slow


def start(port: int) -> "ThreadedMotoServer":
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    return server


class Bucket:
    """A server with one bucket, which can be stopped and started: what it holds stays."""

    def __init__(self) -> None:
        import boto3

        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._server: ThreadedMotoServer | None = start(self.port)
        client = boto3.client("s3", endpoint_url=self.address)
        client.create_bucket(Bucket=f"bucket-{self.port}")
        client.close()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
        self._server = None

    def start(self) -> None:
        if self._server is None:
            self._server = start(self.port)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket; the credentials are the usual variables."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    made = Bucket()
    yield made
    made.stop()


@pytest.fixture
def far(settings: WorkerSettings, bucket: Bucket) -> WorkerSettings:
    """Settings whose artifacts lie in that bucket."""
    changes = {
        "artifacts_url": f"s3://bucket-{bucket.port}/understudy",
        "artifacts_endpoint": bucket.address,
    }
    return settings.model_copy(update=changes)


def test_a_whole_job_with_its_artifacts_in_a_bucket(
    far: WorkerSettings, store: Database, tmp_path: Path
) -> None:
    write_assistant(far.assistants, cases=write_cases(tmp_path / "cases.jsonl"))
    teach(store, lessons(12))
    with running(far, store, Artifacts.of(far)):
        job = ended(store, request(store))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    elsewhere = Artifacts.of(far.model_copy(update={"home": tmp_path / "other machine"}))
    with store.read() as session:
        version = versions.get(session, str(job.version))
    adapter = elsewhere.fetch(str(version.adapter_path))
    assert (adapter / "adapter_model.safetensors").is_file()
    assert (elsewhere.fetch(f"datasets/{job.dataset_id}") / "train.parquet").is_file()
    assert (elsewhere.fetch(f"reports/{job.report_id}") / "report.md").is_file()


def test_a_bucket_that_is_away_for_a_while_is_waited_for(
    far: WorkerSettings, store: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(store, lessons(12))
    told = stages(monkeypatch)

    def cut(attempt: Callable[[], Any], name: str) -> Any:
        if name == "publish":
            bucket.stop()
        return attempt()

    pause = Interruption.pause

    def come_back(self: Interruption, job_id: str, seconds: float) -> None:
        bucket.start()
        pause(self, job_id, seconds)

    around_steps(monkeypatch, cut)
    monkeypatch.setattr(Interruption, "pause", come_back)
    with running(far, store, Artifacts.of(far)):
        job = ended(store, request(store))
    assert (job.state, job.error) == (JobState.SUCCEEDED, None)
    assert Stage.STORAGE_AWAY in told


def test_a_bucket_that_stays_away_ends_the_job_in_words(
    far: WorkerSettings, store: Database, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(store, lessons(12))

    def cut(attempt: Callable[[], Any], name: str) -> Any:
        if name == "publish":
            bucket.stop()
        return attempt()

    around_steps(monkeypatch, cut)
    impatient = far.model_copy(update={"storage_wait_seconds": 1.0})
    with running(impatient, store, Artifacts.of(far)):
        job = ended(store, request(store))
    assert job.state is JobState.FAILED
    assert "cannot be looked for in s3://bucket-" in str(job.error)
    with store.read() as session:
        assert len(versions.listed(session)) == 1
