"""The app in several workspaces: installed in a browser, each with its own token and assistants."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from bot.desk import Desk
from bot.process import Bot
from bot.standin.people import Person, text_of
from bot.standin.workspace import TEAM
from records import escalations, slack_installations
from records.assistant import Assistant
from records.outbox import Kind
from records.states import EscalationState, OutboxState
from tests.bot.office import CHANNEL, Office, found, offering, saying
from tests.bot.test_acknowledgement import Slack, click
from tests.conftest import install

OTHER = "T0OTHER"


def of_workspace(assistant: Assistant, team: str, *, name: str = "") -> Assistant:
    slack = assistant.slack.model_copy(update={"workspace": team})
    return assistant.model_copy(update={"slack": slack, "name": name or assistant.name})


@dataclass
class Company:
    """Two workspaces with an assistant each, and one bot for both."""

    office: Office
    assistants: dict[str, Assistant]
    browser: aiohttp.ClientSession

    def person(self, team: str) -> Person:
        return Person("U0ANN", f"http://127.0.0.1:{self.office.slack_port}", team=team)

    def escalated(self, name: str, *, key: str) -> str:
        self.office.assistant = self.assistants[name]
        return self.office.escalated(key=key)[0]

    def url(self, path: str) -> URL:
        return URL(f"http://127.0.0.1:{self.office.bot_port}{path}")

    async def install(self, team: str) -> tuple[int, str]:
        """Install the app in a browser; what the last page says."""
        async with self.browser.get(self.url("/slack/install")) as page:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            link = (await page.text()).split('href="')[1].split('"')[0].replace("&amp;", "&")
        to_slack = URL(link).update_query(team=team)
        async with self.browser.get(to_slack, allow_redirects=False) as answer:
            back = URL(answer.headers["Location"])
        async with self.browser.get(back, headers={"Cookie": cookie}) as answer:
            return answer.status, await answer.text()

    async def health(self) -> dict[str, Any]:
        async with self.browser.get(self.url("/health")) as answer:
            return dict(await answer.json())


@asynccontextmanager
async def at_work(office: Office, *assistants: Assistant, **slack: Any) -> AsyncIterator[Company]:
    for assistant in assistants:
        install(office.database, assistant)
    named = {assistant.name: assistant for assistant in assistants}
    settings = office.bot_settings.model_copy(
        update={
            "slack_bot_token": SecretStr(""),
            "slack_client_id": "standin.client",
            "slack_client_secret": SecretStr("standin"),
            "slack_redirect_url": f"http://127.0.0.1:{office.bot_port}/slack/oauth_redirect",
        }
    )
    desk = Desk(office.database, named, office.artifacts)
    async with office.slack(**slack), Bot(settings, desk), aiohttp.ClientSession() as browser:
        yield Company(office, named, browser)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person must mend is tried again soon."""
    monkeypatch.setattr("bot.outbox.lane_state._MEND_SECONDS", 0.1)
    monkeypatch.setattr("bot.workspaces.checkup._MENDED_SECONDS", 0.1)
    monkeypatch.setattr("bot.process._LOOK_SECONDS", 0.1)


@pytest.fixture
async def company(closed_office: Office) -> AsyncIterator[Company]:
    here = of_workspace(closed_office.assistant, TEAM)
    there = of_workspace(closed_office.assistant, OTHER, name="sales")
    async with at_work(closed_office, here, there) as company:
        yield company


async def test_each_assistant_speaks_in_its_own_workspace(company: Company) -> None:
    company.escalated("support", key="c-1")
    company.escalated("sales", key="c-2")
    for team in (TEAM, OTHER):
        status, page = await company.install(team)
        assert (status, "The app is installed" in page) == (200, True)
    here, there = company.person(TEAM), company.person(OTHER)
    assert "Assistant support" in text_of(await found(here, offering("take_over")))
    assert "Assistant sales" in text_of(await found(there, offering("take_over")))

    async def noted() -> bool:
        cards = company.office.rows(Kind.ESCALATION_OPENED)
        return {card.team for card in cards} == {TEAM, OTHER}

    await _until(noted)
    card = await found(there, offering("take_over"))
    await there.click(CHANNEL, card["ts"], "take_over")
    await found(there, saying("<@U0ANN> speaks with the customer"))


async def test_what_belongs_to_another_workspace_cannot_be_reached_by_its_id(
    company: Company,
) -> None:
    theirs = company.escalated("sales", key="c-2")
    for team in (TEAM, OTHER):
        await company.install(team)
    payload = click("take_over")
    payload["actions"][0]["value"] = theirs
    del payload["message"]["thread_ts"]
    await Slack(company.office, company.browser).interact(payload)
    here = company.person(TEAM)

    async def refused() -> Any:
        return [m for m in await here.ephemerals() if "another workspace" in m["text"]]

    await here.wait_for(refused)
    with company.office.database.read() as session:
        assert escalations.get(session, theirs).state is EscalationState.WAITING


async def test_commands_know_the_assistants_of_their_workspace_only(company: Company) -> None:
    for team in (TEAM, OTHER):
        await company.install(team)
    here = company.person(TEAM)
    await here.slash("/versions", channel=CHANNEL, text="sales")

    async def refused() -> Any:
        return [m for m in await here.ephemerals() if "No assistant 'sales'" in text_of(m)]

    await here.wait_for(refused)


async def test_a_state_is_good_for_one_browser_and_once(company: Company) -> None:
    async with company.browser.get(company.url("/slack/install")) as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        state = cookie.partition("=")[2]
    back = company.url("/slack/oauth_redirect").with_query(state=state, code="x")
    async with company.browser.get(back) as answer:
        assert (answer.status, "invalid_browser" in await answer.text()) == (400, True)
    statuses = []
    for _ in range(2):
        async with company.browser.get(back, headers={"Cookie": cookie}) as answer:
            statuses.append("invalid_state" in await answer.text())
    assert statuses == [False, True]


async def test_a_workspace_that_no_assistant_names_is_not_let_in(company: Company) -> None:
    status, page = await company.install("T0STRANGER")
    assert status == 500
    assert "No assistant belongs to the workspace T0STRANGER" in page
    with company.office.database.read() as session:
        assert slack_installations.every(session) == []


async def test_a_removed_app_loses_no_message_and_says_what_to_do(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    for team in (TEAM, OTHER):
        await company.install(team)
    await company.person(TEAM).administer("uninstall", team=OTHER)

    async def known() -> bool:
        return any(OTHER in problem for problem in (await company.health()).get("problems", ()))

    await _until(known)
    company.escalated("sales", key="c-2")
    company.escalated("support", key="c-1")
    await found(company.person(TEAM), offering("take_over"))

    async def one_waits() -> bool:
        states = [row.state for row in company.office.rows(Kind.ESCALATION_OPENED)]
        return sorted(states) == [OutboxState.PENDING, OutboxState.SENT]

    await _until(one_waits)
    assert "open /slack/install" in caplog.text
    await company.install(OTHER)
    await company.person(OTHER).wait_for(lambda: _has_card(company.person(OTHER)), timeout=20)

    async def mended() -> bool:
        return await company.health() == {"ok": True}

    await _until(mended)


async def _has_card(person: Person) -> Any:
    return await person.messages(CHANNEL)


async def _until(look: Any) -> None:
    async with asyncio.timeout(10):
        while not await look():
            pass


async def test_a_look_at_the_installations_that_fails_is_not_the_last(
    company: Company, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    every = slack_installations.every

    def fails(session: Any) -> Any:
        monkeypatch.setattr(slack_installations, "every", every)
        raise RuntimeError("nobody foresaw it")

    monkeypatch.setattr(slack_installations, "every", fails)

    async def failed() -> bool:
        await asyncio.sleep(0)
        return "nobody foresaw it" in caplog.text

    await _until(failed)
    await company.install(TEAM)
    with company.office.database.write() as session:
        session.delete(slack_installations.every(session)[0])  # as another bot does

    async def seen() -> bool:
        return f"not installed in the workspace {TEAM}" in str(await company.health())

    await _until(seen)


async def test_a_workspace_whose_token_is_dead_hides_no_other(company: Company) -> None:
    for team in (TEAM, OTHER):
        await company.install(team)
    with company.office.database.write() as session:
        row = slack_installations.find(session, TEAM)
        assert row is not None
        row.bot_token = "xoxb-unknown"
    await company.person(OTHER).administer("kick", channel=CHANNEL)

    async def both() -> bool:
        told = str(await company.health())
        dead = f"In the workspace {TEAM}: Slack refuses the token" in told
        return dead and f"In the workspace {OTHER}: The bot is not in the channel" in told

    await _until(both)


async def test_no_token_is_logged(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    await company.install(TEAM)
    company.escalated("support", key="c-1")
    await found(company.person(TEAM), offering("take_over"))
    with company.office.database.read() as session:
        (installation,) = slack_installations.every(session)
    assert installation.bot_token not in caplog.text
    assert "xoxb-" not in caplog.text


async def test_an_assistant_without_a_workspace_belongs_to_the_only_one(
    closed_office: Office,
) -> None:
    async with at_work(closed_office, closed_office.assistant) as company:
        assert "not installed in any workspace" in str(await company.health())
        company.escalated("support", key="c-1")
        await company.install(OTHER)
        await found(company.person(OTHER), offering("take_over"))
        assert (await company.install(TEAM))[0] == 500
        card = await found(company.person(OTHER), offering("take_over"))
        await company.person(OTHER).click(CHANNEL, card["ts"], "take_over")
        await found(company.person(OTHER), saying("speaks with the customer"))
