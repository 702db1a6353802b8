"""The flag emoji on an answer: it flags at once; taking it away takes a bare flag back.

A reaction opens no form, so a note that only its author sees offers one. A flag with details is
more than an emoji: it stays until it is withdrawn in words. What a person did last counts, in
whatever order Slack tells of it.
"""

from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import wording
from bot.attendance import Attendance, Place
from bot.desk import Desk
from bot.incoming.deliveries import first_time
from bot.review.flagging import AnswerShown, answer_at
from bot.views.content import Content, content, line
from bot.views.flag_notes import reaction_note, stays_note
from records import conversations, flags
from records.flags import FlaggedAt, Judgement
from records.tables import Flag, SlackEvent


@dataclass(frozen=True, slots=True)
class _Reaction:
    """An emoji of a person's on a message."""

    user: str
    channel: str
    ts: str
    name: str
    delivery: str
    at: str
    """When, by Slack's clock: as text that is as long as any other's."""

    @property
    def key(self) -> str:
        """Under which is noted when a person added or removed the emoji."""
        return f"reaction:{self.channel}:{self.ts}:{self.user}:{self.name}:"

    @classmethod
    def read(cls, event: dict[str, Any], body: dict[str, Any]) -> "_Reaction | None":
        """The reaction of an event; None where it isn't on a message."""
        item = event.get("item") or {}
        if item.get("type") != "message" or not event.get("user"):
            return None
        name = str(event["reaction"]).partition("::")[0]  # without the tone of skin
        delivery, at = str(body["event_id"]), str(event.get("event_ts") or "")
        return cls(event["user"], item["channel"], item["ts"], name, delivery, at)


def register(app: AsyncApp, desk: Desk, attendance: Attendance) -> None:
    """Listen to reactions being added and removed."""

    @app.event("reaction_added")
    async def added(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        reaction = _Reaction.read(event, body)
        if reaction is not None and _flags(desk, reaction):
            shown = await desk.write(lambda session: _flagged(session, desk, reaction))
            if shown is not None:
                await whisper(client, reaction, shown, reaction_note(shown.turn))

    @app.event("reaction_removed")
    async def removed(event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        reaction = _Reaction.read(event, body)
        if reaction is not None and _flags(desk, reaction):
            told = await desk.write(lambda session: _taken_back(session, desk, reaction))
            if told is not None:
                await whisper(client, reaction, *told)

    async def whisper(
        client: AsyncWebClient, reaction: _Reaction, shown: AnswerShown, said: Content
    ) -> None:
        place = Place(client, reaction.user, reaction.channel, shown.thread_ts)
        await attendance.attend(place, _whisper(place, said))


def _flags(desk: Desk, reaction: _Reaction) -> bool:
    """Whether any assistant takes the emoji for a flag: most reactions mean nothing to us."""
    return reaction.name in {a.slack.flag_reaction for a in desk.assistants.values()}


def _flagged(session: Session, desk: Desk, reaction: _Reaction) -> AnswerShown | None:
    """Flag the answer, once; None where there is nothing to say."""
    shown = _answer(session, desk, reaction)
    if shown is None or not _counts(session, reaction):
        return None
    where = FlaggedAt(reaction.channel, shown.thread_ts)
    flags.add_once(session, shown.turn, agent=reaction.user, where=where)
    return shown


def _taken_back(
    session: Session, desk: Desk, reaction: _Reaction
) -> tuple[AnswerShown, Content] | None:
    shown = _answer(session, desk, reaction)
    if shown is None or not _counts(session, reaction):
        return None
    last = flags.last_word(session, shown.turn, reaction.user)
    if last is None:
        return None
    if not _is_bare(last):
        return shown, stays_note(shown.turn)
    flags.withdraw(session, shown.turn, agent=reaction.user)
    sentence = wording.review.FLAG_WITHDRAWN
    return shown, content(sentence, [line(sentence)])


def _counts(session: Session, reaction: _Reaction) -> bool:
    """Whether it is new, and the last that this person did with the emoji there."""
    if not first_time(session, reaction.delivery):
        return False
    noted = SlackEvent.id.startswith(reaction.key, autoescape=True)
    last = session.scalar(select(func.max(SlackEvent.id)).where(noted))
    mine = f"{reaction.key}{reaction.at}"
    first_time(session, mine)
    return last is None or last < mine


def _answer(session: Session, desk: Desk, reaction: _Reaction) -> AnswerShown | None:
    """The answer under the emoji, where its assistant takes that for a flag."""
    shown = answer_at(session, channel=reaction.channel, ts=reaction.ts)
    if shown is None:
        return None
    turn = conversations.turn(session, shown.turn)
    name = conversations.get(session, turn.conversation_id).assistant
    assistant = desk.assistants.get(name)
    takes_it = assistant is not None and assistant.slack.flag_reaction == reaction.name
    return shown if takes_it else None


def _is_bare(flag: Flag) -> bool:
    said = Judgement(flag.reason, flag.correction, flag.should_escalate, flag.note)
    return said == Judgement()


async def _whisper(place: Place, said: Content) -> None:
    await place.client.chat_postEphemeral(
        channel=place.channel,
        user=place.user,
        thread_ts=place.thread_ts,
        text=said.text,
        blocks=said.blocks,
    )
