"""`response_url`s: addresses that an interaction gives the app, five times within half an hour."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.standin.events import message_changed, without_metadata
from bot.standin.given import checked_blocks
from bot.standin.refusal import Refused
from bot.standin.workspace import APP, LONGEST_TEXT, Json, Workspace

_USES = 5
_LIFE_SECONDS = 1800.0
_MOST = 5000


@dataclass(slots=True)
class Ticket:
    """Where an answer goes: the channel, who asked, and the message that was acted on."""

    workspace: Workspace
    channel: str
    user: str
    expires_at: float
    ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


@dataclass(slots=True)
class ResponseUrls:
    """All tickets that may still be used."""

    url: str
    clock: Callable[[], float]
    _tickets: dict[str, Ticket] = field(default_factory=dict)

    def new(
        self,
        workspace: Workspace,
        channel: str,
        user: str,
        *,
        ts: str | None = None,
        thread_ts: str | None = None,
    ) -> str:
        """An address for answers to what this person did."""
        name = secrets.token_hex(16)
        until = self.clock() + _LIFE_SECONDS
        self._tickets[name] = Ticket(workspace, channel, user, until, ts, thread_ts)
        if len(self._tickets) > _MOST:
            del self._tickets[next(iter(self._tickets))]
        return f"{self.url}/respond/{name}"

    def answer(self, name: str, given: Json) -> tuple[Workspace, list[Json]]:
        """Take an answer; returns what the app is to be told of.

        Raises:
            Refused: the address was used five times, or is too old.
        """
        ticket = self._tickets.get(name)
        if ticket is None:
            raise Refused("invalid_url")
        if self.clock() > ticket.expires_at:
            raise Refused("expired_url")
        if ticket.uses >= _USES:
            raise Refused("used_url")
        ticket.uses += 1
        return ticket.workspace, _answered(ticket, given)


def _answered(ticket: Ticket, given: Json) -> list[Json]:
    workspace = ticket.workspace
    whispered = workspace.whispered(ticket.user, ticket.ts) if ticket.ts else None
    if given.get("delete_original"):
        return _deleted(ticket, whispered)
    content = _content(given)
    if given.get("replace_original") and ticket.ts:
        return _replaced(ticket, whispered, content)
    thread_ts = given.get("thread_ts") or ticket.thread_ts
    if given.get("response_type") != "in_channel":
        whisper = {"channel": ticket.channel, "user": ticket.user, "thread_ts": thread_ts}
        workspace.whisper({**whisper, "is_ephemeral": True, **content})
        return []
    author = {"user": workspace.bot_user, "bot_id": workspace.bot, "app_id": APP}
    message = {**author, "team": workspace.team, **content}
    posted = workspace.post(ticket.channel, message, thread_ts=thread_ts)
    return [{**without_metadata(posted), "channel": ticket.channel}]


def _content(given: Json) -> Json:
    text, blocks = str(given.get("text") or "")[:LONGEST_TEXT], checked_blocks(given.get("blocks"))
    if not text and not blocks:
        raise Refused("no_text")
    return {"text": text, "blocks": blocks}


def _deleted(ticket: Ticket, whispered: Json | None) -> list[Json]:
    if whispered is not None:
        ticket.workspace.whispers[ticket.user].remove(whispered)
        ticket.workspace.touch()
    elif ticket.ts:
        message = ticket.workspace.message(ticket.channel, ticket.ts)
        ticket.workspace.delete(ticket.channel, message)
    return []


def _replaced(ticket: Ticket, whispered: Json | None, content: Json) -> list[Json]:
    if whispered is not None:
        whispered.update(content)
        ticket.workspace.touch()
        return []
    message = ticket.workspace.message(ticket.channel, ticket.ts)
    before = without_metadata(dict(message))
    message.update(content)
    ticket.workspace.touch_message(ticket.channel, message["ts"])
    return [message_changed(ticket.workspace, ticket.channel, message, before=before)]
