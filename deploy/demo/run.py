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

from records.errors import Conflict


@click.command()
@click.option("--again", is_flag=True, help="Run anew; the state so far is moved aside.")
@click.option(
    "--conversations", default=0, help="Ask fewer queries than the whole share of traffic."
)
@click.option("--in-slack", default=40, show_default=True, help="Escalations handled in Slack.")
@click.option(
    "--forgetting/--no-forgetting", default=True, help="Also show what naive training does."
)
def demo(*, again: bool, conversations: int, in_slack: int, forgetting: bool) -> None:
    """Watch an assistant learn: serve, correct, retrain, judge, promote, roll back.

    Starts everything on this machine with the bundled model and a stand-in for Slack, and leaves
    its state for `understudy up`.
    """
    from deploy.demo.stage import Scale
    from deploy.demo.story import tell
    from records.settings import Settings

    settings = Settings.load()
    folder = settings.home / "demo"
    done = folder / "report.json"
    if done.exists() and not again:
        _show_earlier(done)
        return
    if settings.home.exists() and any(settings.home.iterdir()):
        _make_room(settings.home, ours=folder.exists())
    folder.mkdir(parents=True)
    os.environ["UNDERSTUDY_HOME"] = str(settings.home)
    began = time.monotonic()
    scale = Scale(conversations=conversations or None, in_slack=in_slack, forgetting=forgetting)
    asyncio.run(tell(scale, began=began))


def _show_earlier(report: Path) -> None:
    import json

    from rich.console import Console

    from deploy.demo import figures

    found = json.loads(report.read_text())
    console = Console()
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
