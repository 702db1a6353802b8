"""Retraining, its progress, the report, promotion and the way back."""

from pathlib import Path

import aiohttp
import pytest

from bot.standin.people import ActRefused, Person, buttons_of, text_of
from records import adapters, jobs, outbox, versions
from records.assistant import SlackOptions
from records.states import JobState, ReleaseAction, Verdict
from records.tables import Release, Report
from tests.bot.office import CHANNEL, Office, found, found_in_thread, offering, saying, told
from tests.bot.releases import PNG, challenger, copied


def champion(office: Office) -> str:
    with office.database.read() as session:
        return versions.champion(session, "support").id


async def test_retrain_shows_one_message_that_follows_the_job(office: Office) -> None:
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", channel=CHANNEL)
    await told(olga, "A retraining of support is on its way")
    message = await found(olga, saying("asked for by <@U0OLGA>"))
    with office.database.read() as session:
        (job,) = jobs.active(session)
    with office.database.write() as session:
        progress = {"step": 30, "steps": 120, "loss": 0.4321, "seconds_left": 95}
        jobs.advance(session, job.id, stage="train", progress=progress)
    running = await found(olga, saying("25%"))
    assert "loss 0.432 · 2 min left" in text_of(running)
    with office.database.write() as session:
        jobs.finish(session, job.id, state=JobState.FAILED, error="No space is left.")
    ended = await found(olga, saying("No space is left."))
    assert message["ts"] == running["ts"] == ended["ts"]


async def test_a_second_retraining_is_refused_in_words(office: Office) -> None:
    olga = office.person("U0OLGA")
    await olga.slash("/retrain", channel=CHANNEL)
    await olga.slash("/retrain", "support", channel=CHANNEL)
    await told(olga, "is queued already")
    await olga.slash("/retrain", "sales", channel=CHANNEL)
    await told(olga, "No assistant 'sales'; there are: support.")


async def test_the_report_shows_verdict_why_and_plot(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    name, report_id = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    for words in (name, "support-base", "PASS", "20 % instead of 60 %", "| f1 | 0.2 | 0.8 |"):
        assert words in text_of(report)
    picture = await found_in_thread(olga, report["ts"], lambda m: m.get("files"))
    (file,) = picture["files"]
    assert file["title"] == f"{report_id}.png"
    assert name in file["alt_txt"]
    async with aiohttp.ClientSession() as session, session.get(file["url_private"]) as answer:
        assert await answer.read() == PNG


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
async def test_without_a_pass_there_is_no_promote_button(
    office: Office, tmp_path: Path, verdict: Verdict
) -> None:
    olga = office.person("U0OLGA")
    challenger(office, tmp_path / "a", verdict=verdict)
    report = await found(olga, saying(verdict))
    assert buttons_of(report) == {}


async def test_a_pass_on_other_cases_has_no_promote_button(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    challenger(office, tmp_path / "a", verdict=Verdict.PASS, frozen=False)
    report = await found(olga, saying("PASS"))
    assert buttons_of(report) == {}


async def test_a_later_verdict_takes_the_promote_button_away(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    _, report_id = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    with office.database.write() as session:
        later = copied(session.get_one(Report, report_id), verdict=Verdict.FAIL)
        session.add(later)
        session.flush()
        versions.note_evidence(session, later)
    without = await found(olga, lambda m: saying("PASS")(m) and not offering("promote")(m))
    assert without["ts"] == report["ts"]
    assert buttons_of(without) == {}


async def test_promote_then_roll_back_then_promote_again(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    await olga.click(CHANNEL, report["ts"], "promote")
    promoted = await found(olga, offering("rollback"))
    assert champion(office) == name
    assert "promoted in place of support-base by <@U0OLGA>" in text_of(promoted)
    assert buttons_of(promoted).keys() == {"rollback"}
    await found(olga, lambda m: m["text"] == f"{name} serves support")
    await olga.click(CHANNEL, report["ts"], "rollback")
    await found(olga, offering("promote"))
    assert champion(office) == "support-base"
    await olga.click(CHANNEL, report["ts"], "promote")
    await found(olga, offering("rollback"))
    assert champion(office) == name


async def test_only_operators_retrain_and_release(closed_office: Office, tmp_path: Path) -> None:
    options = SlackOptions(operators=("U0OLGA",))
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": options})
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        await ann.slash("/retrain", channel=CHANNEL)
        await told(ann, "Only <@U0OLGA> may do this for support.")
        challenger(office, tmp_path / "a", verdict=Verdict.PASS)
        report = await found(ann, offering("promote"))
        await ann.click(CHANNEL, report["ts"], "promote")
        await ann.wait_for(lambda: _two(ann))
        assert champion(office) == "support-base"


async def _two(person: Person) -> bool:
    return len(await person.ephemerals()) == 2


async def test_an_adapter_that_was_changed_on_disk_is_not_promoted(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    folder = office.artifacts.fetch(f"adapters/{name}")
    (folder / adapters.WEIGHTS).write_bytes(b"other weights")
    report = await found(olga, offering("promote"))
    await olga.click(CHANNEL, report["ts"], "promote")
    await told(olga, "was changed on disk")
    assert champion(office) == "support-base"


async def test_a_report_about_an_earlier_champion_promotes_nothing(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    first, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    second, _ = challenger(office, tmp_path / "b", verdict=Verdict.PASS)
    one = await found(olga, lambda m: offering("promote")(m) and saying(first)(m))
    two = await found(olga, lambda m: offering("promote")(m) and saying(second)(m))
    await olga.click(CHANNEL, one["ts"], "promote")
    await found(olga, offering("rollback"))

    async def gone() -> bool:
        return "promote" not in str([buttons_of(m) for m in await olga.messages(CHANNEL)])

    await olga.wait_for(gone)
    with pytest.raises(ActRefused, match="no_such_button"):
        await olga.click(CHANNEL, two["ts"], "promote")
    assert champion(office) == first


async def test_a_promote_button_that_is_stale_is_answered_politely(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    with office.database.write() as session:  # another way, and the card does not show it yet
        session.add(
            Release(
                assistant="support",
                version=name,
                replaces="support-base",
                action=ReleaseAction.PROMOTE,
                actor="admin",
            )
        )
    await olga.click(CHANNEL, report["ts"], "promote")
    await told(olga, "is champion already")


async def test_a_champion_that_a_gateway_refuses_is_told_with_the_reason(
    office: Office, tmp_path: Path
) -> None:
    version, _ = challenger(office, tmp_path / "made", verdict=Verdict.PASS)
    with office.database.write() as session:
        outbox.put(session, outbox.Kind.VERSION_REFUSED, version, reason="It was changed on disk.")
    shown = await found(office.person("U0OLGA"), saying("is not served"))
    assert version in text_of(shown)
    assert "It was changed on disk." in text_of(shown)
