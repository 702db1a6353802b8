"""The stand-in's page, with the real bot behind it: what agents do in it by clicks and by keys."""

import asyncio
import re
from collections.abc import AsyncIterator
from unittest.mock import patch

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from bot.standin import delivery, sockets
from records.messages import Role
from records.tables import Flag
from tests.bot.browsing import action, channel, thread, visiting
from tests.bot.office import ANSWER, CHANNEL, QUESTION, Office, found, offering
from tests.bot.releases import approve_examples

pytestmark = pytest.mark.asyncio(loop_scope="session")
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest_asyncio.fixture(loop_scope="session")
async def office(closed_office: Office) -> AsyncIterator[Office]:
    """An office at work, in the loop that the browser is in."""
    async with closed_office.open():
        yield closed_office


async def open_thread(page: Page) -> None:
    await channel(page).locator("[data-role=open-thread]").first.click()
    await expect(action(thread(page), "flag_answer")).to_be_visible()


def told_customer(office: Office) -> list[str]:
    return [turn.content for turn in office.turns() if turn.role is Role.AGENT]


def corrections(office: Office) -> list[str | None]:
    with office.database.read() as session:
        return [f.correction for f in session.scalars(select(Flag).order_by(Flag.created_at))]


async def test_an_agent_takes_over_by_a_click_and_replies_in_the_thread(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    async with visiting(browser, office.slack_port) as page:
        await expect(page.get_by_text("Stand-in for Slack: nothing here reaches")).to_be_visible()
        await action(channel(page), "take_over").click()
        await expect(channel(page)).to_contain_text("@Ann speaks with the customer")
        await expect(action(channel(page), "take_over")).to_have_count(0)
        await open_thread(page)
        await page.get_by_label("Reply…").fill("It comes <today>.")
        await page.keyboard.press("Enter")
        await expect(thread(page)).to_contain_text("It comes <today>.")
        await expect(thread(page).locator("[data-reaction]")).to_be_visible()
    assert told_customer(office) == ["It comes <today>."]


async def test_an_answer_is_flagged_in_the_form_which_says_what_is_missing(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    async with visiting(browser, office.slack_port) as page:
        await open_thread(page)
        await action(thread(page), "flag_answer").click()
        form = page.get_by_role("dialog", name="Flag answer")
        save = form.get_by_role("button", name="Save")
        await save.click()
        await expect(form.get_by_text("Please complete this required field.")).to_be_visible()
        reason = form.get_by_label("What is wrong with it?")
        await expect(reason).to_be_focused()
        await reason.select_option("wrong")
        answer = form.get_by_label("The right answer")
        await expect(answer).to_have_value(ANSWER)
        await answer.fill("Five days.")
        await save.click()
        await expect(form).to_be_hidden()
        await expect(thread(page)).to_contain_text("Flagged by @Ann")
    assert corrections(office)[-1] == "Five days."


async def test_what_was_typed_reaches_the_customer_in_plain_words(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    async with visiting(browser, office.slack_port) as page:
        await action(channel(page), "take_over").click()
        await expect(channel(page)).to_contain_text("@Ann speaks with the customer")
        await open_thread(page)
        await page.get_by_label("Reply…").fill(
            "*Good* _day_ :smile: :nonsense:, see <https://bank.example/a?b=1&c=2>:\n"
            "- `first` ~never~\n  - within\n3. third\n> quoted\n```as it is *here*```"
        )
        await page.keyboard.press("Enter")
        said = thread(page).locator("article").last
        await expect(said.locator("strong").last).to_have_text("Good")
        await expect(said.locator("[data-reaction]")).to_be_visible()
    assert told_customer(office) == [
        "Good day 😄 :nonsense:, see <https://bank.example/a?b=1&c=2>:\n"
        "• first never\n  ◦ within\n3. third\n> quoted\nas it is *here*"
    ]


@pytest.mark.slow
async def test_a_form_that_the_app_refuses_stays_and_says_why(
    browser: Browser, office: Office
) -> None:
    approve_examples(office)
    async with visiting(browser, office.slack_port) as page:
        await page.get_by_label("Message #support").fill("/retrain")
        await page.keyboard.press("Enter")
        form = page.get_by_role("dialog", name="Retrain")
        await form.get_by_label("Those approved since the day below").check()
        await form.get_by_label(re.compile("Time limit")).fill("5")
        await form.get_by_role("button", name="Retrain").click()
        day = form.get_by_label(re.compile("^Approved since"))
        await expect(day).to_have_attribute("aria-invalid", "true")
        await expect(form).to_contain_text("Choose the day.")
        await expect(form.get_by_label(re.compile("Time limit"))).to_have_value("5")
        await expect(page.locator(".suggestions:visible")).to_have_count(0)


@pytest.mark.slow
async def test_everything_needed_is_done_with_the_keyboard_alone(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    async with visiting(browser, office.slack_port) as page:
        await expect(action(channel(page), "take_over")).to_be_visible()
        await channel(page).locator("article[tabindex='0']").focus()
        await press_until(page, "Tab", "[data-action=take_over]")
        await page.keyboard.press("Enter")
        await expect(channel(page)).to_contain_text("@Ann speaks with the customer")
        await channel(page).locator("article").first.focus()
        await page.keyboard.press("Enter")
        await expect(thread(page).locator("article")).to_have_count(3)
        await thread(page).locator("article").last.focus()
        await page.keyboard.press("m")
        await expect(page.get_by_role("menuitem", name="Flag answer")).to_be_focused()
        await page.keyboard.press("Enter")
        form = page.get_by_role("dialog", name="Flag answer")
        await expect(form.get_by_label("What is wrong with it?")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(form).to_be_hidden()
        await expect(thread(page).locator(":focus")).to_have_count(1)
        await page.get_by_label("Reply…").focus()
        await page.keyboard.type("On Monday.")
        await page.keyboard.press("Enter")
        await expect(thread(page).locator("[data-reaction]")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#thread")).to_be_hidden()
        await expect(channel(page).locator("article:focus")).to_have_count(1)
    assert (told_customer(office), corrections(office)) == (["On Monday."], [None])


async def press_until(page: Page, key: str, wanted: str) -> None:
    for _ in range(30):
        if await page.locator(f"{wanted}:focus").count():
            return
        await page.keyboard.press(key)
    pytest.fail(f"{wanted} cannot be reached with {key}")


@pytest.mark.slow
async def test_what_only_one_person_is_told_is_not_shown_to_others(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    card = await found(office.person("U0ANN"), offering("take_over"))
    at = f"C0SUPPORT/{card['ts']}"
    hint = "Nobody has taken this over"
    async with (
        visiting(browser, office.slack_port, f"U0ANN/{at}") as anns,
        visiting(browser, office.slack_port, f"U0BEN/{at}") as bens,
    ):
        await anns.get_by_label("Reply…").fill("too early")
        await anns.keyboard.press("Enter")
        whisper = thread(anns).locator("[data-whisper]")
        await expect(whisper).to_contain_text("Only visible to you")
        await expect(whisper).to_contain_text(hint)
        await expect(thread(bens)).to_contain_text("too early")
        await expect(bens.get_by_text(hint)).to_have_count(0)


@pytest.mark.slow
async def test_what_others_do_appears_and_leaves_what_is_being_typed_alone(
    browser: Browser, office: Office
) -> None:
    ann, ben = office.person("U0ANN"), office.person("U0BEN")
    for number in range(30):
        await ben.reply(CHANNEL, None, f"line {number}")
    async with visiting(browser, office.slack_port) as page:
        await expect(channel(page)).to_contain_text("line 29")
        field, frame = page.get_by_label("Message #support"), page.locator("main .frame")
        await field.press_sequentially("half a sen")
        await frame.evaluate("frame => { frame.scrollTop = 40 }")
        seen = await frame.evaluate("frame => frame.scrollTop")
        said = await ben.reply(CHANNEL, None, "something new")
        await expect(channel(page)).to_contain_text("something new")
        await expect(field).to_have_value("half a sen")
        await expect(field).to_be_focused()
        assert await frame.evaluate("frame => frame.scrollTop") == seen
        await ann.react(CHANNEL, said["ts"], "eyes")
        reaction = channel(page).locator("[data-reaction=eyes]")
        await expect(reaction).to_have_attribute("aria-pressed", "true")
        await reaction.click()
        await expect(reaction).to_have_count(0)
        await ben.edit(CHANNEL, said["ts"], "something else")
        await expect(channel(page).locator("article").last).to_contain_text("else (edited)")


@pytest.mark.slow
async def test_a_person_edits_and_deletes_their_own_words_only(
    browser: Browser, office: Office
) -> None:
    await office.person("U0BEN").reply(CHANNEL, None, "not Ann's")
    async with visiting(browser, office.slack_port) as page:
        await page.get_by_label("Message #support").fill("@Ben, a &lt; b")
        await page.keyboard.press("Enter")
        own = channel(page).locator("article[data-user=U0ANN]")
        await expect(own).to_contain_text("@Ben, a &lt; b")
        await own.focus()
        await page.keyboard.press("e")
        field = own.get_by_label("Edit message")
        await expect(field).to_have_value("@Ben, a &lt; b")
        await field.fill("Lunch?")
        await page.keyboard.press("Enter")
        await expect(own).to_contain_text("Lunch? (edited)")
        await own.hover()
        await own.get_by_label("More actions").click()
        await page.get_by_role("menuitem", name="Delete message").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(own).to_have_count(0)
        other = channel(page).locator("article[data-user=U0BEN]")
        await other.hover()
        await other.get_by_label("More actions").click()
        await expect(page.get_by_role("menuitem", name="Copy link")).to_be_visible()
        await expect(page.get_by_role("menuitem", name="Delete message")).to_have_count(0)


@pytest.mark.slow
async def test_an_app_that_does_not_answer_is_said_to_be_silent_and_the_form_stays(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    async with visiting(browser, office.slack_port) as page:
        await open_thread(page)
        await action(thread(page), "flag_answer").click()
        form = page.get_by_role("dialog", name="Flag answer")
        await form.get_by_label("What is wrong with it?").select_option("tone")
        await form.get_by_label("The right answer").fill("Soon, please wait.")
        await form.get_by_label("Note for colleagues").fill("rude")
        with patch.object(delivery.Delivery, "interaction", silent):
            await form.get_by_role("button", name="Save").click()
            await expect(form).to_contain_text("We had some trouble connecting")
        await expect(form.get_by_label("Note for colleagues")).to_have_value("rude")
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_be_hidden()
    assert len(corrections(office)) == 2


async def silent(*_: object) -> sockets.Acknowledgement:
    await asyncio.sleep(0)
    return sockets.Acknowledgement(ok=False, reason="http_timeout")


@pytest.mark.slow
async def test_commands_are_suggested_and_refused_in_threads(
    browser: Browser, office: Office
) -> None:
    office.escalated()
    async with visiting(browser, office.slack_port) as page:
        await open_thread(page)
        await page.get_by_label("Message #support").press_sequentially("/ret")
        await expect(page.get_by_role("option", name="/retrain")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_label("Message #support")).to_have_value("/retrain ")
        await page.get_by_label("Reply…").fill("/retrain")
        await page.keyboard.press("Enter")
        await expect(page.locator("#thread")).to_contain_text("is not supported in threads")
        await page.get_by_label("Message #support").fill("/nonsense")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("/nonsense is not a command")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone_one_column_is_shown_and_nothing_is_wider(
    browser: Browser, office: Office, scheme: str
) -> None:
    office.escalated()
    port = office.slack_port
    async with visiting(browser, port, "U0ANN", color_scheme=scheme, **PHONE) as page:
        await page.locator("[data-place=C0SUPPORT]").tap()
        await expect(channel(page)).to_contain_text(QUESTION)
        await expect(page.locator("#places")).to_be_hidden()
        await expect_no_sideways(page)
        await channel(page).locator("[data-role=open-thread]").tap()
        await expect(thread(page)).to_contain_text(ANSWER)
        await expect_no_sideways(page)
        answer = thread(page).locator("article").last
        await answer.get_by_label("More actions").tap()
        await page.get_by_role("menuitem", name="Add reaction").tap()
        await page.get_by_role("menuitem", name="eyes").tap()
        await expect(answer.locator("[data-reaction=eyes]")).to_be_visible()
        await answer.focus()
        await page.keyboard.press("r")
        menu = await page.get_by_role("menu", name="Emoji").bounding_box()
        assert menu is not None
        assert menu["y"] > 100
        await page.keyboard.press("Escape")
        await expect(answer).to_be_focused()
        await action(thread(page), "flag_answer").tap()
        await expect(page.get_by_role("dialog", name="Flag answer")).to_be_visible()
        await expect_no_sideways(page)


async def expect_no_sideways(page: Page) -> None:
    wide = "element => element.scrollWidth > element.clientWidth"
    assert not await page.evaluate(f"({wide})(document.documentElement)")
    for frame in await page.locator(".frame:visible, .modal-body:visible").all():
        assert not await frame.evaluate(wide)
