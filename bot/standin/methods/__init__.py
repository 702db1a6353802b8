"""The methods of Slack's Web API that the stand-in knows, a file for each family."""

from bot.standin.methods import (
    assistant,
    chat,
    conversations,
    files,
    oauth,
    reactions,
    streams,
    users,
    views,
)
from bot.standin.methods.call import Method

METHODS: dict[str, Method] = {
    **chat.METHODS,
    **streams.METHODS,
    **conversations.METHODS,
    **users.METHODS,
    **views.METHODS,
    **reactions.METHODS,
    **files.METHODS,
    **assistant.METHODS,
    **oauth.METHODS,
}
