"""Slack's own client, as people use it: what it needs to tell the app of what somebody did."""

from dataclasses import dataclass

from bot.standin.delivery import Delivery
from bot.standin.health import Health
from bot.standin.keeping import Keeping
from bot.standin.manifest import Manifest
from bot.standin.refusal import Refused
from bot.standin.response_urls import ResponseUrls
from bot.standin.sockets import Acknowledgement
from bot.standin.tokens import Tokens
from bot.standin.workspace import APP, Json, Workspace


@dataclass(frozen=True, slots=True)
class Client:
    """One workspace, and the way to the app."""

    workspace: Workspace
    delivery: Delivery
    response_urls: ResponseUrls
    keeping: Keeping
    tokens: Tokens
    health: Health
    manifest: Manifest
    url: str

    def tell(self, event: Json) -> str:
        """Tell the app of an event; returns its id."""
        return self.delivery.event(self.workspace, event)

    async def interact(self, payload: Json, *, user: str, view_id: str | None = None) -> Json:
        """Tell the app what a person did; returns what it answered.

        Raises:
            Refused: the app did not acknowledge in time.
        """
        told = {**payload, **self.who(user, view_id=view_id)}
        answer = acknowledged(await self.delivery.interaction(told))
        return answer.body if isinstance(answer.body, dict) else {}

    def who(self, user: str, *, view_id: str | None = None) -> Json:
        """The part of a payload that says who did it, with a trigger to open a view with."""
        person = self.workspace.user(user)
        team = self.workspace.team
        return {
            "token": "standin",
            "api_app_id": APP,
            "team": {"id": team, "domain": self.workspace.name.lower()},
            "enterprise": None,
            "user": {
                "id": user,
                "username": person["name"],
                "name": person["name"],
                "team_id": team,
            },
            "trigger_id": self.workspace.modals.new_trigger(user, view_id=view_id),
            "is_enterprise_install": False,
        }

    def channel(self, channel: str) -> Json:
        """The part of a payload that says where."""
        known = self.workspace.channels[channel]
        name = "directmessage" if known["is_im"] else known["name"]
        return {"id": channel, "name": name}


def acknowledged(answer: Acknowledgement) -> Acknowledgement:
    """The answer, if it is one.

    Raises:
        Refused: the app did not acknowledge in time.
    """
    if not answer.ok:
        raise Refused("not_acknowledged", messages=[answer.reason, str(answer.body or "")])
    return answer
