"""Tokens are exchanged before they expire, once, though nothing comes in and several bots run."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import web_client
from bot.desk import Desk
from bot.outbox.pump import OutboxPump, Pace
from bot.standin.workspace import TEAM
from bot.workspaces.installations import Installations
from bot.workspaces.token_rotation import Rotation
from records import slack_installations
from records.database import Database
from records.errors import StorageUnavailable
from records.ids import utc_now
from records.states import OutboxState
from records.tables import SlackInstallation
from tests.bot.office import CHANNEL, Office
from tests.bot.test_outbox_kinds import refused

LIFE = 43_200
APP = {"client_id": "standin.client", "client_secret": "standin"}


class Clock:
    """A clock that is set by hand; `ahead` of the real one."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


class CountingRotator(AsyncTokenRotator):
    """Counts exchanges."""

    exchanges = 0

    async def perform_bot_token_rotation(self, **given: Any) -> Any:
        self.exchanges += 1
        return await super().perform_bot_token_rotation(**given)


def bot_of(office: Office, clock: Clock, desk: Desk | None = None) -> tuple[Installations, Any]:
    settings = office.bot_settings
    rotator = CountingRotator(client=web_client(settings), **APP)
    desk = desk or office.desk
    rotation = Rotation(desk, rotator, clock=clock)
    return Installations(desk, rotation, lambda: web_client(settings)), rotator


async def install(office: Office, installations: Installations) -> SlackInstallation:
    code = (await office.person("U0ANN").administer("install", team=TEAM))["code"]
    given = await web_client(office.bot_settings).oauth_v2_access(**APP, code=code)
    made = SlackInstallation(
        team=TEAM,
        bot_token=given["access_token"],
        bot_id="B0STANDIN",
        bot_user="U0STANDIN",
        refresh_token=given["refresh_token"],
        expires_at=utc_now() + timedelta(seconds=LIFE),
        installed_at=utc_now(),
    )
    await installations.keep(made)
    return made


def kept(office: Office) -> SlackInstallation:
    with office.database.read() as session:
        (installation,) = slack_installations.every(session)
    return installation


async def test_the_outbox_exchanges_a_token_before_it_sends_though_nothing_came_in(
    closed_office: Office,
) -> None:
    clock = Clock()
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        installations, rotator = bot_of(closed_office, clock)
        first = await install(closed_office, installations)
        closed_office.escalated()
        clock.ahead = timedelta(hours=11)
        pump = OutboxPump(closed_office.desk, installations, pace=Pace(500.0, 0.0))
        await pump.step()
        assert kept(closed_office).bot_token != first.bot_token
        assert {row.state for row in closed_office.rows()} == {OutboxState.SENT}
        assert len(await closed_office.person("U0ANN").messages(CHANNEL)) == 1
    assert rotator.exchanges == 1


async def test_of_several_bots_one_exchanges_and_all_go_on(closed_office: Office) -> None:
    clock = Clock()
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        bots = [bot_of(closed_office, clock) for _ in range(5)]
        await install(closed_office, bots[0][0])
        await asyncio.gather(*(installations.refresh() for installations, _ in bots))
        clock.ahead = timedelta(hours=11)
        for _ in range(3):
            await asyncio.gather(*(installations.refresh() for installations, _ in bots))
        tokens = set()
        for installations, _ in bots:
            (sender,) = await installations.clients()
            assert (await sender.client.auth_test())["ok"]
            tokens.add(sender.client.token)
    assert sum(rotator.exchanges for _, rotator in bots) == 1
    assert tokens == {kept(closed_office).bot_token}
    assert all(installations.problems() == [] for installations, _ in bots)


async def test_a_new_token_that_cannot_be_saved_yet_is_not_lost(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.workspaces.token_rotation._SAVE_AGAIN_SECONDS", 0.01)
    clock, desk = Clock(), closed_office.desk
    save, failures = slack_installations.end_rotation, [3]

    def fails_at_first(*given: Any, **named: Any) -> None:
        if failures[0]:
            failures[0] -= 1
            raise StorageUnavailable("locked")
        save(*given, **named)

    monkeypatch.setattr(slack_installations, "end_rotation", fails_at_first)
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        installations, rotator = bot_of(closed_office, clock, desk)
        first = await install(closed_office, installations)
        clock.ahead = timedelta(hours=11)
        await installations.refresh()
        assert kept(closed_office).bot_token != first.bot_token
    assert (rotator.exchanges, failures) == (1, [0])


async def test_a_token_that_slack_does_not_exchange_is_used_while_it_lives_and_said(
    closed_office: Office,
) -> None:
    clock = Clock()
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        installations, _ = bot_of(closed_office, clock)
        made = await install(closed_office, installations)
        with closed_office.database.write() as session:
            row = slack_installations.find(session, TEAM)
            assert row is not None
            row.refresh_token = "xoxe-1-unknown"
        clock.ahead = timedelta(hours=11)
        await installations.refresh()
        sender = await installations.sender(closed_office.assistant)
        assert sender.client.token == made.bot_token
        assert "install the app there again" in str(installations.problems())


async def test_an_exchange_that_did_not_reach_slack_is_tried_again(closed_office: Office) -> None:
    clock = Clock()
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        installations, rotator = bot_of(closed_office, clock)
        first = await install(closed_office, installations)
        rotator.client = AsyncWebClient(base_url="http://127.0.0.1:9/", retry_handlers=[])
        clock.ahead = timedelta(hours=11)
        await installations.refresh()
        assert (kept(closed_office).bot_token, installations.problems()) == (first.bot_token, [])
        rotator.client = web_client(closed_office.bot_settings)
        clock.ahead += timedelta(minutes=1)
        await installations.refresh()
        assert kept(closed_office).bot_token != first.bot_token


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (429, "ratelimited", ""),
        (500, "internal_error", ""),
        (200, "bad_client_secret", "UNDERSTUDY_SLACK_CLIENT_SECRET"),
    ],
)
async def test_slack_that_is_busy_is_asked_again_and_a_wrong_secret_is_named(
    closed_office: Office, monkeypatch: pytest.MonkeyPatch, status: int, error: str, said: str
) -> None:
    async def refuse(self: AsyncWebClient, **_: Any) -> None:
        raise refused(error, status=status, headers={"Retry-After": "5"})

    clock = Clock()
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        installations, _ = bot_of(closed_office, clock)
        first = await install(closed_office, installations)
        clock.ahead = timedelta(hours=11)
        with monkeypatch.context() as busy:
            busy.setattr(AsyncWebClient, "oauth_v2_access", refuse)
            await installations.refresh()
        told = " ".join(installations.problems())
        assert said in told
        assert bool(told) is bool(said)
        clock.ahead += timedelta(minutes=1)
        await installations.refresh()
        assert kept(closed_office).bot_token != first.bot_token
        assert installations.problems() == []


async def test_what_another_bot_mended_is_no_problem_any_more(closed_office: Office) -> None:
    clock = Clock()
    async with closed_office.slack(standin_token_seconds=float(LIFE)):
        (here, _), (there, _) = (bot_of(closed_office, clock) for _ in range(2))
        await install(closed_office, here)
        with closed_office.database.write() as session:
            row = slack_installations.find(session, TEAM)
            assert row is not None
            row.refresh_token = "xoxe-1-unknown"
        clock.ahead = timedelta(hours=11)
        await here.refresh()
        assert "install the app there again" in str(here.problems())
        clock.ahead = timedelta(0)
        await install(closed_office, there)
        await here.refresh()
        assert here.problems() == []


def test_a_token_is_claimed_by_one(database: Database) -> None:
    now = utc_now()
    row = SlackInstallation(
        team=TEAM, bot_token="a", bot_id="B", bot_user="U", refresh_token="r", installed_at=now
    )
    with database.write() as session:
        slack_installations.save(session, row)
    claim: Callable[[datetime], bool] = lambda at: _claim(database, row, at)  # noqa: E731
    assert [claim(now), claim(now), claim(now + timedelta(minutes=1))] == [True, False, True]


def _claim(database: Database, row: SlackInstallation, now: datetime) -> bool:
    with database.write() as session:
        return slack_installations.claim_rotation(session, row, now=now)


def test_a_state_is_good_once_and_not_for_ever(database: Database) -> None:
    now = utc_now()
    with database.write() as session:
        first, second = (slack_installations.begin_installing(session, now=now) for _ in range(2))
    with database.write() as session:
        good = slack_installations.goes_on_installing
        assert [good(session, first, now=now), good(session, first, now=now)] == [True, False]
        assert not good(session, second, now=now + timedelta(minutes=11))
