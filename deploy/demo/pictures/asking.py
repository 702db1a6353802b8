"""Asking the assistant in Slack: one version, two side by side, a draft."""

from playwright.async_api import expect

from bot.standin.people import Message
from bot.standin.workspace import BOT_USER
from deploy.demo.pictures.office import CHANNEL, saying
from deploy.demo.pictures.scene import ANN, BEN, ROOM, Scene, action


async def ann_asks(scene: Scene) -> None:
    """Ann asks what customers are told now."""
    ann = scene.office.person(ANN)
    asked = await ann.direct("Why is my payment in pending status?")
    await _answered(scene, asked, number=1)
    async with scene.camera.looking(f"{ANN}/dm/{asked['ts']}", height=1000) as page:
        await scene.camera.part("ask", page.locator("[data-list=thread]"), margin=0)


async def ann_compares(scene: Scene) -> None:
    """Ann compares the new version with the one that serves, and judges blindly."""
    ann = scene.office.person(ANN)
    words = "compare 2 1: My top-up hasn't gone through, what happened?"
    asked = await ann.direct(words)
    await scene.office.message(
        saying("Which answer is better?"), thread=asked["ts"], channel=ann.dm()
    )
    async with scene.camera.looking(f"{ANN}/dm/{asked['ts']}", height=1200) as page:
        thread = page.locator("[data-list=thread]")
        await expect(thread).to_contain_text("Which answer is better?")
        await scene.camera.part("compare", thread, margin=0)


async def ben_gets_a_draft(scene: Scene) -> None:
    """Ben has taken over and lets the assistant draft what he might say."""
    ben = scene.office.person(BEN)
    ts = await scene.take_over(ben, scene.sofia)
    question = "How many days do I have to wait for the transfer to reach my account?"
    scene.sofia.write(question)
    await scene.office.message(saying(question), thread=ts)
    mention = await ben.reply(CHANNEL, ts, f"<@{BOT_USER}> ask version 2")
    draft = await scene.office.message(saying("Draft"), thread=ts)
    async with scene.camera.looking(f"{BEN}/{ROOM}/{ts}", height=1200) as page:
        thread = page.locator("[data-list=thread]")
        await expect(action(thread, "send_draft")).to_be_visible()
        shown = [thread.locator(f"article[data-ts='{m['ts']}']") for m in (mention, draft)]
        await scene.camera.part("draft", *shown, margin=0)


async def _answered(scene: Scene, asked: dict[str, str], *, number: int) -> list[Message]:
    """The app's answers to a direct message, once so many stand there whole."""
    ann = scene.office.person(ANN)

    async def look() -> list[Message] | None:
        replies = (await ann.thread(asked["channel"], asked["ts"]))[1:]
        whole = [m for m in replies if m.get("bot_id") and m.get("streaming") != "in_progress"]
        return whole if len(whole) >= number else None

    return await ann.wait_for(look, timeout=60)
