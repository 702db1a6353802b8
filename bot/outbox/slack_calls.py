"""The outbox's calls to one workspace, each no faster than Slack allows it.

Slack limits `chat.postMessage` per channel and other methods per workspace; where it says how long
to wait, only that method (in that channel) waits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from slack_sdk.errors import SlackApiError

from bot.outbox.arrived import find_message, find_upload
from bot.outbox.failures import Meaning, Paused, code_of, understood
from bot.outbox.plan import Lane, Method
from bot.outbox.rendered import Post, Reaction, Upload
from bot.outbox.token_bucket import TokenBucket
from bot.views.content import Content
from bot.workspaces.channels import Channels
from bot.workspaces.workspaces import Sender
from records.tables import OutboxMessage

EVENT_TYPE = "understudy"
CALL_SECONDS = 10
"""How long a client of the outbox waits for an answer."""
_AFTERWARDS_SECONDS = 5
LONGEST_SECONDS = float(CALL_SECONDS + _AFTERWARDS_SECONDS)
"""So long after a call began nothing comes of it any more: Slack may end its work after the one
who called has gone."""
_POST_BURST = 3.0
_OTHERS_PER_SECOND = 50 / 60
"""Tier 3, of which updates, reactions and the reading of a channel are."""
_OTHERS_BURST = 20.0
_FIND = "find"
_UNREACT = "unreact"


class SlackCalls:
    """Calls in one workspace. `messages_per_second` is the rate per channel: Slack's is 1."""

    def __init__(
        self, sender: Sender, *, messages_per_second: float, clock: Callable[[], float]
    ) -> None:
        self.sender = sender
        self.channels = Channels(sender.client)
        self._client = sender.client
        self._rate = messages_per_second
        self._clock = clock
        self._buckets: dict[tuple[str, str], TokenBucket] = {}

    def wait_seconds(self, lane: Lane) -> float:
        """How long until a lane's next call may be made."""
        return self._bucket(lane.method, lane.channel).wait_seconds()

    async def post(self, key: str, channel: str, post: Post) -> str:
        """Post a message with a key by which it can be found again; returns its `ts`."""
        with self._limited(Method.POST, channel):
            answer = await self._client.chat_postMessage(
                channel=channel,
                thread_ts=post.thread_ts,
                text=post.content.text,
                blocks=post.content.blocks,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                mrkdwn=False,
                unfurl_links=False,
                unfurl_media=False,
            )
        return str(answer["ts"])

    async def find_post(self, row: OutboxMessage, channel: str, post: Post) -> str | None:
        """The `ts` of a row's message, if it arrived."""
        with self._limited(_FIND):
            return await find_message(self._client, channel, key=row.key, post=post, since=row)

    async def upload(self, upload: Upload) -> None:
        """Share a file in a thread."""
        with self._limited(Method.UPLOAD):
            await self._client.files_upload_v2(
                channel=upload.channel,
                thread_ts=upload.thread_ts,
                file=str(upload.path) if upload.path else None,
                content=upload.text or None,
                filename=upload.name,
                title=upload.name,
                alt_txt=upload.alt_text or None,
                snippet_type="text" if upload.text else None,
                initial_comment=upload.comment or None,
            )

    async def find_file(self, row: OutboxMessage, upload: Upload) -> bool:
        """Whether a row's file arrived."""
        with self._limited(_FIND):
            return await find_upload(self._client, upload, since=row)

    async def update(self, channel: str, ts: str, content: Content) -> None:
        """Replace a message's content."""
        with self._limited(Method.UPDATE):
            await self._client.chat_update(
                channel=channel, ts=ts, text=content.text, blocks=content.blocks
            )

    async def react(self, reaction: Reaction) -> None:
        """Add an emoji, and take those away that it stands instead of.

        That it is there, or the others are not, is as good.
        """
        channel, ts = reaction.channel, reaction.ts
        if reaction.name:
            with _unless("already_reacted"), self._limited(Method.REACT):
                await self._client.reactions_add(channel=channel, timestamp=ts, name=reaction.name)
        for gone in reaction.instead_of:
            with _unless("no_reaction", "message_not_found"), self._limited(_UNREACT):
                await self._client.reactions_remove(channel=channel, timestamp=ts, name=gone)

    @contextmanager
    def _limited(self, method: str, channel: str = "") -> Iterator[None]:
        bucket = self._bucket(method, channel)
        if bucket.pause_seconds > 0:
            raise Paused(bucket.pause_seconds)
        bucket.take()
        try:
            yield
        except SlackApiError as error:
            failure = understood(error)
            if failure is not None and failure.meaning is Meaning.WAIT:
                bucket.pause(failure.wait_seconds)
            raise

    def _bucket(self, method: str, channel: str) -> TokenBucket:
        is_post = method == Method.POST
        key = (method, channel if is_post else "")
        if key not in self._buckets:
            self._buckets[key] = TokenBucket(
                per_second=self._rate if is_post else self._rate * _OTHERS_PER_SECOND,
                burst=max(_POST_BURST, self._rate) if is_post else _OTHERS_BURST,
                clock=self._clock,
            )
        return self._buckets[key]


@contextmanager
def _unless(*known: str) -> Iterator[None]:
    """Let a call pass that Slack refuses because what it does is done already."""
    try:
        yield
    except SlackApiError as error:
        if code_of(error) not in known:
            raise
