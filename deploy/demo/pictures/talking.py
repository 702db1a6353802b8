"""An agent's day: cards, taking over, speaking with the customer, resolving."""

from collections.abc import Callable
from datetime import timedelta

from playwright.async_api import expect

from bot.standin.people import Message, buttons_of
from deploy.demo.pictures.office import CHANNEL, about, saying
from deploy.demo.pictures.scene import ANN, BEN, ROOM, Scene, action, article
from records import conversations

_WISH = "That does not answer my question, let me talk to a person"


async def cards_arrive(scene: Scene) -> None:
    """Customers ask, and three of them need a person."""
    scene.aisha.ask("How long will a transfer from the US take?")
    scene.aisha.want_a_person("You did not understand me. I want to speak to a human.")
    await scene.card(scene.aisha)
    scene.marek.ask("I was double charged at a restaurant can you take the second charge off?")
    scene.marek.want_a_person(_WISH)
    await scene.card(scene.marek)
    scene.lena.ask("There's a cash withdrawal I didn't make")
    card = await scene.card(scene.lena)
    await scene.office.all_sent()
    async with scene.camera.looking(f"{ANN}/{ROOM}", height=985) as page:
        await scene.camera.page(page, "the-page")
        await scene.camera.part("card", article(page, card["ts"]), margin=0)


async def a_colleague_is_asked(scene: Scene) -> None:
    """Ann asks Ben to take Marek's conversation."""
    card = await scene.card(scene.marek)
    async with scene.camera.looking(f"{ANN}/{ROOM}") as page:
        await action(article(page, card["ts"]), "assign").click()
        form = page.get_by_role("dialog", name="Assign to…")
        await form.get_by_role("combobox").select_option(BEN)
        await scene.camera.part("assign", form, margin=0)
        await form.get_by_role("button", name="Ask").click()
        await expect(form).to_be_hidden()
    await scene.office.message(about(scene.marek.escalation, f"<@{BEN}> was asked"))
    await scene.take_over(scene.office.person(BEN), scene.marek)


async def ann_helps_lena(scene: Scene) -> None:
    """Ann takes over, writes a note and replies; the customer reads and answers."""
    ann, lena = scene.office.person(ANN), scene.lena
    ts = await scene.take_over(ann, lena)
    await ann.reply(CHANNEL, ts, "note: second one this week at the Hauptbahnhof machine")
    words = "Hello, I'm Ann. I've frozen your card. Was it with you on Saturday evening?"
    await _reply(scene, ts, words)
    lena.read()
    await scene.office.message(_ticked("white_check_mark", words), thread=ts)
    lena.write("Yes, it was in my bag the whole time")
    await scene.office.message(saying("in my bag"), thread=ts)
    second = "Thank you. We'll pay the 300 euros back today and post you a new card."
    await _reply(scene, ts, second)
    async with scene.camera.looking(f"{ANN}/{ROOM}/{ts}", height=1560) as page:
        last = page.locator("[data-list=thread] article").last
        await expect(last.locator("[data-reaction]")).to_be_visible()
        await scene.camera.part("thread", page.locator("[data-list=thread]"), margin=0)


async def nobody_reads(scene: Scene) -> None:
    """The customer has left the chat, so the reply is said to be unread."""
    card = await scene.card(scene.lena)
    _age_last_reply(scene, minutes=3)
    unread = await scene.office.message(lambda m: "send_again" in buttons_of(m), thread=card["ts"])
    async with scene.camera.looking(f"{ANN}/{ROOM}/{card['ts']}", height=1500) as page:
        await scene.camera.part("unread", article(page, unread["ts"], thread=True), margin=0)
    scene.lena.read()
    await scene.office.message(saying("Delivered"), thread=card["ts"])


async def ann_resolves(scene: Scene) -> None:
    """Ann resolves: how it ended, and whether her replies are worth learning."""
    card, lena = await scene.card(scene.lena), scene.lena
    lena.has_waited(7)
    async with scene.camera.looking(f"{ANN}/{ROOM}", height=1200) as page:
        await action(article(page, card["ts"]), "resolve").click()
        form = page.get_by_role("dialog", name="Resolve")
        await form.get_by_label("Note for colleagues").fill("Fraud desk has case 48-113.")
        await scene.camera.part("resolve", form, margin=0)
        await form.get_by_role("button", name="Resolve").click()
        await expect(form).to_be_hidden()
        await scene.office.message(about(lena.escalation, "Resolved by"))
        await expect(article(page, card["ts"])).to_contain_text("Resolved by")
        await scene.camera.part("resolved", article(page, card["ts"]), margin=0)


async def _reply(scene: Scene, ts: str, words: str) -> None:
    await scene.office.person(ANN).reply(CHANNEL, ts, words)
    await scene.office.message(_ticked("hourglass_flowing_sand", words), thread=ts)


def _ticked(emoji: str, words: str) -> Callable[[Message], bool]:
    return lambda m: saying(words)(m) and emoji in {r["name"] for r in m.get("reactions", [])}


def _age_last_reply(scene: Scene, *, minutes: float) -> None:
    with scene.office.database.write() as session:
        turn = conversations.history(session, scene.lena.conversation)[-1]
        turn.created_at -= timedelta(minutes=minutes)
