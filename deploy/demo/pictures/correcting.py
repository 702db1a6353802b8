"""Flags, and the review of what is to be learned from them."""

from playwright.async_api import Page, expect

from bot.standin.people import buttons_of
from deploy.demo.pictures.customers import Customer
from deploy.demo.pictures.office import CHANNEL, offering, saying
from deploy.demo.pictures.scene import ANN, BEN, CEM, DANA, ROOM, Scene, action, article

_NEWER = (
    "Our rate follows the interbank market and updates every minute, weekends included. See the "
    "live figure under Exchange before you confirm, or write to rates@alderbank.example."
)


async def ann_flags(scene: Scene) -> None:
    """Ann takes Aisha's conversation over and says what would have been right."""
    ts = await scene.take_over(scene.office.person(ANN), scene.aisha)
    answer = await scene.office.message(offering("flag_answer"), thread=ts)
    right = scene.office.bank.topic_of(scene.aisha.question).answer
    await _picture_menu(scene, f"{ANN}/{ROOM}/{ts}", answer["ts"])
    async with scene.camera.looking(f"{ANN}/{ROOM}/{ts}", height=1300) as page:
        await action(article(page, answer["ts"], thread=True), "flag_answer").click()
        form = page.get_by_role("dialog", name="Flag answer")
        await form.get_by_label("What is wrong with it?").select_option("wrong")
        await form.get_by_label("The right answer").fill(right)
        await scene.camera.part("flag-form", form, margin=0)
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_be_hidden()
        example = await scene.office.message(offering("approve_example"), thread=ts)
        await expect(article(page, answer["ts"], thread=True)).to_contain_text("Flagged by")
        shown = [article(page, m["ts"], thread=True) for m in (answer, example)]
        await scene.camera.part("flagged", shown[0], margin=0)
        await scene.camera.part("example", shown[1], margin=0)


async def colleagues_flag(scene: Scene) -> None:
    """Ben and Cem flag other answers; two of them to nearly the same question."""
    await _flag(scene, scene.marek, BEN, "should_have_escalated")
    for customer, agent, question in (
        (scene.jonas, CEM, "How long will it take to transfer something to China urgently?"),
        (scene.sofia, BEN, "How long will it take to urgently transfer something to China?"),
    ):
        await _give_up(scene, customer, question)
        await _flag(scene, customer, agent, "wrong")


async def cem_flags(scene: Scene) -> None:
    """Cem flags an answer that is out of date, and corrects one word of it."""
    await _give_up(scene, scene.priya, "Do you have the best exchange rate?")
    await _flag(scene, scene.priya, CEM, "out_of_date", correction=_NEWER)


async def dana_reviews(scene: Scene) -> None:
    """Dana reviews in App Home: before and after, and questions that are nearly the same."""
    async with scene.camera.looking(f"{DANA}/home", height=1400) as page:
        home = page.locator(".home-body")
        await expect(home).to_contain_text("wait for review")
        await scene.camera.part("home", home)
        for _ in range(3):
            await _approve(page)
        await expect(home).to_contain_text("Nearly the same question")
        await scene.camera.part("home-near", home)
        await action(page, "review_approve_all").first.click()
        await page.get_by_role("dialog").get_by_role("button").last.click()
        await expect(home).to_contain_text("Approved 2 examples")


async def _approve(page: Page) -> None:
    before = await page.locator(".home-body").inner_text()
    await action(page, "review_approve").first.click()
    await expect(page.locator(".home-body")).not_to_have_text(before)
    await expect(page.locator(".home-body")).to_contain_text("Approved:")


async def _picture_menu(scene: Scene, at: str, ts: str) -> None:
    """The message's menu, which Slack shows for any message."""
    async with scene.camera.looking(at, height=1300) as page:
        answer = article(page, ts, thread=True)
        await answer.hover()
        await answer.get_by_label("More actions").click()
        menu = page.get_by_role("menu")
        await expect(menu.get_by_role("menuitem", name="Flag answer")).to_be_visible()
        await scene.camera.part("flag-menu", answer, menu, margin=0)


async def _give_up(scene: Scene, customer: Customer, question: str) -> None:
    """A customer asks, is answered wrongly, and wants a person."""
    customer.ask(question)
    customer.want_a_person("No, I want to talk to a real agent")
    await scene.card(customer)
    await scene.office.all_sent()


async def _flag(
    scene: Scene, customer: Customer, agent: str, reason: str, *, correction: str = ""
) -> None:
    """Flag a customer's first answer with the correction, or else with what the policy says."""
    person = scene.office.person(agent)
    ts = str((await scene.card(customer))["ts"])
    answer = await scene.office.message(lambda m: "flag_answer" in buttons_of(m), thread=ts)
    await person.click(CHANNEL, answer["ts"], "flag_answer")
    topic = scene.office.bank.topic_of(customer.question)
    entered: dict[str, object] = {"reason": reason, "correction": correction or topic.answer}
    if topic.handover:
        entered["reason"] = "should_have_escalated"
    await scene.fill(person, entered)
    await scene.office.message(saying("Flagged by"), thread=ts)
