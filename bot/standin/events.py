"""Events about messages, as Slack words them."""

from bot.standin.workspace import Json, Workspace

_HIDDEN = ("metadata", "streaming_until")


def without_metadata(message: Json) -> Json:
    """A message as it is shown to those who did not ask for metadata."""
    return {key: value for key, value in message.items() if key not in _HIDDEN}


def message_changed(workspace: Workspace, channel: str, message: Json, *, before: Json) -> Json:
    """That a message has other content now."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": channel,
        "ts": workspace.new_ts(),
        "message": without_metadata(message),
        "previous_message": before,
    }


def message_deleted(workspace: Workspace, channel: str, *, before: Json) -> Json:
    """That a message was taken away."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": channel,
        "ts": workspace.new_ts(),
        "deleted_ts": before["ts"],
        "previous_message": before,
    }
