"""What people do in the pretended Slack, and what the app is told of it."""

import time
from dataclasses import dataclass

from bot.standin.delivery import Acknowledgement, Delivery
from bot.standin.form import Entry, filled_in
from bot.standin.refusal import Refused
from bot.standin.web_api import without_metadata
from bot.standin.workspace import APP, BOT, TEAM, Json, Workspace, checked_blocks


@dataclass(slots=True)
class Acts:
    """Does what a person does; what Slack's own client would not let them do is refused."""

    workspace: Workspace
    delivery: Delivery

    async def click(
        self, *, user: str, channel: str, ts: str, action_id: str, value: str | None = None
    ) -> Json:
        """Press a button that stands in a message now."""
        where = self.workspace.channel(channel)
        message = self.workspace.message(where, ts)
        block, element = _button(message, action_id, value)
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "value": element.get("value"),
            "text": element.get("text"),
            "action_ts": f"{time.time():.6f}",
        }
        payload = {
            "type": "block_actions",
            **self._who(user),
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": where,
                "thread_ts": message.get("thread_ts"),
                "is_ephemeral": False,
            },
            "channel": self._channel(where),
            "message": without_metadata(message),
            "state": {"values": {}},
            "actions": [action],
        }
        return _acknowledged(await self.delivery.interaction(payload))

    async def shortcut(self, *, user: str, callback_id: str, channel: str, ts: str) -> Json:
        """Choose a message shortcut."""
        where = self.workspace.channel(channel)
        message = self.workspace.message(where, ts)
        payload = {
            "type": "message_action",
            "callback_id": callback_id,
            **self._who(user),
            "channel": self._channel(where),
            "message": without_metadata(message),
            "message_ts": ts,
            "action_ts": f"{time.time():.6f}",
        }
        return _acknowledged(await self.delivery.interaction(payload))

    async def slash(self, *, user: str, channel: str, command: str, text: str = "") -> Json:
        """Give a slash command; what the app answers is shown to the person."""
        where = self.workspace.channel(channel)
        person = self.workspace.user(user)
        form = {
            "token": "standin",
            "team_id": TEAM,
            "team_domain": "standin",
            "channel_id": where,
            "channel_name": self.workspace.channels[where]["name"],
            "user_id": user,
            "user_name": person["name"],
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "trigger_id": self.workspace.new_trigger(user),
        }
        answer = await self.delivery.command(form)
        shown = _acknowledged(answer)
        body = answer.body if isinstance(answer.body, dict) else {"text": answer.body or ""}
        if body.get("text") or body.get("blocks"):
            blocks = checked_blocks(body.get("blocks"))
            whisper = {"channel": where, "user": user, "thread_ts": None}
            self.workspace.whisper({**whisper, "text": body.get("text", ""), "blocks": blocks})
        return shown

    async def reply(
        self, *, user: str, channel: str, text: str, thread_ts: str | None = None
    ) -> Json:
        """Write a message, in a thread where one is named."""
        where = self.workspace.channel(channel)
        self.workspace.user(user)
        message = {"user": user, "team": TEAM, "text": text}
        posted = self.workspace.post(where, message, thread_ts=thread_ts)
        event_id = self.delivery.event({**posted, "channel": where})
        return {"ts": posted["ts"], "event_id": event_id}

    async def react(self, *, user: str, channel: str, ts: str, name: str) -> Json:
        """React to a message."""
        where = self.workspace.channel(channel)
        self.workspace.user(user)
        self.workspace.react(where, ts, name=name, user=user)
        item = {"type": "message", "channel": where, "ts": ts}
        event = {"type": "reaction_added", "user": user, "reaction": name, "item": item}
        return {"event_id": self.delivery.event(event)}

    async def submit(
        self, *, user: str, values: dict[str, Entry], view_id: str | None = None
    ) -> Json:
        """Send the modal that is open; errors of the app's come back and it stays open."""
        view = self.workspace.views.get(view_id) if view_id else self.workspace.open_view(user)
        if view is None or view["user"] != user:
            raise Refused("no_open_view")
        if not view.get("submit"):
            raise Refused("view_cannot_be_submitted")
        state = {"values": filled_in(view, values)}
        payload = {
            "type": "view_submission",
            **self._who(user),
            "view": {**view, "state": state},
            "response_urls": [],
        }
        answer = await self.delivery.interaction(payload)
        shown = _acknowledged(answer)
        return {**shown, **self._after(view, answer)}

    def _after(self, view: Json, answer: Acknowledgement) -> Json:
        """What becomes of a modal that was sent."""
        body = answer.body if isinstance(answer.body, dict) else {}
        action = body.get("response_action")
        if action == "errors":
            return {"errors": body.get("errors", {})}
        if action == "update":
            self.workspace.show_view(view["user"], body.get("view"), view_id=view["id"])
        elif action == "push":
            self.workspace.show_view(view["user"], body.get("view"))
        else:
            self.workspace.close_view(view["id"])
        return {}

    def close(self, *, user: str) -> Json:
        """Close the open modal without sending it."""
        view = self.workspace.open_view(user)
        if view is None:
            raise Refused("no_open_view")
        self.workspace.close_view(view["id"])
        return {}

    def _who(self, user: str) -> Json:
        person = self.workspace.user(user)
        return {
            "token": "standin",
            "api_app_id": APP,
            "bot_id": BOT,
            "team": {"id": TEAM, "domain": "standin"},
            "user": {
                "id": user,
                "username": person["name"],
                "name": person["name"],
                "team_id": TEAM,
            },
            "trigger_id": self.workspace.new_trigger(user),
            "is_enterprise_install": False,
        }

    def _channel(self, channel: str) -> Json:
        return {"id": channel, "name": self.workspace.channels[channel]["name"]}


def _button(message: Json, action_id: str, value: str | None) -> tuple[Json, Json]:
    """The button of a message; refused where it isn't there (any more)."""
    for block in message.get("blocks") or []:
        elements = [*(block.get("elements") or []), block.get("accessory") or {}]
        for element in elements:
            fits = value is None or element.get("value") == value
            if element.get("action_id") == action_id and fits:
                return block, element
    raise Refused("no_such_button", messages=[action_id])


def _acknowledged(answer: Acknowledgement) -> Json:
    if not answer.ok:
        raise Refused("not_acknowledged", messages=[answer.reason, str(answer.body or "")])
    return {"acknowledged": True}
