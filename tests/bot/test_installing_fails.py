"""An installation that fails on the way ends on a page that says why, to whoever can mend it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.standin.for_apps import ForApps
from bot.standin.methods import oauth
from bot.standin.refusal import Refused
from bot.standin.workspace import TEAM
from records import slack_installations
from records.errors import StorageUnavailable
from tests.bot.office import Office
from tests.bot.test_installations import Company, at_work, of_workspace


@pytest.fixture
async def company(closed_office: Office) -> AsyncIterator[Company]:
    async with at_work(closed_office, of_workspace(closed_office.assistant, TEAM)) as company:
        yield company


async def begun(company: Company) -> tuple[str, str]:
    """A browser that asks to install the app: its cookie, and the state in it."""
    async with company.browser.get(company.url("/slack/install")) as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
    return cookie, cookie.partition("=")[2]


async def came_back(company: Company, cookie: str, **query: str) -> tuple[int, str]:
    back = company.url("/slack/oauth_redirect").with_query(query)
    async with company.browser.get(back, headers={"Cookie": cookie}) as answer:
        return answer.status, await answer.text()


def none_is_kept(company: Company) -> bool:
    with company.office.database.read() as session:
        return not slack_installations.every(session)


async def test_who_says_no_at_slack_can_begin_again(company: Company) -> None:
    cookie, state = await begun(company)
    status, page = await came_back(company, cookie, state=state, error="access_denied")
    assert (status, "Begin again at /slack/install" in page) == (200, True)
    assert none_is_kept(company)


async def test_a_code_that_slack_does_not_know_is_to_be_had_anew(company: Company) -> None:
    cookie, state = await begun(company)
    status, page = await came_back(company, cookie, state=state, code="old")
    assert (status, "(invalid_code). Begin again" in page) == (401, True)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("bad_client_secret", "Slack refuses UNDERSTUDY_SLACK_CLIENT_SECRET"),
        ("bad_redirect_uri", "UNDERSTUDY_SLACK_REDIRECT_URL"),
    ],
)
async def test_a_wrong_setting_is_named_on_the_page_and_in_the_log(
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: str,
    words: str,
) -> None:
    def refuse(self: ForApps, method: str, *_: Any) -> None:
        if method == "oauth.v2.access":
            raise Refused(code)

    monkeypatch.setattr(ForApps, "_check_app", refuse)
    assert words in (await company.install(TEAM))[1]
    assert words in caplog.text


async def test_an_installation_in_a_whole_organisation_is_refused_in_words(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = oauth._granted

    def of_organisation(*given: Any) -> dict[str, Any]:
        return granted(*given) | {"is_enterprise_install": True, "team": None}

    monkeypatch.setattr(oauth, "_granted", of_organisation)
    status, page = await company.install(TEAM)
    assert (status, "not in a whole organisation" in page) == (500, True)
    assert none_is_kept(company)


async def test_slack_that_breaks_off_is_said_to_have(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off(self: AsyncWebClient, **_: Any) -> None:
        raise aiohttp.ServerDisconnectedError

    monkeypatch.setattr(AsyncWebClient, "oauth_v2_access", break_off)
    status, page = await company.install(TEAM)
    assert (status, "The call to Slack broke off" in page) == (500, True)


async def test_a_database_that_is_away_is_said_to_be(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("The database cannot be used now.")

    cookie, state = await begun(company)
    monkeypatch.setattr(slack_installations, "begin_installing", away)
    monkeypatch.setattr(slack_installations, "goes_on_installing", away)
    async with company.browser.get(company.url("/slack/install")) as page:
        assert "The database cannot be used now." in await page.text()
    status, told = await came_back(company, cookie, state=state, code="x")
    assert (status, "The database cannot be used now." in told) == (500, True)
