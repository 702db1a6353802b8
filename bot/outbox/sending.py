"""Sending one row of the outbox: marked before the call, noted after it, looked for in between.

A row is `sending` from before the call until its place in Slack is noted. Whoever finds it so
waits until that call has surely ended, looks in Slack for a message with the row's key, and sends
it again only where nobody else has begun to.
"""

import logging
from collections.abc import Callable

from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.messages.rendering import render
from bot.outbox.failures import Paused, code_of
from bot.outbox.in_flight import InFlight
from bot.outbox.kinds import head_of
from bot.outbox.rendered import Nothing, NotYet, Post, Reaction, Rendered, Update, Upload
from bot.outbox.slack_calls import SlackCalls
from records import outbox
from records.errors import StorageError
from records.outbox import Kind
from records.states import OutboxState
from records.tables import OutboxMessage

log = logging.getLogger(__name__)

_GONE = ("message_not_found", "cant_update_message", "channel_not_found", "is_archived")


class NotNoted(Exception):
    """Slack has the message, and the database could not be told so."""


class TakenByAnother(Exception):
    """Another bot has sent the row, or is sending it: what is remembered of it is old."""


class HeadFailed(Exception):
    """The message whose thread a row belongs to was given up."""


def told(session: Session, row: OutboxMessage, desk: Desk) -> Rendered:
    """What to do in Slack for a row, once what it belongs to stands there.

    Raises:
        HeadFailed: it never will.
        NotFound: what the row is about is gone.
    """
    head = head_of(row)
    state = outbox.state_of(session, *head) if head else None
    if state in (OutboxState.PENDING, OutboxState.SENDING):
        return NotYet()
    if state is OutboxState.FAILED:
        raise HeadFailed(wording.machine.HEAD_FAILED)
    return render(session, row, desk)


class Sending:
    """Sends rows that are rendered. Each method raises what the call to Slack raises."""

    def __init__(self, desk: Desk, in_flight: InFlight) -> None:
        self._desk = desk
        self._in_flight = in_flight

    async def send(self, row: OutboxMessage, rendered: Rendered, calls: SlackCalls) -> None:
        """Do for a row what was rendered; it is done when this returns.

        Raises:
            NotNoted: it may be done; look in Slack before doing it again.
            TakenByAnother: nothing was done here.
        """
        try:
            await self._do(row, rendered, calls)
        except (SlackApiError, Paused, NotNoted):
            self._in_flight.note_ended(row)
            raise
        row.state = OutboxState.SENT  # a look at the outbox may have begun before this
        self._in_flight.forget(row)

    async def _do(self, row: OutboxMessage, rendered: Rendered, calls: SlackCalls) -> None:
        match rendered:
            case Post():
                await self._post(row, rendered, calls)
            case Upload():
                await self._upload(row, rendered, calls)
            case Update():
                await self._update(row, rendered, calls)
            case Reaction():
                await calls.react(rendered)
                await self._settle(row)
            case Nothing():
                log.info("%s needs no message: %s", row.key, rendered.reason)
                await self._settle(row)

    async def _post(self, row: OutboxMessage, post: Post, calls: SlackCalls) -> None:
        channel = await calls.channels.id_of(post.channel)
        ts = None
        if row.state is OutboxState.SENDING:
            ts = await calls.find_post(row, channel, post)
        if ts is None:
            await self._begin(row, channel)
            ts = await calls.post(row.key, channel, post)

        def note(session: Session) -> None:
            outbox.mark_sent(session, row.id, channel=channel, ts=ts, team=calls.sender.team)
            for kind in _AFTERWARDS.get(row.kind, ()):
                outbox.put(session, kind, row.subject)

        await self._note(note)

    async def _upload(self, row: OutboxMessage, upload: Upload, calls: SlackCalls) -> None:
        arrived = False
        if row.state is OutboxState.SENDING:
            arrived = await calls.find_file(row, upload)
        if not arrived:
            await self._begin(row, upload.channel)
            await calls.upload(upload)
        await self._note(lambda session: outbox.settle(session, [row.id]))

    async def _update(self, row: OutboxMessage, update: Update, calls: SlackCalls) -> None:
        for channel, ts in update.targets:
            try:
                await calls.update(channel, ts, update.content)
            except SlackApiError as error:
                if code_of(error) not in _GONE:
                    raise
                await self._leave_alone(channel, ts)
        await self._settle(row)

    async def _leave_alone(self, channel: str, ts: str) -> None:
        log.info("a message was deleted in Slack and is not brought up to date any more")
        await self._desk.write(lambda session: outbox.mark_gone(session, channel=channel, ts=ts))

    async def _begin(self, row: OutboxMessage, channel: str) -> None:
        """Mark a row before each call: of two bots that think that they lead, one succeeds."""

        def mark(session: Session) -> OutboxMessage:
            if not outbox.mark_sending(session, row, channel=channel):
                raise TakenByAnother
            return session.get_one(OutboxMessage, row.id)

        marked = await self._desk.write(mark)
        row.state, row.attempts = marked.state, marked.attempts
        row.begun_after = marked.begun_after
        self._in_flight.note_begun(row)

    async def _note(self, work: Callable[[Session], None]) -> None:
        try:
            await self._desk.write(work)
        except StorageError as error:
            raise NotNoted(str(error)) from error

    async def _settle(self, row: OutboxMessage) -> None:
        await self._desk.write(lambda session: outbox.settle(session, [row.id]))


_AFTERWARDS: dict[str, tuple[Kind, ...]] = {
    Kind.REPORT_READY: (Kind.REPORT_TABLES, Kind.REPORT_PLOT, Kind.REPORT_CHANGES),
}
"""What is put when a message of a kind stands in Slack."""
