"""Experiments from Slack: start, ramp, stop, promote; the daily digest and alerts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from bot.rounds.digests import day_of, digest
from bot.standin.people import buttons_of, text_of
from records import conversations, escalations, experiments, versions
from records.assistant import SlackOptions
from records.conversations import Arrival
from records.ids import utc_now
from records.messages import Role
from records.outbox import Kind
from records.states import AlertKind, EscalationReason, Verdict
from records.tables import Experiment, Turn
from tests.bot.office import CHANNEL, Office, found, offering, opened_form, saying, told
from tests.bot.releases import challenger


def running(office: Office) -> Experiment | None:
    with office.database.read() as session:
        return experiments.running(session, "support")


def started(office: Office, version: str, share: float = 0.1) -> Experiment:
    with office.database.write() as session:
        side = experiments.Side("challenger", version, share)
        return experiments.start(session, "support", [side], actor="U0OLGA")


def share_of(office: Office) -> float:
    found_now = running(office)
    assert found_now is not None
    return found_now.arms[0].share


def talk(office: Office, experiment: str, version: str, key: str, *, escalate: bool) -> None:
    with office.database.write() as session:
        conversations.receive(session, Arrival("support", f"conv_{key}", "Where is my card?"))
        answer = conversations.add_turn(
            session,
            Turn(
                conversation_id=f"conv_{key}",
                role=Role.ASSISTANT,
                content="In the post.",
                version=version,
                experiment=experiment,
                arm="challenger",
            ),
        )
        if escalate:
            escalations.escalate(
                session,
                f"conv_{key}",
                reason=EscalationReason.MODEL,
                cause="said [handoff]",
                turn_id=answer.id,
            )


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.INCONCLUSIVE])
async def test_a_report_starts_an_experiment_at_a_tenth(
    office: Office, tmp_path: Path, verdict: Verdict
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=verdict)
    report = await found(olga, offering("start_experiment"))
    await olga.click(CHANNEL, report["ts"], "start_experiment")
    message = await found(olga, offering("stop_experiment"))
    assert f"*Version 2 ({name})* (challenger), 10% of the customers" in text_of(message)
    assert "Started by <@U0OLGA>" in text_of(message)
    assert share_of(office) == 0.1
    changed = await found(olga, saying("An experiment gives it 10% of the customers"))
    assert changed["ts"] == report["ts"]
    assert "start_experiment" not in buttons_of(changed)
    assert "discard" not in buttons_of(changed)


async def test_the_command_starts_one_where_none_runs_and_shows_it_where_one_does(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    await olga.slash("/experiment", channel=CHANNEL)
    await opened_form(olga, "Version to try")
    assert await olga.submit({"experiment_version": name, "experiment_share": "25"}) == {}
    await found(olga, saying("25% of the customers"))
    assert share_of(office) == 0.25
    await office.person("U0ANN").slash("/experiment", channel=CHANNEL)
    view = await opened_form(office.person("U0ANN"), "25% of the customers")
    assert not view.get("submit")


async def test_with_nothing_to_try_the_command_says_what_to_do(office: Office) -> None:
    olga = office.person("U0OLGA")
    await olga.slash("/experiment", channel=CHANNEL)
    await told(olga, "There is no version of support to try")


async def test_it_is_ramped_and_stopped_and_says_by_whom(office: Office, tmp_path: Path) -> None:
    olga, ann = office.person("U0OLGA"), office.person("U0ANN")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    started(office, name)
    message = await found(olga, offering("ramp:50"))
    assert {"ramp:25", "ramp:50", "ramp:100", "stop_experiment"} <= buttons_of(message).keys()
    await olga.click(CHANNEL, message["ts"], "ramp:50")
    ramped = await found(olga, saying("<@U0OLGA> set the shares to challenger 50%"))
    assert not {"ramp:25", "ramp:50"} & buttons_of(ramped).keys()
    assert share_of(office) == 0.5
    await ann.click(CHANNEL, message["ts"], "stop_experiment")
    stopped = await found(ann, saying("Ended by <@U0ANN>"))
    assert buttons_of(stopped) == {}
    assert stopped["ts"] == message["ts"]
    assert running(office) is None


async def test_a_stale_ramp_takes_no_customers_away(office: Office, tmp_path: Path) -> None:
    olga, ann = office.person("U0OLGA"), office.person("U0ANN")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    started(office, name)
    await found(olga, offering("ramp:25"))
    await ann.slash("/experiment", channel=CHANNEL)
    await opened_form(ann, "ramp:25")  # it stays as it is while Olga's message changes
    message = await found(olga, offering("ramp:100"))
    await olga.click(CHANNEL, message["ts"], "ramp:100")
    await found(olga, saying("set the shares to challenger 100%"))
    await ann.press("ramp:25")
    await told(ann, f"Version 2 ({name}) answers 100% of the customers already")
    assert share_of(office) == 1.0


async def test_the_view_of_the_command_has_the_same_buttons(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    started(office, name)
    await olga.slash("/experiment", channel=CHANNEL)
    await opened_form(olga, "ramp:25")
    await olga.press("ramp:25")
    await opened_form(olga, "set the shares to challenger 25%")
    await olga.press("stop_experiment")
    await opened_form(olga, "Ended by <@U0OLGA>")
    assert running(office) is None


async def test_promoting_from_an_experiment_ends_it(office: Office, tmp_path: Path) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    started(office, name)
    message = await found(olga, offering("promote_arm:0"))
    await olga.click(CHANNEL, message["ts"], "promote_arm:0")
    await found(olga, saying("Ended by <@U0OLGA>"))
    with office.database.read() as session:
        assert versions.champion(session, "support").id == name


async def test_without_a_pass_an_experiment_offers_no_promotion(
    office: Office, tmp_path: Path
) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.INCONCLUSIVE)
    started(office, name)
    message = await found(office.person("U0OLGA"), offering("stop_experiment"))
    assert "promote_arm:0" not in buttons_of(message)


async def test_buttons_of_an_experiment_that_has_ended_are_answered_politely(
    office: Office, tmp_path: Path
) -> None:
    olga = office.person("U0OLGA")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    started(office, name)
    message = await found(olga, offering("ramp:50"))
    with office.database.write() as session:  # another way, and the message does not show it yet
        session.execute(text("UPDATE experiments SET state = 'stopped'"))
    for action in ("ramp:50", "stop_experiment", "promote_arm:0"):
        await olga.click(CHANNEL, message["ts"], action)

    async def three() -> bool:
        said = [m["text"] for m in await olga.ephemerals()]
        return said == ["This experiment has ended already."] * 3

    await olga.wait_for(three)


async def test_a_second_experiment_is_refused_in_words(office: Office, tmp_path: Path) -> None:
    olga, ann = office.person("U0OLGA"), office.person("U0ANN")
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    await ann.slash("/experiment", channel=CHANNEL)
    await opened_form(ann, "Version to try")
    report = await found(olga, offering("start_experiment"))
    await olga.click(CHANNEL, report["ts"], "start_experiment")
    await found(olga, offering("stop_experiment"))
    await ann.submit({"experiment_version": name, "experiment_share": "50"})
    await opened_form(ann, "An experiment of 'support' runs already")
    assert share_of(office) == 0.1


async def test_only_operators_start_and_steer(closed_office: Office, tmp_path: Path) -> None:
    options = SlackOptions(operators=("U0OLGA",))
    closed_office.assistant = closed_office.assistant.model_copy(update={"slack": options})
    async with closed_office.open() as office:
        ann = office.person("U0ANN")
        name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
        report = await found(ann, offering("start_experiment"))
        await ann.click(CHANNEL, report["ts"], "start_experiment")
        await ann.slash("/experiment", channel=CHANNEL)
        started(office, name)
        message = await found(ann, offering("ramp:50"))
        for action in ("ramp:50", "stop_experiment", "promote_arm:0"):
            await ann.click(CHANNEL, message["ts"], action)

        async def five() -> bool:
            said = [m["text"] for m in await ann.ephemerals()]
            return len(said) == 5 and all("Only <@U0OLGA> may" in words for words in said)

        await ann.wait_for(five)
        assert share_of(office) == 0.1


async def test_counts_of_both_sides_are_shown_as_no_verdict(office: Office, tmp_path: Path) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    experiment = started(office, name)
    for number in range(4):
        talk(office, experiment.id, name, str(number), escalate=number == 0)
    olga = office.person("U0OLGA")
    await olga.slash("/experiment", channel=CHANNEL)
    view = str(await opened_form(olga, "Customers 4 · conversations 4 · escalated 1 (25.0%)"))
    assert "no verdict" in view
    champion = "*Version 1 (support-base)* (the champion), 90% of the customers"
    assert f"{champion}\\nNo conversations yet" in view


async def test_an_alert_stands_in_the_channel_once(office: Office, tmp_path: Path) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    experiment = started(office, name)
    for _ in range(2):
        with office.database.write() as session:
            experiments.alert(
                session, experiment.id, AlertKind.GUARDRAIL, "Twice as many want a person."
            )
    olga = office.person("U0OLGA")
    await found(olga, saying("Twice as many want a person."))
    await office.all_sent()
    alerts = [m for m in await olga.messages(CHANNEL) if saying("something got worse")(m)]
    assert len(alerts) == 1


# --- the daily digest ---

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 14, 0, tzinfo=BERLIN)
NINE = timedelta(hours=19)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (MONDAY + timedelta(hours=5), None),
        (MONDAY + NINE - timedelta(seconds=1), None),
        (MONDAY + NINE, 2),
        (MONDAY + NINE + timedelta(hours=14), 2),
        (MONDAY + NINE + timedelta(days=6), 8),
    ],
)
def test_a_digest_is_due_from_nine_on_each_day(now: datetime, day: int | None) -> None:
    assert day_of(MONDAY, now.astimezone(UTC), zone=BERLIN) == day


def test_an_experiment_from_before_nine_has_a_digest_on_its_first_day() -> None:
    early = MONDAY.replace(hour=7)
    assert day_of(early, MONDAY.replace(hour=9), zone=BERLIN) == 1


def test_each_day_has_one_digest_however_often_somebody_looks(
    closed_office: Office, tmp_path: Path
) -> None:
    name, _ = challenger(closed_office, tmp_path / "a", verdict=Verdict.PASS)
    started(closed_office, name)
    first = (utc_now() + timedelta(days=1)).replace(hour=9, minute=0)
    for look in (first, first + timedelta(hours=2), first, first + timedelta(days=1)):
        with closed_office.database.write() as session:
            digest(session, closed_office.desk, look)
    assert [row.payload["day"] for row in closed_office.rows(Kind.EXPERIMENT_DIGEST)] == [2, 3]


def test_without_an_experiment_there_is_no_digest(closed_office: Office) -> None:
    with closed_office.database.write() as session:
        digest(session, closed_office.desk, utc_now() + timedelta(days=1))
    assert closed_office.rows(Kind.EXPERIMENT_DIGEST) == []


async def test_the_digest_says_how_both_sides_stand(office: Office, tmp_path: Path) -> None:
    name, _ = challenger(office, tmp_path / "a", verdict=Verdict.PASS)
    experiment = started(office, name)
    talk(office, experiment.id, name, "1", escalate=False)
    with office.database.write() as session:
        digest(session, office.desk, (utc_now() + timedelta(days=1)).replace(hour=10))
    shown = await found(office.person("U0OLGA"), saying("Experiment on support*, day 2"))
    assert "Customers 1 · conversations 1" in text_of(shown)
    assert "no verdict" in text_of(shown)
