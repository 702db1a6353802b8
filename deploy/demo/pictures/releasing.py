"""From retraining to release, and back."""

from playwright.async_api import Locator, Page, expect

from deploy.demo.pictures import traffic, worker
from deploy.demo.pictures.office import CHANNEL, offering, saying
from deploy.demo.pictures.scene import ANN, OLGA, ROOM, Scene, action, article


async def olga_retrains(scene: Scene) -> None:
    """Olga types /retrain; the worker begins."""
    olga = scene.office.person(OLGA)
    async with scene.camera.looking(f"{OLGA}/{ROOM}", height=1100) as page:
        await olga.slash("/retrain", channel=CHANNEL)
        form = page.get_by_role("dialog", name="Retrain")
        await expect(form).to_contain_text("Approved examples to be used")
        await scene.camera.part("retrain", form, margin=0)
        await form.get_by_role("button", name="Retrain").click()
        await expect(form).to_be_hidden()
        job = worker.requested(scene.office)
        worker.train(scene.office, job)
        shown = await scene.office.message(offering("cancel_job", "loss"))
        await scene.office.all_sent()
        await expect(article(page, shown["ts"])).to_contain_text("left")
        await scene.camera.part("job", article(page, shown["ts"]), margin=0)
        worker.age_flags(scene.office, days=4)
        await worker.finish(scene.office, job, seed=3)
    await scene.office.all_sent()


async def the_report_comes(scene: Scene) -> None:
    """The report card, and the plot in its thread."""
    report = await scene.office.message(offering("promote"))
    async with scene.camera.looking(f"{OLGA}/{ROOM}", height=1500) as page:
        await scene.camera.part("report", article(page, report["ts"]), margin=0)
        await scene.office.person(OLGA).slash("/compare", "2 1", channel=CHANNEL)
        await scene.camera.part("tables", _whisper(page, "Made"), margin=0)
    async with scene.camera.looking(f"{OLGA}/{ROOM}/{report['ts']}", height=1500) as page:
        await page.locator("[data-list=thread] .enlarge").first.click()
        plot = page.locator("dialog[open] img").last
        await expect(plot).to_be_visible()
        await scene.camera.part("plot", plot, margin=0)


async def olga_experiments(scene: Scene) -> None:
    """A tenth of the customers get the new version."""
    olga = scene.office.person(OLGA)
    report = await scene.office.message(offering("start_experiment"))
    await olga.click(CHANNEL, report["ts"], "start_experiment")
    await scene.office.message(saying("Experiment on", "runs since"))
    traffic.divide(scene.office)
    async with scene.camera.looking(f"{OLGA}/{ROOM}", height=1000) as page:
        await olga.slash("/experiment", channel=CHANNEL)
        form = page.get_by_role("dialog", name="Experiment")
        await expect(form).to_contain_text("thumbs up")
        await scene.camera.part("experiment", form, margin=0)
    await olga.close()


async def olga_promotes(scene: Scene) -> None:
    """Olga promotes, after a question that says what will happen."""
    report = await scene.office.message(offering("promote", "fixed:"))
    async with scene.camera.looking(f"{OLGA}/{ROOM}", height=1500) as page:
        await action(article(page, report["ts"]), "promote").click()
        asked = page.get_by_role("dialog")
        await scene.camera.part("promote", asked, margin=0)
        await asked.get_by_role("button", name="Promote").click()
        await scene.office.message(saying("was promoted in place of"))
    await scene.office.all_sent()


async def receipts_come(scene: Scene) -> None:
    """Ann's flag gets its receipt, and App Home shows what flags led to."""
    card = await scene.card(scene.aisha)
    receipt = await scene.office.message(saying("Fixed."), thread=card["ts"])
    async with scene.camera.looking(f"{ANN}/{ROOM}/{card['ts']}", height=1500) as page:
        await scene.camera.part("receipt", article(page, receipt["ts"], thread=True), margin=0)
    async with scene.camera.looking(f"{ANN}/home", height=1000) as page:
        home = page.locator(".home-body")
        await expect(home).to_contain_text("median")
        await scene.camera.part("home-results", home)


async def olga_rolls_back(scene: Scene) -> None:
    """The list of versions, an explanation, and the way back."""
    olga = scene.office.person(OLGA)
    async with scene.camera.looking(f"{OLGA}/{ROOM}", height=1300) as page:
        await olga.slash("/versions", channel=CHANNEL)
        await scene.camera.part("versions", _whisper(page, "Versions of support"), margin=0)
        await olga.slash("/rollback", channel=CHANNEL)
        form = page.get_by_role("dialog", name="Roll back")
        await expect(form).to_contain_text("answers all customers")
        await scene.camera.part("rollback", form, margin=0)
        await form.get_by_role("button", name="Roll back").click()
        await expect(form).to_be_hidden()
        back = await scene.office.message(saying("Rolled back from"))
        await expect(article(page, back["ts"])).to_be_visible()
        turn = traffic.answer_tried(scene.office)
        await olga.slash("/explain", turn, channel=CHANNEL)
        await scene.camera.part("explain", _whisper(page, "said this"), margin=0)


def _whisper(page: Page, words: str) -> Locator:
    """What only the viewer is told."""
    return page.locator("article[data-whisper]", has_text=words)
