"""The worker's part: how a retraining goes on and ends, without the training.

Dataset, version and answers are pretended; comparison, plot, file of changed answers and what was
flagged are made by the real evaluation.
"""

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from deploy.demo.pictures.adapter import publish_adapter
from deploy.demo.pictures.office import Office
from evaluation.cases import read_cases
from evaluation.corrected import check_corrected
from evaluation.run import run_evaluation
from records import examples, fixes, jobs, outbox, versions
from records.adapters import base_hash
from records.states import JobState, VersionState
from records.tables import Dataset, DatasetExample, Flag, Version

_TRAINING = {
    "step": 412,
    "steps": 730,
    "loss": 0.148,
    "held_out_loss": 0.203,
    "tokens_per_second": 2140,
    "seconds_left": 171,
}


def requested(office: Office) -> str:
    """The id of the job that waits."""
    with office.database.read() as session:
        job = jobs.active_of(session, office.assistant.name)
        assert job is not None
        return job.id


def train(office: Office, job: str) -> None:
    """Be in the middle of the training."""
    dataset = _snapshot(office)
    with office.database.write() as session:
        jobs.advance(session, job, stage="dataset ready", dataset_id=dataset)
        jobs.advance(session, job, stage="training", progress=_TRAINING)


async def finish(office: Office, job: str, *, seed: int) -> str:
    """Publish, compare, ask again what was flagged, report; returns the version."""
    with office.database.read() as session:
        dataset = jobs.get(session, job).dataset_id
    version = _register(office, str(dataset), seed)
    report = await run_evaluation(
        office.database,
        office.artifacts,
        [office.engine_url],
        office.assistant,
        challenger=version,
        champion=office.assistant.base_version,
        cases=read_cases(Path(str(office.assistant.cases))),
        on_progress=lambda _: None,
    )
    await _ask_what_was_flagged(office, version)
    with office.database.write() as session:
        jobs.advance(session, job, stage="reported", version=version, report_id=report)
        outbox.put(session, outbox.Kind.REPORT_READY, report)
        jobs.finish(session, job, state=JobState.SUCCEEDED)
    return version


def age_flags(office: Office, *, days: float) -> None:
    """Let what is flagged have been flagged earlier: a retraining comes days later."""
    with office.database.write() as session:
        for flag in session.scalars(select(Flag)):
            flag.created_at -= timedelta(days=days)


def _snapshot(office: Office) -> str:
    """The dataset of all that is approved; returns its id."""
    with office.database.write() as session:
        held = examples.approved(session, office.assistant.name)
        content = json.dumps([[e.prompt, e.chosen] for e in held])
        digest = hashlib.sha256(content.encode()).hexdigest()
        dataset = Dataset(
            id=f"ds-{digest[:12]}",
            assistant=office.assistant.name,
            content_hash=digest,
            path=f"datasets/ds-{digest[:12]}",
            card={},
        )
        session.add(dataset)
        session.flush()
        for example in held:
            row = DatasetExample(dataset_id=dataset.id, example_id=example.id, split="train")
            session.add(row)
        return dataset.id


def _register(office: Office, dataset: str, seed: int) -> str:
    name = publish_adapter(office.artifacts, office.assistant, seed=seed)
    version = Version(
        id=name,
        assistant=office.assistant.name,
        base_model=office.assistant.base_model,
        base_hash=base_hash(office.assistant.base_model),
        adapter_path=f"adapters/{name}",
        dataset_id=dataset,
        parent=office.assistant.base_version,
        state=VersionState.TRAINED,
    )
    with office.database.write() as session:
        versions.register(session, version)
    return name


async def _ask_what_was_flagged(office: Office, version: str) -> None:
    with office.database.read() as session:
        flagged = fixes.candidates(session, office.assistant.name, most=200)
    checked = await check_corrected(
        office.database,
        office.artifacts,
        [office.engine_url],
        office.assistant,
        version_id=version,
        examples=flagged,
        on_progress=lambda _: None,
    )
    with office.database.write() as session:
        for one in checked:
            fixes.record(
                session,
                one.flag_id,
                version=version,
                answer=one.answer,
                handed_over=one.handed_over,
                fixed=one.fixed,
            )
