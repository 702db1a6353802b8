"""`conversations.*`: channels, direct messages and what was said in them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from bot.standin.events import without_metadata
from bot.standin.message_log import root_of
from bot.standin.methods.call import TIER_2, TIER_3, TIER_4, Call, Method, kind_of
from bot.standin.refusal import Refused
from bot.standin.workspace import Json

_MOST = 999
_TYPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


def history(call: Call) -> Json:
    """A channel's messages, newest first."""
    channel = call.own_channel()
    times = _between(call, call.workspace.logs[channel].heads())
    return _page(call, channel, times[::-1], usual=100)


def replies(call: Call) -> Json:
    """A thread, oldest first; its head is always there."""
    channel = call.own_channel()
    log = call.workspace.logs[channel]
    message = log.get(str(call.given.get("ts")))
    if message is None:
        raise Refused("thread_not_found")
    head, *answers = log.thread(root_of(message)) or [message["ts"]]
    return _page(call, channel, [head, *_between(call, answers)], usual=1000)


def _between(call: Call, times: Sequence[str]) -> Sequence[str]:
    """The times after `oldest` and before `latest`; the ends count only with `inclusive`."""
    oldest, latest = call.given.get("oldest"), call.given.get("latest")
    inclusive = call.flag("inclusive")
    first, last = 0, len(times)
    if oldest:
        end = bisect_left if inclusive else bisect_right
        first = end(times, _padded(oldest, code="invalid_ts_oldest"))
    if latest:
        end = bisect_right if inclusive else bisect_left
        last = end(times, _padded(latest, code="invalid_ts_latest"))
    return times[first:last]


def _padded(ts: object, *, code: str) -> str:
    try:
        return f"{float(str(ts)):017.6f}" if "." not in str(ts) else _as_written(str(ts))
    except ValueError as error:
        raise Refused(code) from error


def _as_written(ts: str) -> str:
    """Seconds and microseconds as all times here are written; floats would round them."""
    seconds, parts = ts.split(".")
    return f"{int(seconds):010d}.{int(parts[:6].ljust(6, '0')):06d}"


def _page(call: Call, channel: str, times: Sequence[str], *, usual: int) -> Json:
    start = _cursor(call)
    limit = min(_MOST, max(1, int(call.given.get("limit") or usual)))
    shown = call.workspace.logs[channel].messages(times[start : start + limit])
    if not call.flag("include_all_metadata"):
        shown = [without_metadata(m) for m in shown]
    more = start + limit < len(times)
    return {
        "messages": shown,
        "has_more": more,
        "response_metadata": {"next_cursor": f"next:{start + limit}" if more else ""},
    }


def _cursor(call: Call) -> int:
    cursor = str(call.given.get("cursor") or "next:0")
    name, _, start = cursor.partition(":")
    if name != "next" or not start.isdigit():
        raise Refused("invalid_cursor")
    return int(start)


def list_channels(call: Call) -> Json:
    """The channels of the types that are asked for, page by page."""
    wanted = str(call.given.get("types") or "public_channel").split(",")
    kinds = [_TYPES.get(name.strip(), "") for name in wanted]
    if not all(kinds):
        raise Refused("invalid_types")
    for kind in kinds:
        call.require_scope(f"{kind}:read")
    seen = [c for c in call.workspace.channels.values() if kind_of(c) in kinds]
    seen = [c for c in seen if c["is_member"] or not c["is_private"]]
    if call.flag("exclude_archived"):
        seen = [c for c in seen if not c["is_archived"]]
    start, limit = _cursor(call), min(1000, max(1, int(call.given.get("limit") or 100)))
    more = start + limit < len(seen)
    cursor = f"next:{start + limit}" if more else ""
    return {
        "channels": seen[start : start + limit],
        "response_metadata": {"next_cursor": cursor},
    }


def info(call: Call) -> Json:
    """One channel."""
    return {"channel": call.workspace.channels[call.channel()]}


def members(call: Call) -> Json:
    """Who is in a channel."""
    known = call.workspace.channels[call.channel()]
    if known["is_im"]:
        people = [known["user"], call.workspace.bot_user]
    else:
        bot = [] if known["is_member"] else [call.workspace.bot_user]
        away = {*known.get("absent", []), *bot}
        people = [user for user in call.workspace.users if user not in away]
    return {"members": people, "response_metadata": {"next_cursor": ""}}


def open_direct(call: Call) -> Json:
    """The conversation with one person."""
    users = [u for u in str(call.given.get("users") or "").split(",") if u]
    if call.given.get("channel"):
        return {"channel": {"id": call.channel()}}
    if not users:
        raise Refused("users_list_not_supplied")
    if len(users) > 1:
        raise Refused("not_known_here", messages=["conversations of several people"])
    if users[0] not in call.workspace.users:
        raise Refused("user_not_found")
    was_open = f"D0{users[0]}" in call.workspace.channels
    channel = call.workspace.direct_channel(users[0])
    shown = call.workspace.channels[channel] if call.flag("return_im") else {"id": channel}
    return {"channel": shown, "already_open": was_open, "no_op": was_open}


def join(call: Call) -> Json:
    """Go into a public channel."""
    channel = call.channel()
    known = call.workspace.channels[channel]
    if known["is_archived"]:
        raise Refused("is_archived")
    if known["is_private"]:
        raise Refused("method_not_supported_for_channel_type")
    call.workspace.change_channel(channel, is_member=True)
    return {"channel": known}


METHODS = {
    "conversations.history": Method(history, TIER_3, ("{kind}:history",)),
    "conversations.replies": Method(replies, TIER_3, ("{kind}:history",)),
    "conversations.list": Method(list_channels, TIER_2),
    "conversations.info": Method(info, TIER_3, ("{kind}:read",)),
    "conversations.members": Method(members, TIER_4, ("{kind}:read",)),
    "conversations.open": Method(open_direct, TIER_3, ("im:write",)),
    "conversations.join": Method(join, TIER_3, ("channels:join",)),
}
