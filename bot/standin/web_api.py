"""The methods of Slack's Web API that the stand-in knows, as functions on the workspace.

Each takes its arguments as one mapping (query, form and JSON merged) and returns Slack's answer.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.standin.refusal import Refused
from bot.standin.workspace import (
    APP,
    BOT,
    BOT_USER,
    LONGEST_TEXT,
    TEAM,
    Json,
    Workspace,
    checked_blocks,
    parsed,
)


@dataclass(slots=True)
class WebApi:
    """Answers calls. `events` collects what the app is to be told of."""

    workspace: Workspace
    url: str
    events: list[Json] = field(default_factory=list)

    def call(self, method: str, arguments: Json) -> Json:
        """Answer one call.

        Raises:
            Refused: with Slack's error code.
        """
        known = _METHODS.get(method)
        if known is None:
            raise Refused("unknown_method")
        return {"ok": True, **known(self, arguments)}

    def take_events(self) -> list[Json]:
        """What has happened since the last time."""
        events, self.events = self.events, []
        return events

    def auth_test(self, _: Json) -> Json:
        """Who the bot is."""
        return {
            "url": f"{self.url}/",
            "team": "Stand-in",
            "user": "understudy",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def post_message(self, given: Json) -> Json:
        """Post a message."""
        channel = self.workspace.channel(given.get("channel"))
        content = _content(given)
        metadata = _metadata(given)
        message = {"user": BOT_USER, "bot_id": BOT, "app_id": APP, "team": TEAM, **content}
        if metadata:
            message["metadata"] = metadata
        posted = self.workspace.post(channel, message, thread_ts=given.get("thread_ts"))
        self.events.append({**without_metadata(posted), "channel": channel})
        return {"channel": channel, "ts": posted["ts"], "message": without_metadata(posted)}

    def update(self, given: Json) -> Json:
        """Replace a message's content; without blocks, its blocks go."""
        channel = self.workspace.channel(given.get("channel"))
        message = self._own(channel, given.get("ts"))
        before = without_metadata(dict(message))
        message.update({"blocks": [], **_content(given)})
        message["edited"] = {"user": BOT_USER, "ts": self.workspace.new_ts()}
        metadata = _metadata(given)
        if metadata:
            message["metadata"] = metadata
        self.workspace.touch()
        self.events.append(
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "channel": channel,
                "ts": self.workspace.new_ts(),
                "message": without_metadata(message),
                "previous_message": before,
            }
        )
        return {"channel": channel, "ts": message["ts"], "text": message.get("text", "")}

    def delete(self, given: Json) -> Json:
        """Take a message away."""
        channel = self.workspace.channel(given.get("channel"))
        message = self._own(channel, given.get("ts"))
        del self.workspace.messages[channel][message["ts"]]
        self.workspace.touch()
        return {"channel": channel, "ts": message["ts"]}

    def _own(self, channel: str, ts: Any) -> Json:
        message = self.workspace.message(channel, ts)
        if message.get("bot_id") != BOT:
            raise Refused("cant_update_message")
        return message

    def post_ephemeral(self, given: Json) -> Json:
        """Say something to one person."""
        channel = self.workspace.channel(given.get("channel"))
        user = given.get("user")
        if not user or user not in self.workspace.users:
            raise Refused("user_not_in_channel")
        ts = self.workspace.whisper(
            {
                "channel": channel,
                "user": user,
                "thread_ts": given.get("thread_ts"),
                **_content(given),
            }
        )
        return {"message_ts": ts}

    def history(self, given: Json) -> Json:
        """A channel's messages, newest first."""
        channel = self.workspace.channel(given.get("channel"))
        return _page(self.workspace.in_channel(channel)[::-1], given)

    def replies(self, given: Json) -> Json:
        """A thread, oldest first; its head is always there."""
        channel = self.workspace.channel(given.get("channel"))
        try:
            thread = self.workspace.in_thread(channel, str(given.get("ts")))
        except Refused as error:
            raise Refused("thread_not_found") from error
        return _page(thread, given, head=thread[0])

    def list_channels(self, given: Json) -> Json:
        """All channels."""
        channels = list(self.workspace.channels.values())
        start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        more = str(start + limit) if start + limit < len(channels) else ""
        return {
            "channels": channels[start : start + limit],
            "response_metadata": {"next_cursor": more},
        }

    def channel_info(self, given: Json) -> Json:
        """One channel."""
        channel = self.workspace.channel(given.get("channel"))
        return {"channel": self.workspace.channels[channel]}

    def user_info(self, given: Json) -> Json:
        """One person."""
        user = self.workspace.users.get(str(given.get("user")))
        if user is None:
            raise Refused("user_not_found")
        return {"user": user}

    def open_view(self, given: Json) -> Json:
        """Open a modal, with a trigger that is fresh and unused."""
        view = parsed(given.get("view"), code="invalid_arguments")
        user = self.workspace.use_trigger(given.get("trigger_id"))
        return {"view": self.workspace.show_view(user, view)}

    def update_view(self, given: Json) -> Json:
        """Replace an open view's content."""
        known = self.workspace.views.get(str(given.get("view_id")))
        if known is None:
            raise Refused("not_found")
        if given.get("hash") and given["hash"] != known["hash"]:
            raise Refused("hash_conflict")
        view = parsed(given.get("view"), code="invalid_arguments")
        return {"view": self.workspace.show_view(known["user"], view, view_id=known["id"])}

    def publish_view(self, given: Json) -> Json:
        """Set a person's Home."""
        user = str(given.get("user_id"))
        view = parsed(given.get("view"), code="invalid_arguments")
        return {"view": self.workspace.show_view(user, view, view_id=f"VHOME{user}")}

    def add_reaction(self, given: Json) -> Json:
        """React to a message."""
        channel = self.workspace.channel(given.get("channel"))
        name = str(given.get("name") or "")
        if not name:
            raise Refused("invalid_name")
        self.workspace.react(channel, given.get("timestamp"), name=name, user=BOT_USER)
        return {}

    def upload_url(self, given: Json) -> Json:
        """Where the bytes of a file go."""
        size = int(given.get("length") or 0)
        if not given.get("filename") or size <= 0:
            raise Refused("invalid_arguments", messages=["filename and length are needed"])
        if len(str(given.get("alt_txt") or "")) > 1000:
            raise Refused("alt_txt_too_large")
        file = f"F{secrets.token_hex(5).upper()}"
        self.workspace.files[file] = {
            "id": file,
            "name": given["filename"],
            "size": size,
            "alt_txt": given.get("alt_txt") or "",
            "uploaded": False,
        }
        return {"file_id": file, "upload_url": f"{self.url}/upload/{file}"}

    def complete_upload(self, given: Json) -> Json:
        """Share uploaded files in a channel or thread."""
        files = [self._uploaded(f) for f in parsed(given.get("files"), code="invalid_arguments")]
        if given.get("channel_id"):
            channel = self.workspace.channel(given["channel_id"])
            message = {
                "user": BOT_USER,
                "bot_id": BOT,
                "app_id": APP,
                "subtype": "file_share",
                "text": given.get("initial_comment") or "",
                "files": files,
            }
            posted = self.workspace.post(channel, message, thread_ts=given.get("thread_ts"))
            self.events.append({**posted, "channel": channel})
        return {"files": files}

    def _uploaded(self, named: Json) -> Json:
        file = self.workspace.files.get(str(named.get("id")))
        if file is None:
            raise Refused("file_not_found")
        if not file["uploaded"]:
            raise Refused("file_not_uploaded")
        file["title"] = named.get("title") or file["name"]
        file["url_private"] = f"{self.url}/files/{file['id']}"
        return file


def _content(given: Json) -> Json:
    text = str(given.get("text") or "")[:LONGEST_TEXT]
    blocks = checked_blocks(given.get("blocks"))
    if not text and not blocks:
        raise Refused("no_text")
    return {"text": text, "blocks": blocks}


def _metadata(given: Json) -> Json | None:
    if not given.get("metadata"):
        return None
    metadata = parsed(given["metadata"], code="invalid_metadata_format")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    return metadata


def without_metadata(message: Json) -> Json:
    """A message as it is shown to those who did not ask for metadata."""
    return {key: value for key, value in message.items() if key != "metadata"}


def _page(messages: Sequence[Json], given: Json, *, head: Json | None = None) -> Json:
    oldest, latest = str(given.get("oldest") or "0"), str(given.get("latest") or "9" * 12)
    wanted = [m for m in messages if m is head or float(oldest) < float(m["ts"]) <= float(latest)]
    start = int(given.get("cursor") or 0)
    limit = min(999, max(1, int(given.get("limit") or 100)))
    shown = wanted[start : start + limit]
    if str(given.get("include_all_metadata", "")).lower() not in ("1", "true"):
        shown = [without_metadata(m) for m in shown]
    more = start + limit < len(wanted)
    return {
        "messages": shown,
        "has_more": more,
        "response_metadata": {"next_cursor": str(start + limit) if more else ""},
    }


_METHODS: dict[str, Callable[[WebApi, Json], Json]] = {
    "auth.test": WebApi.auth_test,
    "chat.postMessage": WebApi.post_message,
    "chat.update": WebApi.update,
    "chat.delete": WebApi.delete,
    "chat.postEphemeral": WebApi.post_ephemeral,
    "conversations.history": WebApi.history,
    "conversations.replies": WebApi.replies,
    "conversations.list": WebApi.list_channels,
    "conversations.info": WebApi.channel_info,
    "users.info": WebApi.user_info,
    "views.open": WebApi.open_view,
    "views.update": WebApi.update_view,
    "views.publish": WebApi.publish_view,
    "reactions.add": WebApi.add_reaction,
    "files.getUploadURLExternal": WebApi.upload_url,
    "files.completeUploadExternal": WebApi.complete_upload,
}
