"""`chat.*Stream`: a message that grows while it is written."""

from bot.standin.block_rules import size
from bot.standin.events import message_changed, without_metadata
from bot.standin.given import checked_blocks
from bot.standin.methods.call import TIER_2, TIER_4, Call, Method
from bot.standin.methods.chat import author, metadata_of
from bot.standin.refusal import Refused
from bot.standin.workspace import Json

LONGEST_STREAM = 12_000
LIFE_SECONDS = 300.0
_CHUNKS = ("markdown_text", "task_update", "plan_update", "blocks")


def start(call: Call) -> Json:
    """Begin a message in a thread; in a channel it must be said for whom."""
    channel = call.own_channel()
    known = call.workspace.channels[channel]
    if known["is_archived"]:
        raise Refused("is_archived")
    thread_ts = call.text("thread_ts")
    if not known["is_im"]:
        _check_recipient(call)
    streamed = _grown(call, {"text": "", "blocks": []}, may_be_empty=True)
    until = call.workspace.clock() + LIFE_SECONDS
    message = {**author(call), **streamed, "streaming": "in_progress", "streaming_until": until}
    posted = call.workspace.post(channel, message, thread_ts=thread_ts)
    call.workspace.threads.pop(f"{channel}/{posted['thread_ts']}", None)
    call.events.append({**without_metadata(posted), "channel": channel})
    return {"channel": channel, "ts": posted["ts"]}


def _check_recipient(call: Call) -> None:
    if not call.given.get("recipient_user_id"):
        raise Refused("missing_recipient_user_id")
    if not call.given.get("recipient_team_id"):
        raise Refused("missing_recipient_team_id")
    if call.given["recipient_user_id"] not in call.workspace.users:
        raise Refused("user_not_found")


def append(call: Call) -> Json:
    """Let it grow."""
    channel = call.own_channel()
    message = _streaming(call, channel)
    message.update(_grown(call, message, may_be_empty=False))
    call.workspace.touch_message(channel, message["ts"])
    return {"channel": channel, "ts": message["ts"]}


def stop(call: Call) -> Json:
    """End it, with blocks under what was written."""
    channel = call.own_channel()
    message = _streaming(call, channel)
    before = without_metadata(dict(message))
    below = checked_blocks(call.given.get("blocks"))
    metadata = metadata_of(call)
    grown = _grown(call, message, may_be_empty=True)
    checked_blocks([*grown["blocks"], *below])
    message.update({**grown, "blocks": [*grown["blocks"], *below], "streaming": "completed"})
    if metadata:
        message["metadata"] = metadata
    call.workspace.touch_message(channel, message["ts"])
    call.events.append(message_changed(call.workspace, channel, message, before=before))
    return {"channel": channel, "ts": message["ts"], "message": without_metadata(message)}


def _streaming(call: Call, channel: str) -> Json:
    """The app's own message that still grows; it ends by itself after five minutes."""
    message = call.workspace.message(channel, call.given.get("ts"))
    if message.get("bot_id") != call.workspace.bot:
        raise Refused("message_not_owned_by_app")
    if message.get("streaming") != "in_progress":
        raise Refused("message_not_in_streaming_state")
    if call.workspace.clock() > message["streaming_until"]:
        message["streaming"] = "errored"
        call.workspace.touch_message(channel, message["ts"])
        raise Refused("message_not_in_streaming_state")
    return message


def _grown(call: Call, message: Json, *, may_be_empty: bool) -> Json:
    """What the message holds with what is added now."""
    chunks = _chunks(call)
    added = [c["text"] for c in chunks if c["type"] == "markdown_text"]
    if not chunks and not may_be_empty:
        raise Refused("no_text")
    if any(size(text) > LONGEST_STREAM for text in added):
        raise Refused("msg_too_long")
    text = str(message["text"]) + "".join(added)
    if size(text) > LONGEST_STREAM:
        raise Refused("msg_too_long")
    kept = [b for b in message["blocks"] if b["type"] != "markdown"]
    more = [b for c in chunks if c["type"] == "blocks" for b in checked_blocks(c["blocks"])]
    written = checked_blocks([{"type": "markdown", "text": text}]) if text else []
    tasks = {c["id"]: c for c in [*message.get("tasks", []), *_of(chunks, "task_update")]}
    plans = [c["title"] for c in _of(chunks, "plan_update")] or [message.get("plan_title")]
    grown = {"text": text, "blocks": [*written, *kept, *more], "tasks": list(tasks.values())}
    return {**grown, "plan_title": plans[-1]}


def _chunks(call: Call) -> list[Json]:
    chunks = call.json("chunks", code="invalid_chunks") or []
    if call.given.get("markdown_text"):
        chunks = [{"type": "markdown_text", "text": str(call.given["markdown_text"])}, *chunks]
    needed = {"markdown_text": "text", "task_update": "id", "plan_update": "title"}
    for chunk in chunks:
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        if kind not in _CHUNKS or not chunk.get(needed.get(str(kind), "blocks")):
            raise Refused("invalid_chunks", messages=[str(kind)])
    return list(chunks)


def _of(chunks: list[Json], kind: str) -> list[Json]:
    return [chunk for chunk in chunks if chunk["type"] == kind]


_WRITE = ("chat:write",)
METHODS = {
    "chat.startStream": Method(start, TIER_2, _WRITE),
    "chat.appendStream": Method(append, TIER_4, _WRITE),
    "chat.stopStream": Method(stop, TIER_2, _WRITE),
}
