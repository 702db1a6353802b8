"""What people of other organisations write and flag: told to them that nothing comes of it.

Only where they may believe that something does: in an escalation's thread, towards the bot, with
the emoji of a flag on our message. What else they do in a shared channel is none of our business.
"""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Place
from bot.desk import Desk
from bot.incoming.hints import Hint, Hints, untold
from bot.incoming.taking_in import find_escalation
from records import outbox

_WRITTEN = (None, "file_share", "thread_broadcast")

Json = dict[str, Any]


async def refuse(
    desk: Desk, hints: Hints, client: AsyncWebClient, body: Json, *, team: str | None
) -> None:
    """Do nothing for a stranger's event; say so, once for each thread.

    Raises:
        StorageError: nothing was said, or that it was is not noted.
    """
    event = body["event"]
    item = event.get("item") or {}
    channel = event.get("channel") or item.get("channel")
    ts = event.get("ts") or item.get("ts")
    if not channel or not ts:
        return
    root = event.get("thread_ts") or ts
    key = f"hint:stranger:{channel}:{root}:{event['user']}"

    def look(session: Session) -> Hint | None:
        sentence = _sentence(session, desk, event, channel=channel, root=root)
        return untold(session, Hint(key, sentence)) if sentence else None

    hint = await desk.read(look)
    if hint:
        is_open = "thread_ts" in event or event.get("channel_type") == "im"
        place = Place(client, event["user"], channel, root if is_open else None)
        await hints.tell(place, hint, team=team, delivery=str(body["event_id"]))


def _sentence(session: Session, desk: Desk, event: Json, *, channel: str, root: str) -> str | None:
    """What to say; None where nothing was to be expected of it."""
    if event["type"] == "reaction_added":
        name = str(event["reaction"]).partition("::")[0]
        flags = {assistant.slack.flag_reaction for assistant in desk.assistants.values()}
        ours = name in flags and outbox.find(session, channel=channel, ts=root) is not None
        return wording.machine.STRANGER if ours else None
    to_us = event["type"] == "app_mention" or event.get("channel_type") == "im"
    is_reply = event["type"] == "message" and event.get("subtype") in _WRITTEN
    if to_us or (is_reply and find_escalation(session, channel, root) is not None):
        return wording.machine.STRANGER_WROTE
    return None
