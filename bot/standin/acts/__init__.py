"""What people do in the pretended Slack, a file for each kind of thing, and what the app is told.

What Slack's own client would not let them do is refused.
"""

from collections.abc import Awaitable, Callable

from bot.standin.acts import admin, commands, home, modals, pressing, reacting, writing
from bot.standin.workspace import Json

ACTS: dict[str, Callable[..., Awaitable[Json]]] = {
    "click": pressing.click,
    "press": pressing.press,
    "choose": pressing.choose,
    "feedback": pressing.feedback,
    "shortcut": commands.shortcut,
    "slash": commands.slash,
    "reply": writing.reply,
    "direct": writing.direct,
    "start_thread": writing.start_thread,
    "edit": writing.edit,
    "delete": writing.delete,
    "read": writing.read,
    "react": reacting.react,
    "unreact": reacting.unreact,
    "submit": modals.submit,
    "close": modals.close,
    "open_home": home.open_home,
    "channel": admin.channel,
    "invite": admin.invite,
    "kick": admin.kick,
    "archive": admin.archive,
    "usergroup": admin.usergroup,
    "install": admin.install,
    "uninstall": admin.uninstall,
    "revoke": admin.revoke,
    "switch_on": admin.switch_on,
    "refresh_sockets": admin.refresh_sockets,
    "repeat": admin.repeat,
}
