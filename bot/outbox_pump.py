"""Sends the outbox to Slack: in order per channel, each message once, no faster than allowed.

A row is `sending` from before the call until its place in Slack is noted. Whoever finds it so
looks in Slack for a message with the row's key before sending it again.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot.arrived import find_message, find_upload
from bot.channels import Channels
from bot.desk import Desk
from bot.failures import Failure, Meaning, understood
from bot.leadership import Leadership
from bot.messages.area import channel_of
from bot.messages.rendering import render
from bot.outbox_plan import Method, method_of, planned
from bot.rendered import Nothing, NotYet, Post, Reaction, Rendered, Update, Upload
from bot.rounds import Rounds
from bot.settings import BotSettings
from bot.token_bucket import TokenBucket
from records import outbox
from records.errors import NotFound, UnderstudyError
from records.outbox import Kind
from records.states import OutboxState
from records.tables import OutboxMessage

log = logging.getLogger(__name__)

EVENT_TYPE = "understudy"
_AT_ONCE = 1000
_LONGEST_BACKOFF_SECONDS = 30.0
_MEND_SECONDS = 10.0
_POST_BURST = 3.0
_OTHERS_PER_SECOND = 50 / 60
_OTHERS_BURST = 20.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to send: messages per second and channel, a job's updates, looks at the outbox."""

    messages_per_second: float
    job_update_seconds: float
    poll_seconds: float = 0.2
    round_seconds: float = 5.0

    @classmethod
    def of(cls, settings: BotSettings) -> "Pace":
        """The pace that the settings allow."""
        return cls(
            settings.slack_messages_per_second,
            settings.job_update_seconds,
            settings.outbox_poll_seconds,
            settings.round_seconds,
        )


class OutboxPump:
    """One sender for one database; `client` must not repeat calls by itself."""

    def __init__(
        self,
        desk: Desk,
        client: AsyncWebClient,
        *,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._client = client
        self._channels = Channels(client)
        self._pace = pace
        self._clock = clock
        self._buckets: dict[tuple[Method, str], TokenBucket] = {}
        self._lanes: dict[int, str] = {}
        self._not_before: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._job_updated: dict[str, float] = {}
        self._rounds = Rounds(desk, every_seconds=pace.round_seconds)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; only one bot per database does so at a time."""
        leadership = Leadership(self._desk.database)
        try:
            while not stop.is_set():
                try:
                    if await asyncio.to_thread(leadership.holds):
                        await self._rounds.make()
                        await self.step()
                except UnderstudyError as error:
                    log.warning("the outbox cannot be read: %s", error)
                try:
                    await asyncio.wait_for(stop.wait(), self._pace.poll_seconds)
                except TimeoutError:
                    continue
        finally:
            leadership.release()

    async def step(self) -> None:
        """Send what may be sent now."""
        rows = await self._desk.read(lambda session: outbox.due(session, limit=_AT_ONCE))
        if not rows:
            return
        await self._find_lanes(rows)
        plan = planned(rows, self._lanes)
        if plan.needless:
            await self._settle(plan.needless)
        await asyncio.gather(*(self._drain(key, lane) for key, lane in plan.lanes.items()))

    async def _find_lanes(self, rows: Sequence[OutboxMessage]) -> None:
        self._lanes = {row.id: self._lanes[row.id] for row in rows if row.id in self._lanes}
        unknown = [row for row in rows if row.id not in self._lanes]
        lost: dict[int, str] = {}

        def work(session: Session) -> None:
            for row in unknown:
                try:
                    self._lanes[row.id] = channel_of(session, row, self._desk)
                except NotFound as error:
                    lost[row.id] = str(error)

        if unknown:
            await self._desk.read(work)
        for row_id, reason in lost.items():
            await self._give_up(row_id, reason)

    async def _settle(self, row_ids: Sequence[int]) -> None:
        def work(session: Session) -> None:
            for row_id in row_ids:
                outbox.mark_sent(session, row_id, channel=None, ts=None)

        await self._desk.write(work)

    async def _drain(self, key: tuple[Method, str], rows: Sequence[OutboxMessage]) -> None:
        """Send a lane's rows while its bucket allows; a post that must wait holds the lane."""
        bucket = self._bucket(key)
        for row in rows:
            if bucket.wait_seconds() > 0:
                return
            gone_on = self._is_due(row) and await self._deliver(row, bucket)
            if not gone_on and method_of(row) is Method.POST:
                return

    def _is_due(self, row: OutboxMessage) -> bool:
        return self._clock() >= self._not_before.get(row.id, 0.0)

    def _bucket(self, key: tuple[Method, str]) -> TokenBucket:
        method, channel = key
        key = (method, channel if method is Method.POST else "")
        if key not in self._buckets:
            rate = self._pace.messages_per_second
            slow = method is not Method.POST
            self._buckets[key] = TokenBucket(
                per_second=rate * _OTHERS_PER_SECOND if slow else rate,
                burst=_OTHERS_BURST if slow else max(_POST_BURST, rate),
                clock=self._clock,
            )
        return self._buckets[key]

    async def _deliver(self, row: OutboxMessage, bucket: TokenBucket) -> bool:
        """Send one row; False where it stays for later."""
        try:
            rendered = await self._desk.read(lambda session: render(session, row, self._desk))
            if isinstance(rendered, NotYet) or self._is_too_soon(row, rendered):
                return False
            await self._perform(row, rendered, bucket)
        except NotFound as error:
            await self._give_up(row.id, str(error))
        except Exception as error:
            failure = understood(error)
            if failure is None:
                log.exception("outbox row %s cannot be sent", row.key)
                failure = Failure(Meaning.GIVE_UP, f"{type(error).__name__}: {error}")
            return await self._failed(row, failure, bucket)
        self._failures.pop(row.id, None)
        self._not_before.pop(row.id, None)
        return True

    def _is_too_soon(self, row: OutboxMessage, rendered: Rendered) -> bool:
        """Whether a job's message was updated just now; its last update never waits."""
        if row.kind != Kind.JOB_CHANGED or not isinstance(rendered, Update) or rendered.last:
            return False
        since = self._clock() - self._job_updated.get(row.subject, float("-inf"))
        return since < self._pace.job_update_seconds

    async def _perform(self, row: OutboxMessage, rendered: Rendered, bucket: TokenBucket) -> None:
        if isinstance(rendered, Post):
            await self._post(row, rendered, bucket)
        elif isinstance(rendered, Update):
            await self._update(row, rendered, bucket)
        elif isinstance(rendered, Upload):
            await self._upload(row, rendered, bucket)
        elif isinstance(rendered, Reaction):
            await self._react(row, rendered, bucket)
        elif isinstance(rendered, Nothing):
            await self._settle([row.id])

    async def _post(self, row: OutboxMessage, post: Post, bucket: TokenBucket) -> None:
        channel = await self._channels.id_of(post.channel)
        ts = None
        if row.state is OutboxState.SENDING:
            ts = await find_message(self._client, channel, key=row.key, post=post, since=row)
        else:
            await self._desk.write(lambda session: outbox.mark_sending(session, row.id))
        if ts is None:
            bucket.take()
            answer = await self._client.chat_postMessage(
                channel=channel,
                thread_ts=post.thread_ts,
                text=post.content.text,
                blocks=post.content.blocks,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": row.key}},
                mrkdwn=False,
                unfurl_links=False,
                unfurl_media=False,
            )
            ts = str(answer["ts"])
            row.state = OutboxState.SENDING  # what fails from here on must not send it again
        await self._note_sent(row, channel=channel, ts=ts)

    async def _note_sent(self, row: OutboxMessage, *, channel: str, ts: str) -> None:
        def work(session: Session) -> None:
            outbox.mark_sent(session, row.id, channel=channel, ts=ts)
            if row.kind == Kind.REPORT_READY:
                outbox.put(session, Kind.REPORT_PLOT, row.subject)

        await self._desk.write(work)

    async def _upload(self, row: OutboxMessage, upload: Upload, bucket: TokenBucket) -> None:
        if row.state is OutboxState.SENDING:
            if await find_upload(self._client, upload):
                await self._settle([row.id])
                return
        else:
            await self._desk.write(lambda session: outbox.mark_sending(session, row.id))
        bucket.take()
        await self._client.files_upload_v2(
            channel=upload.channel,
            thread_ts=upload.thread_ts,
            file=str(upload.path),
            filename=upload.name,
            title=upload.name,
            alt_txt=upload.alt_text,
        )
        row.state = OutboxState.SENDING
        await self._settle([row.id])

    async def _update(self, row: OutboxMessage, update: Update, bucket: TokenBucket) -> None:
        for channel, ts in update.targets:
            bucket.take()
            await self._client.chat_update(
                channel=channel, ts=ts, text=update.content.text, blocks=update.content.blocks
            )
        self._job_updated[row.subject] = self._clock()
        await self._settle([row.id])

    async def _react(self, row: OutboxMessage, reaction: Reaction, bucket: TokenBucket) -> None:
        bucket.take()
        try:
            await self._client.reactions_add(
                channel=reaction.channel, timestamp=reaction.ts, name=reaction.name
            )
        except SlackApiError as error:
            if error.response.get("error") != "already_reacted":
                raise
        await self._settle([row.id])

    async def _failed(self, row: OutboxMessage, failure: Failure, bucket: TokenBucket) -> bool:
        """Note a failure and when to try again; True where the lane may go on without the row."""
        if failure.meaning is Meaning.GIVE_UP:
            await self._give_up(row.id, failure.sentence)
            return True
        times = self._failures[row.id] = self._failures.get(row.id, 0) + 1
        wait = min(_LONGEST_BACKOFF_SECONDS, 0.5 * 2**times)
        if failure.meaning is Meaning.WAIT:
            bucket.pause(failure.wait_seconds)
            wait = failure.wait_seconds
        elif failure.meaning is Meaning.MEND:
            wait = _MEND_SECONDS
        self._not_before[row.id] = self._clock() + wait
        if failure.meaning is not Meaning.WAIT:
            log.warning("%s waits: %s", row.key, failure.sentence)
        if failure.meaning is not Meaning.UNSURE and row.state is not OutboxState.SENDING:
            sentence = failure.sentence
            await self._desk.write(
                lambda session: outbox.mark_pending(session, row.id, error=sentence)
            )
        return False

    async def _give_up(self, row_id: int, reason: str) -> None:
        log.error("outbox row %s is given up: %s", row_id, reason)
        await self._desk.write(lambda session: outbox.mark_failed(session, row_id, error=reason))
