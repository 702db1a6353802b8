"""The command `understudy bot`."""

import click


@click.command("bot")
def bot() -> None:
    """Start the Slack bot.

    With SLACK_APP_TOKEN it connects to Slack (Socket Mode); without, it serves Slack's requests
    at /slack/events. GET /health says whether it is up.
    """
    import asyncio

    from bot.process import run
    from bot.settings import BotSettings

    settings = BotSettings.load()
    settings.require_tokens()
    asyncio.run(run(settings))
