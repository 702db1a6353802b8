"""Sending one row of the outbox: marked before the call, noted after it, looked for in between.

A row is `sending` from before the call until its place in Slack is noted. Whoever finds it so
looks in Slack for a message with the row's key before sending it again.
"""

import logging
from collections.abc import Callable

from slack_sdk.errors import SlackApiError
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.messages.rendering import render
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

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def send(self, row: OutboxMessage, rendered: Rendered, calls: SlackCalls) -> None:
        """Do for a row what was rendered; it is done when this returns.

        Raises:
            NotNoted: it may be done; look in Slack before doing it again.
        """
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
        elif not await self._begin(row):
            return
        if ts is None:
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
        elif not await self._begin(row):
            return
        if not arrived:
            await calls.upload(upload)
        await self._note(lambda session: outbox.settle(session, [row.id]))

    async def _update(self, row: OutboxMessage, update: Update, calls: SlackCalls) -> None:
        for channel, ts in update.targets:
            try:
                await calls.update(channel, ts, update.content)
            except SlackApiError as error:
                if error.response.get("error") not in _GONE:
                    raise
                await self._leave_alone(channel, ts)
        await self._settle(row)

    async def _leave_alone(self, channel: str, ts: str) -> None:
        log.info("a message was deleted in Slack and is not brought up to date any more")
        await self._desk.write(lambda session: outbox.mark_gone(session, channel=channel, ts=ts))

    async def _begin(self, row: OutboxMessage) -> bool:
        """Mark a row before it is sent; False where another bot has it."""
        begun = await self._desk.write(lambda session: outbox.mark_sending(session, row.id))
        if begun:
            row.state = OutboxState.SENDING
        return begun

    async def _note(self, work: Callable[[Session], None]) -> None:
        try:
            await self._desk.write(work)
        except StorageError as error:
            raise NotNoted(str(error)) from error

    async def _settle(self, row: OutboxMessage) -> None:
        await self._desk.write(lambda session: outbox.settle(session, [row.id]))


_AFTERWARDS: dict[str, tuple[Kind, ...]] = {
    Kind.REPORT_READY: (Kind.REPORT_PLOT, Kind.REPORT_CHANGES),
}
"""What is put when a message of a kind stands in Slack."""
