"""Retraining, an experiment and a release, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from records import jobs, versions
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.states import Verdict
from tests.bot.office import CHANNEL, Office, found, offering, opened_form, saying, told
from tests.bot.releases import approve_examples, challenger
from tests.conftest import install


@pytest.fixture
async def office_on_each(
    database: Database, assistant: Assistant, artifacts: Artifacts, tmp_path: Path
) -> AsyncIterator[Office]:
    install(database, assistant)
    office = Office(database, assistant, artifacts, tmp_path)
    async with office.open():
        yield office


async def test_from_a_retraining_to_a_roll_back(office_on_each: Office, tmp_path: Path) -> None:
    office = office_on_each
    olga = office.person("U0OLGA")
    approve_examples(office)
    await olga.slash("/retrain", channel=CHANNEL)
    await opened_form(olga, "to be used:* 3")
    await olga.submit({})
    await found(olga, offering("cancel_job"))
    with office.database.read() as session:
        assert [job.requested_by for job in jobs.active(session)] == ["U0OLGA"]
    name, _ = challenger(office, tmp_path / "made", verdict=Verdict.PASS)
    report = await found(olga, offering("start_experiment"))
    await olga.click(CHANNEL, report["ts"], "start_experiment")
    experiment = await found(olga, offering("ramp:25"))
    await olga.click(CHANNEL, experiment["ts"], "ramp:25")
    await found(olga, saying("25% of the customers"))
    await olga.click(CHANNEL, experiment["ts"], "promote_arm:0")
    await found(olga, saying("Ended by <@U0OLGA>"))
    await olga.slash("/rollback", channel=CHANNEL)
    await opened_form(olga, "answers all customers")
    await olga.submit({})
    await found(olga, saying(f"Rolled back from version 2 ({name})"))
    await olga.slash("/versions", channel=CHANNEL)
    await told(olga, ":zzz: was champion")
    with office.database.read() as session:
        assert versions.champion(session, "support").id == "support-base"
