"""The stand-in's page shows any Block Kit, runs nothing of it, and is usable by everybody."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bot.standin.block_rules import problems
from bot.views.flag_modal import Origin, flag_modal
from tests.bot.alone import client
from tests.bot.browsing import channel, png, thread, visiting
from tests.bot.kit import EVERYTHING, FORM, HOME
from tests.bot.office import CHANNEL, Office
from tests.bot.test_slack_views import HOSTILE, messages_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script>"><svg/onload=alert(3)>'
ADDRESS = "javascript:alert(4)"
RENDER = """async (blocks) => {
  const { rendered } = await import("/slack/blocks.js");
  const { namesOf } = await import("/slack/names.js");
  const { screen } = await import("/slack/api.js");
  const names = namesOf(await screen({ me: "U0ANN", newest: 1 }));
  const place = document.querySelector("main");
  place.replaceChildren(...rendered(blocks, names));
  return place.innerText.length;
}"""
RUNNING = "script, iframe, object, embed, [onerror], [onload], [onclick], [href^='javascript']"


@pytest_asyncio.fixture(loop_scope="session")
async def alone(closed_office: Office) -> AsyncIterator[Office]:
    """The stand-in without a bot, in the loop that the browser is in."""
    async with closed_office.slack(standin_retry_seconds=()):
        yield closed_office


async def render(page: Page, blocks: list[dict[str, Any]]) -> None:
    assert await page.evaluate(RENDER, blocks) > 0
    assert await page.locator(f"main :is({RUNNING})").count() == 0
    assert await page.locator("main .unknown").count() == 0


@pytest.mark.slow
async def test_whatever_customers_write_is_shown_and_nothing_breaks(
    browser: Browser, alone: Office
) -> None:
    async with visiting(browser, alone.slack_port) as page:
        for words in [*HOSTILE, MARKUP]:
            blocks = [block for m in messages_of(words) for block in m.blocks]
            await render(page, blocks)
            await render(
                page, flag_modal(Origin("turn_1", "C0SUPPORT", "1.000001"), words)["blocks"]
            )
            assert await page.locator("main a, main .mention:not([data-user])").count() == 0


async def test_every_kind_of_block_is_shown(browser: Browser, alone: Office) -> None:
    async with visiting(browser, alone.slack_port) as page:
        await render(page, [*EVERYTHING, *FORM["blocks"], *HOME["blocks"]])
        shown = page.locator("main")
        for words in ("A customer", "nested deeper", "cards", "640 examples", "quoted", "@Ann"):
            await expect(shown).to_contain_text(words)
        assert await shown.locator("strong", has_text="bold").count() == 3
        await page.evaluate(RENDER, [{"type": "hologram", "block_id": "x"}])
        await expect(shown).to_contain_text("can't show a block of type “hologram”")


@pytest.mark.slow
async def test_markup_in_any_words_stays_words(browser: Browser, alone: Office) -> None:
    ben = alone.person("U0BEN")
    await ben.reply(CHANNEL, None, MARKUP, files=[{"name": f"{MARKUP}.txt", "content": MARKUP}])
    await ben.reply(CHANNEL, None, f"<{ADDRESS}|innocent> and <https://a.example|{MARKUP}>")
    await alone.person("U0<B>X").reply(CHANNEL, None, "my name")
    slack = client(alone)
    blocks = json.loads(json.dumps(EVERYTHING).replace("bold", json.dumps(MARKUP)[1:-1]))
    assert problems(blocks, most=50) == []
    await slack.chat_postMessage(channel=CHANNEL, text=MARKUP, blocks=blocks)
    await slack.chat_postMessage(
        channel=CHANNEL, text="x", blocks=[{"type": "markdown", "text": f"[x]({ADDRESS}) {MARKUP}"}]
    )
    async with visiting(browser, alone.slack_port) as page:
        await expect(channel(page)).to_contain_text("innocent")
        assert await page.locator(f"#columns :is({RUNNING})").count() == 0
        assert await page.locator("main img").count() == 2  # those of the blocks
        await expect(channel(page)).to_contain_text(MARKUP[:40])
        await expect(channel(page).locator("pre").first).to_contain_text(MARKUP)  # in the file


@pytest.mark.slow
async def test_a_picture_has_its_words_and_can_be_enlarged(browser: Browser, alone: Office) -> None:
    picture = {"name": "plot.png", "base64": base64.b64encode(png()).decode(), "alt_txt": "B wins"}
    await alone.person("U0BEN").reply(CHANNEL, None, "the plot", files=[picture])
    async with visiting(browser, alone.slack_port) as page:
        image = channel(page).get_by_role("img", name="B wins")
        await expect(image).to_be_visible()
        assert await image.evaluate(
            "async (image) => { await image.decode(); return image.naturalWidth }"
        )
        await page.get_by_role("button", name="Enlarge: B wins").click()
        await expect(page.get_by_role("dialog").get_by_text("B wins")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.slow
async def test_a_streamed_message_grows(browser: Browser, alone: Office) -> None:
    ann, slack = alone.person("U0ANN"), client(alone)
    asked = await ann.direct("Where is my card?")
    where = {"channel": asked["channel"], "thread_ts": asked["ts"]}
    async with visiting(browser, alone.slack_port, f"U0ANN/dm/{asked['ts']}") as page:
        began = await slack.chat_startStream(**where, markdown_text="It is **on")
        await expect(thread(page).locator(".growing")).to_be_visible()
        await slack.chat_appendStream(
            channel=asked["channel"], ts=began["ts"], markdown_text=" its way**."
        )
        await expect(thread(page).locator("strong", has_text="on its way")).to_be_visible()
        await slack.chat_stopStream(channel=asked["channel"], ts=began["ts"])
        await expect(thread(page).locator(".growing")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_rule_of_accessibility_is_broken(
    browser: Browser, alone: Office, scheme: str
) -> None:
    slack, ben = client(alone), alone.person("U0BEN")
    await alone.person("U0ANN").reply(CHANNEL, None, "Hello <@U0BEN>, see `this`")
    posted = await slack.chat_postMessage(channel=CHANNEL, text="x", blocks=EVERYTHING)
    await ben.react(CHANNEL, posted["ts"], "eyes")
    await ben.reply(
        CHANNEL, posted["ts"], "in the thread", files=[{"name": "a.txt", "content": "a"}]
    )
    await slack.chat_postEphemeral(channel="C0SUPPORT", user="U0ANN", text="Only you")
    await slack.views_publish(user_id="U0ANN", view=HOME)
    at = f"U0ANN/C0SUPPORT/{posted['ts']}"
    async with visiting(browser, alone.slack_port, at, color_scheme=scheme) as page:
        await expect(thread(page)).to_contain_text("in the thread")
        await expect_accessible(page)
        await channel(page).locator("article").first.focus()
        await page.keyboard.press("r")
        await expect(page.get_by_role("menu")).to_be_visible()
        await expect_accessible(page)
        await page.keyboard.press("Escape")
        await page.evaluate(RENDER, FORM["blocks"])
        await expect_accessible(page)
    async with visiting(browser, alone.slack_port, "U0ANN/home", color_scheme=scheme) as page:
        await expect(page.locator(".home-body")).to_be_visible()
        await expect_accessible(page)


async def expect_accessible(page: Page) -> None:
    found = await Axe().run(page)
    wrong = [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    assert wrong == [], "\n".join(str(one) for one in wrong)
