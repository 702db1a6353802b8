"""`chat.*`: messages that everybody in a channel sees, or one person."""

from typing import Any

from bot.standin.block_rules import size
from bot.standin.events import message_changed, message_deleted, without_metadata
from bot.standin.given import checked_blocks
from bot.standin.methods.call import SPECIAL, TIER_3, TIER_4, Call, Method
from bot.standin.refusal import Refused
from bot.standin.slack_files import check_files
from bot.standin.workspace import APP, LONGEST_TEXT, Json

_LONGEST_UPDATE = 4_000
_LONGEST_MARKDOWN = 12_000
_MOST_ATTACHMENTS = 100


def post_message(call: Call) -> Json:
    """Post a message; a person's id stands for the conversation with them."""
    channel = _posting_channel(call)
    message = {**author(call), **content(call, longest=None)}
    metadata = metadata_of(call)
    if metadata:
        message["metadata"] = metadata
    posted = call.workspace.post(
        channel,
        message,
        thread_ts=call.given.get("thread_ts"),
        broadcast=call.flag("reply_broadcast"),
    )
    call.workspace.threads.pop(f"{channel}/{posted.get('thread_ts')}", None)
    call.events.append({**without_metadata(posted), "channel": channel})
    return {"channel": channel, "ts": posted["ts"], "message": without_metadata(posted)}


def _posting_channel(call: Call) -> str:
    user = str(call.given.get("channel") or "")
    if user[:1] in "UW" and user in call.workspace.users:
        return call.workspace.direct_channel(user)
    channel = call.channel()
    known = call.workspace.channels[channel]
    if known["is_archived"]:
        raise Refused("is_archived")
    may_post_anywhere = "chat:write.public" in call.token.scopes
    if not known["is_member"] and not may_post_anywhere:
        raise Refused("not_in_channel")
    return channel


def author(call: Call) -> Json:
    """Whose message it is: the app's, under another name where it may have one."""
    other = {k: call.given[k] for k in ("username", "icon_url", "icon_emoji") if call.given.get(k)}
    if other:
        call.require_scope("chat:write.customize")
    return {
        "user": call.workspace.bot_user,
        "bot_id": call.workspace.bot,
        "app_id": APP,
        "team": call.workspace.team,
        **other,
    }


def content(call: Call, *, longest: int | None) -> Json:
    """Text and blocks of a message; texts are cut where `longest` is None.

    Raises:
        Refused: there is nothing, or too much of it.
    """
    markdown = call.given.get("markdown_text")
    text = str(call.given.get("text") or "")
    blocks = checked_blocks(call.given.get("blocks"))
    check_files(call.workspace, blocks, code="invalid_blocks")
    if markdown:
        if text or blocks:
            raise Refused("markdown_text_conflict")
        if size(str(markdown)) > _LONGEST_MARKDOWN:
            raise Refused("msg_too_long")
        text = str(markdown)
        blocks = checked_blocks([{"type": "markdown", "text": text}])
    attachments = call.json("attachments", code="invalid_attachments") or []
    if len(attachments) > _MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    if not text and not blocks and not attachments:
        raise Refused("no_text")
    if longest is not None and size(text) > longest:
        raise Refused("msg_too_long")
    made = {"text": text[:LONGEST_TEXT], "blocks": blocks}
    return {**made, "attachments": attachments} if attachments else made


def metadata_of(call: Call) -> Json | None:
    """What the message carries for machines."""
    metadata = call.json("metadata", code="invalid_metadata_format")
    if metadata is None:
        return None
    typed = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not typed or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    return dict(metadata)


def update(call: Call) -> Json:
    """Replace a message's content; without blocks, its blocks go."""
    channel = call.own_channel()
    message = own_message(call, channel, code="cant_update_message")
    if call.workspace.channels[channel]["is_archived"]:
        raise Refused("is_inactive")
    if message.get("streaming") == "in_progress":
        raise Refused("streaming_state_conflict")
    before = without_metadata(dict(message))
    message.update(content(call, longest=_LONGEST_UPDATE))
    message["edited"] = {"user": call.workspace.bot_user, "ts": call.workspace.new_ts()}
    metadata = metadata_of(call)
    if metadata:
        message["metadata"] = metadata
    call.workspace.touch_message(channel, message["ts"])
    call.events.append(message_changed(call.workspace, channel, message, before=before))
    shown = without_metadata(message)
    return {"channel": channel, "ts": message["ts"], "text": message["text"], "message": shown}


def delete(call: Call) -> Json:
    """Take a message away."""
    channel = call.own_channel()
    message = own_message(call, channel, code="cant_delete_message")
    before, ts = without_metadata(dict(message)), message["ts"]
    call.workspace.delete(channel, message)
    call.events.append(message_deleted(call.workspace, channel, before=before))
    return {"channel": channel, "ts": ts}


def own_message(call: Call, channel: str, *, code: str) -> Json:
    """A message that the app wrote.

    Raises:
        Refused: with `code`, somebody else wrote it.
    """
    message = call.workspace.message(channel, call.given.get("ts"))
    if message.get("bot_id") != call.workspace.bot:
        raise Refused(code)
    return message


def post_ephemeral(call: Call) -> Json:
    """Say something to one person."""
    channel = call.own_channel()
    user = str(call.given.get("user") or "")
    known = call.workspace.channels[channel]
    if user not in call.workspace.users or user in known.get("absent", []):
        raise Refused("user_not_in_channel")
    if known["is_archived"]:
        raise Refused("is_archived")
    thread_ts: Any = call.given.get("thread_ts")
    if thread_ts:
        call.workspace.in_thread(channel, str(thread_ts))
    whisper = {"channel": channel, "user": user, "thread_ts": thread_ts, "is_ephemeral": True}
    ts = call.workspace.whisper({**whisper, **content(call, longest=LONGEST_TEXT)})
    return {"message_ts": ts}


def permalink(call: Call) -> Json:
    """The address of a message."""
    channel = call.channel()
    message = call.workspace.message(channel, call.given.get("message_ts"))
    ts, thread = message["ts"], message.get("thread_ts")
    inside = f"?thread_ts={thread}&cid={channel}" if thread and thread != ts else ""
    link = f"{call.url}/archives/{channel}/p{ts.replace('.', '')}{inside}"
    return {"channel": channel, "permalink": link}


_WRITE = ("chat:write",)
METHODS = {
    "chat.postMessage": Method(post_message, SPECIAL, (*_WRITE, "chat:write.public")),
    "chat.update": Method(update, TIER_3, _WRITE),
    "chat.delete": Method(delete, TIER_3, _WRITE),
    "chat.postEphemeral": Method(post_ephemeral, TIER_4, _WRITE),
    "chat.getPermalink": Method(permalink, SPECIAL),
}
