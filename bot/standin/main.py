"""The command `understudy slack`."""

import click


@click.command("slack")
def slack() -> None:
    """Start the stand-in for Slack, to try things without a workspace.

    It listens on loopback (UNDERSTUDY_STANDIN_PORT, 3001) and tells the bot on
    UNDERSTUDY_BOT_PORT (3000), or at UNDERSTUDY_STANDIN_BOT_URL. Set
    SLACK_API_URL=http://127.0.0.1:3001/api/ for the bot.
    """
    import errno
    import logging

    from aiohttp import web

    from bot.standin.server import create_standin
    from bot.standin.settings import StandinSettings
    from records.assistant import read_assistants
    from records.errors import ConfigurationError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = StandinSettings.load()
    assistants = read_assistants(settings.assistants)
    spoken_in = [assistant.slack for assistant in assistants.values()]
    routed = {route.channel for slack in spoken_in for route in slack.routes}
    channels = sorted({slack.channel for slack in spoken_in} | routed)
    click.echo(
        f"This is a stand-in for Slack, on http://127.0.0.1:{settings.standin_port} with "
        f"#{', #'.join(channels)}. Nothing here reaches Slack."
    )
    try:
        web.run_app(
            create_standin(settings, [*channels, "general"]),
            host="127.0.0.1",
            port=settings.standin_port,
            print=None,
            access_log=None,
        )
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise ConfigurationError(
            f"The stand-in cannot listen on port {settings.standin_port} ({error.strerror}). Stop "
            "what listens there, or set UNDERSTUDY_STANDIN_PORT to another port."
        ) from error
