"""What the parts of the photographed day share: the office, the camera, and who is at the chat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page

from bot.standin.people import Message, Person
from deploy.demo.pictures.camera import Camera
from deploy.demo.pictures.customers import Customer
from deploy.demo.pictures.office import CHANNEL, Office, about

ROOM = "C0SUPPORT"
ANN, BEN, CEM, DANA, OLGA = "U0ANN", "U0BEN", "U0CEM", "U0DANA", "U0OLGA"


@dataclass
class Scene:
    """The stage of all parts, which are played in order."""

    office: Office
    camera: Camera

    def __post_init__(self) -> None:
        self.lena = Customer(self.office, "Lena Hoffmann")
        self.marek = Customer(self.office, "Marek Dvořák")
        self.aisha = Customer(self.office, "Aisha Rahman")
        self.priya = Customer(self.office, "Priya Nair")
        self.jonas = Customer(self.office, "Jonas Weber")
        self.sofia = Customer(self.office, "Sofia Ricci")

    async def card(self, customer: Customer) -> Message:
        """A customer's card."""
        return await self.office.message(about(customer.escalation))

    async def take_over(self, agent: Person, customer: Customer) -> str:
        """Let an agent take a conversation over; returns its card's ts."""
        card = await self.card(customer)
        await agent.click(CHANNEL, card["ts"], "take_over")
        speaks = about(customer.escalation, f"<@{agent.user_id}> speaks with the customer")
        await self.office.message(speaks)
        return str(card["ts"])

    async def fill(self, agent: Person, entered: Mapping[str, Any]) -> None:
        """Wait for the form that was asked for, fill it in and send it."""

        async def look() -> bool:
            view = await agent.open_view()
            fields = {
                b["element"]["action_id"]
                for b in (view or {}).get("blocks") or []
                if "element" in b
            }
            return bool(view and view.get("submit")) and entered.keys() <= fields

        await agent.wait_for(look)
        errors = await agent.submit(dict(entered))
        assert not errors, errors


def article(page: Page, ts: str, *, thread: bool = False) -> Locator:
    """A message, in the channel or in the open thread."""
    pane = "thread" if thread else "channel"
    return page.locator(f"[data-list={pane}] article[data-ts='{ts}']")


def action(where: Page | Locator, action_id: str) -> Locator:
    """A button or field of the app's, by its action id."""
    return where.locator(f"[data-action={action_id}]")
