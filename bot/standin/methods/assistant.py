"""`assistant.*` and `agents.*`: what an app says of its work on a thread."""

from bot.standin.block_rules import size
from bot.standin.methods.call import SPECIAL, TIER_3, Call, Method
from bot.standin.refusal import Refused
from bot.standin.workspace import Json

_MOST_PROMPTS = 4
_MOST_LOADING = 10
_LONGEST_TITLE = 200
_SESSIONS = ("active", "processing", "suspended", "closed")
STATUS_SECONDS = 120.0


def set_status(call: Call) -> Json:
    """Say what is being done; the app's next message takes it away, or two minutes do."""
    if "status" not in call.given:
        raise Refused("invalid_arguments", messages=["missing required field: status"])
    if len(call.json("loading_messages") or []) > _MOST_LOADING:
        raise Refused("invalid_arguments", messages=["no more than 10 loading_messages"])
    call.text("thread_ts")
    until = call.workspace.clock() + STATUS_SECONDS
    return _note(call, _thread(call), status=str(call.given["status"]), status_until=until)


def set_title(call: Call) -> Json:
    """Give the thread a name."""
    return _note(call, _thread(call), title=call.text("title"))


def set_prompts(call: Call) -> Json:
    """Offer what could be asked."""
    prompts = call.json("prompts")
    right = isinstance(prompts, list) and 1 <= len(prompts) <= _MOST_PROMPTS
    if not right or not all(p.get("title") and p.get("message") for p in prompts):
        raise Refused("invalid_arguments", messages=["1 to 4 prompts with title and message"])
    title = call.given.get("title") or ""
    return _note(call, _thread(call), prompts=prompts, prompts_title=title)


def set_session(call: Call) -> Json:
    """Say how far the work has come."""
    status = call.text("status")
    if status not in _SESSIONS:
        raise Refused("invalid_arguments", messages=[f"unknown status: {status}"])
    title = str(call.given.get("title") or "")
    if size(title) > _LONGEST_TITLE:
        raise Refused("invalid_arguments", messages=["title is longer than 200 characters"])
    _note(call, _thread(call), session=status, title=title)
    return {"status": status, "title": title}


def _thread(call: Call) -> str:
    channel = call.own_channel("channel_id")
    thread_ts = str(call.given.get("thread_ts") or "")
    if thread_ts and call.workspace.logs[channel].get(thread_ts) is None:
        raise Refused("invalid_thread_ts")
    return f"{channel}/{thread_ts}"


def _note(call: Call, thread: str, **said: object) -> Json:
    call.workspace.threads.setdefault(thread, {}).update(said)
    call.workspace.touch()
    return {}


_WRITE = ("chat:write",)
METHODS = {
    "assistant.threads.setStatus": Method(set_status, SPECIAL, _WRITE),
    "assistant.threads.setTitle": Method(set_title, TIER_3, ("assistant:write",)),
    "assistant.threads.setSuggestedPrompts": Method(set_prompts, TIER_3, ("assistant:write",)),
    "agents.sessions.setStatus": Method(set_session, TIER_3, _WRITE),
}
