"""The report, promotion and the way back."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.standin.people import ActRefused, Person, buttons_of, text_of
from records import adapters, outbox, versions
from records.assistant import SlackOptions
from records.states import ReleaseAction, Verdict
from records.tables import Audit, Release, Report
from tests.bot.office import (
    CHANNEL,
    Office,
    found,
    found_in_thread,
    offering,
    opened_form,
    saying,
    told,
)
from tests.bot.releases import PNG, challenger, copied


def champion(office: Office) -> str:
    with office.database.read() as session:
        return versions.champion(session, "support").id


async def test_the_channel_has_the_report_in_short_and_the_thread_the_rest(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, report_id = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    for words in (
        name,
        "support-base",
        "PASS",
        "60.0 % → 20.0 %",
        "knowledge=old: 10.0 % → 11.0 %",
        "fixed: 40 · broken: 3 · only reworded: 7",
    ):
        assert words in text_of(report).replace("\u2060", "")
    assert "| f1 |" not in text_of(report)
    assert "knowledge=new" not in text_of(report)
    tables = await found_in_thread(olga, report["ts"], lambda m: "| f1 |" in text_of(m))
    for words in (
        "| f1 | 0.2 | 0.8 |",
        "knowledge=new: 80.0 % → 40.0 %",
        "About 50 more cases",
        "*Better served:* knowledge=new (-40.0 points)",
        "*Worse served:* knowledge=old (perhaps, +1.0 points)",
    ):
        assert words in text_of(tables).replace("\u2060", "")
    assert "small_red_triangle" not in text_of(tables)
    picture = await found_in_thread(olga, report["ts"], lambda m: m.get("files"))
    (file,) = picture["files"]
    assert file["title"] == f"{report_id}.png"
    assert name in file["alt_txt"]
    assert await olga.download(file) == PNG


async def test_every_changed_answer_is_in_a_file_under_the_report(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    _, report_id = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    name = f"{report_id}-changes.csv"
    shared = await found_in_thread(
        olga, report["ts"], lambda m: name in [f["title"] for f in m.get("files") or []]
    )
    assert "broken ones first" in shared["text"]
    assert await olga.download(shared["files"][0]) == (
        b"change,question\nbroken,Where is my card?\n"
    )


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
async def test_without_a_pass_there_is_no_promote_button(
    office: Office, tmp_path: Path, verdict: Verdict
) -> None:
    olga = office.person("U0OLGA")
    challenger(office, tmp_path / "a", verdict=verdict)
    report = await found(olga, saying(verdict))
    offered = {"discard"} if verdict is Verdict.FAIL else {"discard", "start_experiment"}
    assert buttons_of(report).keys() == offered


async def test_a_pass_on_other_cases_has_no_promote_button(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    challenger(office, tmp_path / "a", verdict=Verdict.PASS, frozen=False)
    report = await found(olga, saying("PASS"))
    assert "promote" not in buttons_of(report)


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
    assert buttons_of(without).keys() == {"discard"}


async def test_promote_then_roll_back_then_promote_again(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    await olga.click(CHANNEL, report["ts"], "promote")
    promoted = await found(olga, offering("rollback"))
    assert champion(office) == name
    assert "promoted in place of version 1 (support-base) by <@U0OLGA>" in text_of(promoted)
    assert buttons_of(promoted).keys() == {"rollback"}
    await found(olga, lambda m: m["text"] == f"Version 2 ({name}) serves support")
    await olga.click(CHANNEL, report["ts"], "rollback")
    await found(olga, offering("promote"))
    assert champion(office) == "support-base"
    await olga.click(CHANNEL, report["ts"], "promote")
    await found(olga, offering("rollback"))
    assert champion(office) == name


async def test_a_press_is_confirmed_with_what_will_happen(office: Office, tmp_path: Path) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(office.person("U0OLGA"), offering("promote"))
    questions = {
        element["action_id"]: element["confirm"]["text"]["text"]
        for block in report["blocks"]
        for element in block.get("elements") or []
        if element.get("confirm")
    }
    assert questions.keys() == {"promote", "discard", "start_experiment"}
    assert all(name in question for question in questions.values())
    assert "customers of support in place of version 1 (support-base)" in questions["promote"]
    assert "10% of the customers" in questions["start_experiment"]


async def test_only_operators_release_and_discard(closed_office: Office, tmp_path: Path) -> None:
    options = SlackOptions(operators=("U0OLGA",))
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": options})
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        challenger(office, tmp_path / "a", verdict=Verdict.PASS)
        report = await found(ann, offering("promote"))
        for action in ("promote", "discard"):
            await ann.click(CHANNEL, report["ts"], action)
        await ann.slash("/rollback", channel=CHANNEL)
        await ann.wait_for(lambda: _three(ann))
        assert champion(office) == "support-base"


async def _three(person: Person) -> bool:
    said = [m["text"] for m in await person.ephemerals()]
    return len(said) == 3 and all("Only <@U0OLGA> may" in words for words in said)


async def test_the_command_rolls_back_after_it_has_said_from_what_to_what(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    with office.database.write() as session:
        versions.promote(session, name, actor="U0OLGA")
    await olga.slash("/rollback", channel=CHANNEL)
    view = str(await opened_form(olga, "answers all customers"))
    assert "*Version 1 (support-base)* then answers all customers of *support* again" in view
    assert f"in place of *version 2 ({name})*" in view
    assert await olga.submit({}) == {}
    words = f"from version 2 ({name}) to *version 1 (support-base)* by <@U0OLGA>"
    await found(olga, saying(f"Rolled back {words}"))
    assert champion(office) == "support-base"


async def test_a_roll_back_of_something_else_than_was_confirmed_is_refused(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    first, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    second, _ = challenger(office, tmp_path / "b", verdict=Verdict.PASS)
    with office.database.write() as session:
        versions.promote(session, first, actor="U0OLGA")
    await olga.slash("/rollback", channel=CHANNEL)
    await opened_form(olga, "answers all customers")
    with office.database.write() as session:
        versions.promote(session, second, actor="U0OLGA", without_evidence=True)
    await olga.submit({})
    await opened_form(olga, "has changed in the meantime")
    assert champion(office) == second


async def test_with_nothing_to_go_back_to_the_command_says_so(office: Office) -> None:
    olga = office.person("U0OLGA")
    await olga.slash("/rollback", channel=CHANNEL)
    await told(olga, "Nothing to roll back to")


async def test_a_discarded_version_can_be_taken_back(office: Office, tmp_path: Path) -> None:
    olga, ann = office.person("U0OLGA"), office.person("U0ANN")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("discard"))
    await olga.click(CHANNEL, report["ts"], "discard")
    discarded = await found(olga, saying("Discarded by <@U0OLGA>"))
    assert buttons_of(discarded).keys() == {"take_back"}
    await ann.click(CHANNEL, report["ts"], "take_back")
    again = await found(ann, offering("promote"))
    assert "Discarded" not in text_of(again)
    with office.database.read() as session:
        done = select(Audit.actor, Audit.action).where(Audit.subject == name).order_by(Audit.id)
        assert session.execute(done).all()[1:] == [("U0OLGA", "discard"), ("U0ANN", "take_back")]


async def test_a_stale_discard_is_answered_politely(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("discard"))
    with office.database.write() as session:  # another way, and the card does not show it yet
        session.execute(text("UPDATE versions SET state = 'retired' WHERE id = :id"), {"id": name})
    await olga.click(CHANNEL, report["ts"], "discard")
    await told(olga, "has served customers")


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


async def test_from_the_news_of_a_promotion_one_goes_back_while_its_version_serves(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    with office.database.write() as session:
        versions.promote(session, name, actor="U0OLGA")
    news = await found(olga, offering("rollback_release"))
    assert f"*Version 2 ({name})* was promoted" in text_of(news)
    await olga.click(CHANNEL, news["ts"], "rollback_release")
    words = f"from version 2 ({name}) to *version 1 (support-base)* by <@U0OLGA>"
    await found(olga, saying(f"Rolled back {words}"))
    assert champion(office) == "support-base"
    gone = await found(olga, lambda m: m["ts"] == news["ts"] and not buttons_of(m))
    assert f"*Version 2 ({name})* was promoted" in text_of(gone)
    await olga.slash("/rollback", channel=CHANNEL)
    await told(olga, "no promotion of 'support' is left to be taken back, and support-base serves")


async def test_a_stale_way_back_undoes_nobody_elses_promotion(
    closed_office: Office, tmp_path: Path
) -> None:
    first, _ = challenger(closed_office, tmp_path / "a", verdict=Verdict.PASS)
    second, _ = challenger(closed_office, tmp_path / "b", verdict=Verdict.PASS)
    slack = closed_office.assistant.slack.model_copy(update={"operators": ["U0OLGA"]})
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": slack})
    with closed_office.database.write() as session:
        versions.promote(session, first, actor="U0OLGA")
    async with closed_office.open() as office:
        olga, ann = office.person("U0OLGA"), office.person("U0ANN")
        news = await found(olga, offering("rollback_release"))
        await ann.click(CHANNEL, news["ts"], "rollback_release")
        await told(ann, "Only <@U0OLGA> may")
        with office.database.write() as session:
            versions.promote(session, second, actor="U0OLGA", without_evidence=True)
            session.execute(
                text("UPDATE outbox SET state = 'failed' WHERE kind = 'released_changed'")
            )
        await olga.click(CHANNEL, news["ts"], "rollback_release")
        await told(olga, "does not serve any more")
        assert champion(office) == second
