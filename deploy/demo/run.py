"""`understudy demo`: an assistant learns from its escalations, in a quarter of an hour.

Purpose: show the whole loop to a newcomer, with figures. The customers' queries are real, the
support agents are simulated. Command: understudy demo [--again] [--conversations N]
"""

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from records.cli import json_option
from records.errors import ConfigurationError, Conflict


@click.command()
@json_option
@click.option("--again", is_flag=True, help="Run anew; the state so far is moved aside.")
@click.option(
    "--conversations", default=0, help="Ask fewer queries than the whole share of traffic."
)
@click.option("--in-slack", default=40, show_default=True, help="Escalations handled in Slack.")
@click.option(
    "--forgetting/--no-forgetting", default=True, help="Also show what naive training does."
)
def demo(
    *, again: bool, conversations: int, in_slack: int, forgetting: bool, as_json: bool
) -> None:
    """Watch an assistant learn: serve, correct, retrain, judge, promote, roll back.

    Starts everything on this machine with the bundled model and a stand-in for Slack, and leaves
    its state for `understudy up`.
    """
    from deploy.demo.stage import Scale
    from deploy.demo.story import tell
    from records.settings import Settings

    settings = Settings.load()
    _refuse_real_things()
    folder = settings.home / "demo"
    done = folder / "report.json"
    if done.exists() and not again:
        _show_earlier(done, as_json=as_json)
        return
    if settings.home.exists() and any(settings.home.iterdir()):
        _make_room(settings.home, ours=folder.exists())
    folder.mkdir(parents=True)
    os.environ["UNDERSTUDY_HOME"] = str(settings.home)
    began = time.monotonic()
    scale = Scale(conversations=conversations or None, in_slack=in_slack, forgetting=forgetting)
    asyncio.run(tell(scale, began=began, on_error_stream=as_json))
    if as_json:
        click.echo(done.read_text(), nl=False)


_REAL_THINGS = (
    "UNDERSTUDY_DATABASE_URL",
    "UNDERSTUDY_ARTIFACTS_URL",
    "UNDERSTUDY_ENGINE_URLS",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
)


def _refuse_real_things() -> None:
    """The demo invents corrections and promotes: never into somebody's real records.

    Raises:
        ConfigurationError: a setting points it at real things.
    """
    pointing = [name for name in _REAL_THINGS if os.environ.get(name)]
    if pointing:
        raise ConfigurationError(
            f"The demo trains on invented corrections, so it keeps to state of its own. Unset "
            f"{', '.join(pointing)} for it."
        )


def _show_earlier(report: Path, *, as_json: bool) -> None:
    import json

    from deploy.demo import figures

    if as_json:
        click.echo(report.read_text(), nl=False)
        return
    found = json.loads(report.read_text())
    console = figures.make_console()
    console.print("The demo has run here before; this is what it found.\n")
    console.print(figures.before_after(found["evaluation"]))
    console.print(f"Figures: {report}\nPlot: {report.parent / 'before_after.png'}", markup=False)
    console.print("Again from the start: understudy demo --again. Go on from here: understudy up")


def _make_room(home: Path, *, ours: bool) -> None:
    """Move an earlier demo's state aside; anything else is left alone.

    Raises:
        Conflict: the folder holds something that no demo made.
    """
    if not ours:
        raise Conflict(
            f"{home} holds state that is not the demo's. Set UNDERSTUDY_HOME to an empty folder "
            "for the demo, such as: UNDERSTUDY_HOME=./var-demo understudy demo"
        )
    aside = home.with_name(f"{home.name}-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    home.rename(aside)
    click.echo(f"Earlier state was moved to {aside}; the demo starts from nothing.")
