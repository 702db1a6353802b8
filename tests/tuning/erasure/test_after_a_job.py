"""After a real retraining nothing of an erased customer is left in the home: whatever wrote it."""

import pytest
from sqlalchemy import select

from records import conversations, examples, flags
from records.artifacts import Artifacts
from records.assistant import read_assistants
from records.conversations import Arrival
from records.database import Database
from records.flags import Judgement
from records.ids import new_id, utc_now
from records.messages import Role
from records.states import JobState
from records.tables import Dataset, Example, Turn
from tests.tuning.build import lessons, teach
from tests.tuning.erasure.world import places_of
from tests.tuning.workflow.test_durable import ended, request, running
from tuning.dataset.rows import TRAIN, read_rows
from tuning.erasure.erase import Place, erase
from tuning.settings import WorkerSettings

SECRET = "zqannika"
"""In lower case, as cleaned and normalised texts have it, too."""


def corrected(database: Database, number: int) -> None:
    """A flag of one customer's, approved; two of them nearly the same, one contradicting."""
    with database.write() as session:
        arrival = Arrival(
            assistant="support",
            conversation_id=new_id("conv"),
            content=f"May {SECRET} pay in shop {'the big' if number < 3 else number}?",
            customer=f"customer {SECRET}",
        )
        asked = conversations.receive(session, arrival)
        answer = Turn(
            conversation_id=asked.conversation_id, role=Role.ASSISTANT, content="No.", version="v"
        )
        conversations.add_turn(session, answer)
        said = Judgement(correction=f"Yes, {SECRET} may, {number % 2}.")
        flag = flags.add(session, answer.id, agent="U1", judgement=said)
        example = session.scalars(select(Example).where(Example.flag_id == flag.id)).one()
        examples.decide(session, example.id, approve=True, actor="U2")


@pytest.mark.slow
def test_nothing_that_a_retraining_wrote_holds_their_words(
    settings: WorkerSettings, store: Database, shelf: Artifacts
) -> None:
    teach(store, lessons(12))
    for number in range(6):
        corrected(store, number)
    with running(settings, store, shelf):
        job = ended(store, request(store))
    assert job.state is JobState.SUCCEEDED, job.error
    assert "artifacts/datasets" in " ".join(places_of(SECRET, settings.home))
    place = Place(
        database=store,
        artifacts=shelf,
        home=settings.home,
        jobs=settings.jobs,
        wordings=settings.home / "augmentation.sqlite",
        assistants=tuple(read_assistants(settings.assistants).values()),
    )
    erased = erase(place, f"customer {SECRET}", actor="ops", clock=utc_now)
    assert erased.left == []
    assert places_of(SECRET, settings.home) == []
    [trained] = erased.trained
    assert trained.version == job.version
    with store.read() as session:
        new = session.get_one(Dataset, erased.datasets[0].new)
    rows = list(read_rows(shelf.fetch(new.path) / TRAIN))
    assert len(rows) == new.card["counts"]["train"]
