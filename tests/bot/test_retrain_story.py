"""Retraining from Slack: what the form shows, what is asked for, one message until the end."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.standin.people import Person, buttons_of, text_of
from records import jobs, training_data
from records.assistant import RetrainOptions, SlackOptions
from records.database import Database
from records.ids import utc_now
from records.states import ExampleSource, JobState
from records.tables import Job
from tests.bot.office import CHANNEL, Office, found, offering, opened_form, saying, told
from tests.bot.releases import approve_examples


def the_job(office: Office) -> Job:
    with office.database.read() as session:
        (job,) = jobs.active(session)
    return job


async def asked(person: Person, entries: dict[str, object] | None = None) -> None:
    """Ask for a retraining, as the form offers it."""
    await person.slash("/retrain", channel=CHANNEL)
    await opened_form(person, "to be used")
    assert await person.submit(entries or {}) == {}


async def test_the_form_shows_what_is_used_and_what_is_not(office: Office) -> None:
    approve_examples(office, 3)
    approve_examples(office, 2, source=ExampleSource.ACCEPTED)
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", channel=CHANNEL)
    form = str(await opened_form(olga, "to be used"))
    assert "to be used:* 5 (3 from flagged answers, 2 accepted answers for replay)" in form
    assert "*New* since the champion's dataset: 3" in form
    assert "0 wait for review, 0 were rejected" in form
    assert "Fewer than 1,000 examples" in form
    assert "supervised fine-tuning" in form
    assert "support-base" in form


async def test_one_message_follows_the_job_from_request_to_end(office: Office) -> None:
    approve_examples(office)
    olga = office.person("U0OLGA")
    await asked(olga)
    await told(olga, "A retraining of support is on its way")
    message = await found(olga, saying("asked for by <@U0OLGA>"))
    job = the_job(office)
    with office.database.write() as session:
        progress = {
            "step": 30,
            "steps": 120,
            "loss": 0.4321,
            "tokens_per_second": 5400,
            "seconds_left": 95,
        }
        jobs.advance(session, job.id, stage="training", progress=progress)
    running = await found(olga, saying("25%"))
    assert "Training" in text_of(running)
    assert "loss 0.432 · 5,400 tokens/s · 2 min left" in text_of(running)
    with office.database.write() as session:
        jobs.finish(session, job.id, state=JobState.FAILED, error="No space is left.")
    ended = await found(olga, saying("No space is left."))
    assert message["ts"] == running["ts"] == ended["ts"]
    assert buttons_of(ended) == {}


async def test_wishes_reach_the_worker(office: Office) -> None:
    approve_examples(office)
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", "support", channel=CHANNEL)
    await opened_form(olga, "to be used")
    await olga.choose("retrain_since", "day")
    await opened_form(olga, "retrain_day")
    day = (utc_now() - timedelta(days=2)).date().isoformat()
    await olga.choose("retrain_day", day)
    assert await olga.submit({"retrain_minutes": "30"}) == {}
    message = await found(olga, saying("At most 30 min of training"))
    assert "Corrections approved since" in text_of(message)
    assert the_job(office).options == {
        "recipe": {"method": "sft", "max_minutes": 30.0},
        "since": f"{day}T00:00:00+00:00",
    }


async def test_a_search_for_a_recipe_is_asked_for_in_minutes_and_told_of(office: Office) -> None:
    approve_examples(office)
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", "support", channel=CHANNEL)
    await opened_form(olga, "to be used")
    assert await olga.submit({"retrain_search": "20"}) == {}
    await found(olga, saying("Searching for a recipe for 20 min"))
    job = the_job(office)
    assert job.options["budget_seconds"] == 1200
    progress = {"trial": 3, "trials": 8, "best": 0.7143, "step": 1, "steps": 4}
    with office.database.write() as session:
        jobs.advance(session, job.id, stage="searching", progress=progress)
    shown = await found(olga, saying("best 0.71 so far"))
    assert "Searching for a recipe" in text_of(shown)
    assert "trial 3 of about 8 · best 0.71 so far" in text_of(shown)


async def test_counts_follow_what_is_chosen(office: Office) -> None:
    approve_examples(office, 4)
    with office.database.write() as session:
        job = jobs.request(session, "support", requested_by="U0OLGA")
        jobs.advance(session, job.id, stage="collecting examples")
        jobs.finish(session, job.id, state=JobState.SUCCEEDED)
    approve_examples(office, 1)
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", channel=CHANNEL)
    await opened_form(olga, "to be used:* 5")
    await olga.choose("retrain_since", "last")
    form = await opened_form(olga, "to be used:* 1")
    assert "4 were approved before" in str(form)
    assert "Training starts from the base model" in str(form)
    await olga.submit({})
    await found(olga, saying("Corrections approved since"))
    with office.database.read() as session:
        since = training_data.last_trained_at(session, "support")
    assert since is not None
    assert the_job(office).options["since"] == since.isoformat()


async def test_what_cannot_be_is_said_beside_its_field(office: Office) -> None:
    approve_examples(office)
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", channel=CHANNEL)
    await opened_form(olga, "to be used")
    await olga.choose("retrain_since", "day")
    await opened_form(olga, "retrain_day")
    assert await olga.submit({}) == {"retrain_day": "Choose the day."}
    ahead = (utc_now() + timedelta(days=3)).date().isoformat()
    assert "yet to come" in str(await olga.submit({"retrain_day": ahead}))


async def test_without_a_correction_nothing_is_asked_of_the_worker(office: Office) -> None:
    approve_examples(office, 2, source=ExampleSource.ACCEPTED)
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", channel=CHANNEL)
    await opened_form(olga, "No approved correction is among them")
    await olga.submit({})
    await opened_form(olga, "there is nothing to learn")
    with office.database.read() as session:
        assert jobs.active(session) == []


async def test_a_retraining_that_runs_is_shown_in_place_of_the_form(office: Office) -> None:
    approve_examples(office)
    olga = office.person("U0OLGA")
    await asked(olga)
    await olga.slash("/retrain", channel=CHANNEL)
    view = await opened_form(olga, "is being retrained already")
    assert not view.get("submit")
    await olga.press("cancel_job")
    await opened_form(olga, "The retraining is cancelled")
    await found(olga, saying("Cancelled by <@U0OLGA>"))


async def test_a_form_that_comes_too_late_asks_for_no_second_job(office: Office) -> None:
    approve_examples(office)
    olga, ann = office.person("U0OLGA"), office.person("U0ANN")
    await ann.slash("/retrain", channel=CHANNEL)
    await opened_form(ann, "to be used")
    await asked(olga)
    await ann.submit({})
    await opened_form(ann, "is queued already")
    assert the_job(office).requested_by == "U0OLGA"


async def test_an_assistant_that_is_not_there_is_named(office: Office) -> None:
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", "sales", channel=CHANNEL)
    await told(olga, "No assistant 'sales'; there are: support.")


async def test_only_operators_retrain(closed_office: Office) -> None:
    restrict(closed_office)
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        await ann.slash("/retrain", channel=CHANNEL)
        await told(ann, "Only <@U0OLGA> may do this for support.")


def restrict(office: Office) -> None:
    options = SlackOptions(operators=("U0OLGA",))
    office.assistant = office.assistant.model_copy(update={"slack": options})


async def test_operators_and_who_asked_may_cancel_and_it_is_said_who_did(
    closed_office: Office,
) -> None:
    restrict(closed_office)
    async with closed_office.open() as office:
        ann, ben, olga = (office.person(user) for user in ("U0ANN", "U0BEN", "U0OLGA"))
        with office.database.write() as session:
            jobs.request(session, "support", requested_by="U0ANN")
        message = await found(ben, offering("cancel_job"))
        await ben.click(CHANNEL, message["ts"], "cancel_job")
        await told(ben, "Only <@U0OLGA> may do this for support.")
        await ann.click(CHANNEL, message["ts"], "cancel_job")
        ended = await found(ann, saying("Cancelled by <@U0ANN>"))
        assert buttons_of(ended) == {}
        with office.database.write() as session:
            jobs.request(session, "support", requested_by="U0ANN")
        message = await found(olga, offering("cancel_job"))
        await olga.click(CHANNEL, message["ts"], "cancel_job")
        await found(olga, saying("Cancelled by <@U0OLGA>"))


async def test_a_cancel_that_comes_too_late_is_answered_politely(office: Office) -> None:
    olga = office.person("U0OLGA")
    with office.database.write() as session:
        job = jobs.request(session, "support", requested_by="U0OLGA")
    message = await found(olga, offering("cancel_job"))
    with office.database.write() as session:
        session.execute(text("UPDATE jobs SET state = 'succeeded'"))
    await olga.click(CHANNEL, message["ts"], "cancel_job")
    await told(olga, f"Job {job.id} is already succeeded.")


@pytest.mark.parametrize(
    ("trigger", "words"),
    [("threshold", "enough was newly approved"), ("schedule", "its scheduled time has come")],
)
async def test_a_retraining_that_nobody_asked_for_says_why_it_runs(
    office: Office, trigger: str, words: str
) -> None:
    with office.database.write() as session:
        jobs.request(session, "support", requested_by=trigger)
    shown = await found(office.person("U0OLGA"), saying(words))
    assert "asked for by" not in text_of(shown)


async def test_the_recipes_own_time_limit_is_named(closed_office: Office) -> None:
    changes = {"recipe": {"max_minutes": 45}, "retrain": RetrainOptions(timezone="Europe/Berlin")}
    closed_office.assistant = closed_office.assistant.model_copy(update=changes)
    async with closed_office.open() as office:
        approve_examples(office)
        olga = office.person("U0OLGA")
        await olga.slash("/retrain", channel=CHANNEL)
        await opened_form(olga, "the recipe's own limit, 45")
        await olga.choose("retrain_since", "day")
        await opened_form(olga, "midnight in Europe/Berlin")


async def test_a_slow_database_delays_the_form_and_not_the_acknowledgement(
    closed_office: Office, sqlite: Database
) -> None:
    approve_examples(closed_office)
    async with closed_office.open() as office:
        read = office.running.read

        async def slowly(work: object) -> object:
            import asyncio

            await asyncio.sleep(1.3)
            return await read(work)  # type: ignore[arg-type]

        office.running.read = slowly  # type: ignore[method-assign,assignment]
        olga = office.person("U0OLGA")
        await olga.slash("/retrain", channel=CHANNEL)
        await opened_form(olga, "Looking at what there is to train on")
        await opened_form(olga, "to be used")
