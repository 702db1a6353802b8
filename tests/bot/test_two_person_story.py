"""A promotion that needs the word of two operators."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.standin.people import buttons_of, text_of
from records import experiments, versions
from records.assistant import SlackOptions
from records.states import Verdict
from records.tables import Audit
from tests.bot.office import CHANNEL, Office, found, offering, saying, told
from tests.bot.releases import challenger


@pytest.fixture
async def careful(closed_office: Office) -> AsyncIterator[Office]:
    """An office in which nobody promotes alone."""
    options = SlackOptions(operators=("U0OLGA", "U0BEN"), two_person_promotion=True)
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": options})
    async with closed_office.open():
        yield closed_office


def champion(office: Office) -> str:
    with office.database.read() as session:
        return versions.champion(session, "support").id


async def test_the_first_operator_agrees_and_the_second_one_promotes(
    careful: Office, tmp_path: Path
) -> None:
    olga, ben = careful.person("U0OLGA"), careful.person("U0BEN")
    name, _ = challenger(careful, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    assert "a second operator must press Promote too" in str(report)
    await olga.click(CHANNEL, report["ts"], "promote")
    await told(olga, "Your yes to")
    agreed = await found(olga, saying(f"<@U0OLGA> agrees to promote version 2 ({name})"))
    assert "You are the second operator" in str(agreed)
    assert champion(careful) == "support-base"
    await ben.click(CHANNEL, report["ts"], "promote")
    promoted = await found(ben, offering("rollback"))
    assert "by <@U0BEN>" in text_of(promoted)
    assert "agrees to promote" not in text_of(promoted)
    assert champion(careful) == name
    with careful.database.read() as session:
        agreeing = select(Audit.actor).where(Audit.action == "promote_consent")
        assert session.scalars(agreeing.order_by(Audit.id)).all() == ["U0OLGA", "U0BEN"]


async def test_the_same_person_twice_is_told_that_it_takes_another(
    careful: Office, tmp_path: Path
) -> None:
    olga = careful.person("U0OLGA")
    challenger(careful, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    await olga.click(CHANNEL, report["ts"], "promote")
    await found(olga, saying("agrees to promote"))
    await olga.click(CHANNEL, report["ts"], "promote")
    await told(olga, "Another operator must agree too")
    assert champion(careful) == "support-base"


async def test_who_is_no_operator_is_no_second_one(careful: Office, tmp_path: Path) -> None:
    olga, ann = careful.person("U0OLGA"), careful.person("U0ANN")
    challenger(careful, tmp_path / "a", verdict=Verdict.PASS)
    report = await found(olga, offering("promote"))
    await olga.click(CHANNEL, report["ts"], "promote")
    await found(olga, saying("agrees to promote"))
    await ann.click(CHANNEL, report["ts"], "promote")
    await told(ann, "Only <@U0OLGA>, <@U0BEN> may do this")
    assert champion(careful) == "support-base"


async def test_a_yes_is_void_when_the_champion_has_changed(careful: Office, tmp_path: Path) -> None:
    olga, ben = careful.person("U0OLGA"), careful.person("U0BEN")
    name, _ = challenger(careful, tmp_path / "a", verdict=Verdict.PASS)
    other, _ = challenger(careful, tmp_path / "b", verdict=Verdict.PASS)
    report = await found(olga, lambda m: offering("promote")(m) and saying(name)(m))
    await olga.click(CHANNEL, report["ts"], "promote")
    await found(olga, saying("agrees to promote"))
    with careful.database.write() as session:
        versions.promote(session, other, actor="ops")
        versions.rollback(session, "support", actor="ops")

    async def void() -> bool:
        shown = await ben.messages(CHANNEL)
        return not any("agrees to promote" in text_of(message) for message in shown)

    await ben.wait_for(void)
    await ben.click(CHANNEL, report["ts"], "promote")
    await found(ben, saying("<@U0BEN> agrees to promote"))
    assert champion(careful) == "support-base"


async def test_a_yes_on_the_report_counts_on_the_experiment(
    careful: Office, tmp_path: Path
) -> None:
    olga, ben = careful.person("U0OLGA"), careful.person("U0BEN")
    name, _ = challenger(careful, tmp_path / "a", verdict=Verdict.PASS)
    with careful.database.write() as session:
        side = experiments.Side("challenger", name, 0.1)
        experiments.start(session, "support", [side], actor="U0OLGA")
    report = await found(olga, offering("promote"))
    message = await found(olga, offering("promote_arm:0"))
    await olga.click(CHANNEL, report["ts"], "promote")
    agreed = await found(
        olga, lambda m: offering("stop_experiment")(m) and saying("agrees to promote")(m)
    )
    assert agreed["ts"] == message["ts"]
    await ben.click(CHANNEL, message["ts"], "promote_arm:0")
    await found(ben, saying("Ended by <@U0BEN>"))
    assert champion(careful) == name


async def test_nobody_agrees_to_what_could_not_be_promoted(careful: Office, tmp_path: Path) -> None:
    olga = careful.person("U0OLGA")
    challenger(careful, tmp_path / "a", verdict=Verdict.FAIL)
    report = await found(olga, saying("FAIL"))
    assert buttons_of(report).keys() == {"discard"}
