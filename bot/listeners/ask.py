"""Asking the assistant: a direct message to the bot, or a mention of it in a channel.

Slack tells of a mention twice, as a message and as a mention; only the mention is heard. In an
escalation's thread it makes a draft, and never reaches the customer by itself.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.asking.asking import Asking
from bot.asking.help import help_for
from bot.asking.question_grammar import Help, Known, Question, Unclear, understand
from bot.asking.vocabulary import vocabulary
from bot.attendance import Place
from bot.desk import Desk
from bot.incoming.deliveries import first_time, was_noted
from bot.incoming.hints import Hint, Hints
from bot.incoming.said_once import Where, say_once
from bot.text import spoken
from bot.workspaces.channel_names import ChannelNames
from records import asking as questions
from records import escalations
from records.errors import NotFound, StorageError, UnderstudyError
from records.tables import Escalation, Turn

_WRITTEN_BY_PEOPLE = (None, "file_share", "thread_broadcast")
_DRAFT = re.compile(
    r"(please )?(draft|write|suggest)?( (a|the|an))?( (reply|answer|draft))?[.!]?", re.I
)


def register(app: AsyncApp, desk: Desk, hints: Hints, asking: Asking) -> None:
    """Listen to direct messages and mentions, before others listen to messages."""
    ask = _Ask(desk, hints, asking)

    @app.event("message", matchers=[_is_direct])
    async def direct(
        event: dict[str, Any],
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        await ask.hear(client, Heard.read(event, body, bot=context.bot_user_id))

    @app.event("message", matchers=[_is_mention])
    async def mentioned_in_a_message() -> None:
        """It comes as `app_mention` too; as a message it is for nobody, and for no customer."""

    @app.event("app_mention")
    async def mentioned(
        event: dict[str, Any],
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
    ) -> None:
        await ask.hear(client, Heard.read(event, body, bot=context.bot_user_id))


async def _is_direct(event: dict[str, Any]) -> bool:
    return event.get("channel_type") == "im"


async def _is_mention(event: dict[str, Any], context: AsyncBoltContext) -> bool:
    text = event.get("text") or ""
    return context.bot_user_id is not None and f"<@{context.bot_user_id}" in text


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody wrote to the bot."""

    user: str
    channel: str
    ts: str
    thread_ts: str
    team: str | None
    words: str
    has_files: bool
    is_direct: bool

    @classmethod
    def read(
        cls, event: dict[str, Any], body: dict[str, Any], *, bot: str | None
    ) -> "Heard | None":
        """What an event tells; None where no person wrote it."""
        by_a_person = event.get("user") and not event.get("bot_id")
        if not by_a_person or event.get("subtype") not in _WRITTEN_BY_PEOPLE:
            return None
        text = event.get("text") or ""
        without = re.sub(rf"<@{re.escape(bot)}(\|[^<>]*)?>", " ", text, count=1) if bot else text
        return cls(
            user=event["user"],
            channel=event["channel"],
            ts=event["ts"],
            thread_ts=event.get("thread_ts") or event["ts"],
            team=event.get("team") or body.get("team_id"),
            words=spoken(without),
            has_files=bool(event.get("files")),
            is_direct=event.get("channel_type") == "im",
        )

    def place(self, client: AsyncWebClient) -> Place:
        """Where its author reads words: where nobody has answered yet, a thread is not open."""
        begins = self.thread_ts == self.ts and not self.is_direct
        return Place(client, self.user, self.channel, None if begins else self.thread_ts)

    @property
    def key(self) -> str:
        """Under which it is noted that it was taken in."""
        return f"ask:{self.channel}:{self.ts}"

    @property
    def thread(self) -> questions.Thread:
        """The thread in which it is answered."""
        return questions.Thread(self.channel, self.thread_ts)


Taken = list[Turn] | Help | Unclear
"""What a message led to: questions, or words to its author."""


class _Ask:
    def __init__(self, desk: Desk, hints: Hints, asking: Asking) -> None:
        self._desk = desk
        self._hints = hints
        self._asking = asking
        self._names = ChannelNames()

    async def hear(self, client: AsyncWebClient, heard: Heard | None) -> None:
        """Take a message in, once, and begin to answer it.

        Raises:
            StorageError, SlackApiError: it is not taken in; our own journal brings it again.
        """
        if heard is None:
            return
        taken = await self._taken(client, heard)
        if isinstance(taken, list):
            self._asking.begin(client, taken, team=heard.team)
        elif isinstance(taken, Help):
            await self._help(client, heard)
        else:
            place = heard.place(client)
            await self._hints.tell(place, Hint(heard.key, taken.sentence), team=heard.team)

    async def _taken(self, client: AsyncWebClient, heard: Heard) -> Taken:
        here = None
        if len(self._desk.assistants) > 1 and not heard.is_direct:
            here = await self._names.assistant_of(client, heard.channel, self._desk.assistants)
        try:
            return await self._desk.write(lambda s: _take_in(s, self._desk, heard, here=here))
        except StorageError:
            raise
        except UnderstudyError as error:
            return Unclear(str(error))

    async def _help(self, client: AsyncWebClient, heard: Heard) -> None:
        shown = await self._desk.read(lambda s: help_for(s, self._desk, opening=False))
        where = Where(client, heard.channel, heard.thread_ts)
        await say_once(self._desk, where, shown, key=heard.key)


def _take_in(session: Session, desk: Desk, heard: Heard, *, here: str | None) -> Taken:
    """What a message leads to; where that is words to its author, it is done when they are told."""
    if was_noted(session, heard.key):
        return []
    escalation = _escalation_of(session, heard)
    if heard.has_files and not heard.words:
        return Unclear(wording.asking.FILES)
    words = heard.words
    if escalation is not None and _DRAFT.fullmatch(words):
        words = ""
    known = _known(session, desk, heard, escalation=escalation, here=here)
    wanted = understand(words, known, may_be_empty=escalation is not None)
    if not isinstance(wanted, Question):
        return wanted
    if not first_time(session, heard.key):
        return []  # another bot was quicker
    return questions.ask(
        session,
        questions.Asked(
            heard.thread,
            heard.ts,
            heard.user,
            wanted.assistant,
            wanted.versions,
            wanted.words,
            about=escalation.id if escalation is not None else None,
        ),
    )


def _escalation_of(session: Session, heard: Heard) -> Escalation | None:
    try:
        return escalations.find_for_thread(
            session, channel=heard.channel, thread_ts=heard.thread_ts
        )
    except NotFound:
        return None


def _known(
    session: Session, desk: Desk, heard: Heard, *, escalation: Escalation | None, here: str | None
) -> Known:
    """What may be named: in an escalation's thread, its own assistant's versions."""
    names = sorted(desk.assistants)
    if escalation is not None:
        names = [escalation.conversation.assistant]
    known = vocabulary(session, names, here=names[0] if len(names) == 1 else here)
    return replace(known, going_on=questions.going_on(session, heard.thread))
