"""How long Slack waits for the bot's acknowledgement: with the database idle, and busy.

Signed requests over HTTP, a mix of what a support team does, come to a bot in a process of its own;
each time another program holds the database's write lock for four fifths of the time. Slack gives
3 s. Command: python -m benchmarks.acknowledgement
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlencode

import aiohttp
import click
import yaml
from aiohttp import web
from sqlalchemy import text

from benchmarks.serving.postgres import cluster
from benchmarks.serving.servers import ON_DISK, free_port
from bot.standin.delivery import signed
from bot.standin.server import create_standin
from bot.standin.settings import StandinSettings
from records.database import Database
from records.ids import new_id

HELD_SECONDS, FREE_SECONDS = 0.4, 0.1
LOCK = "LOCK TABLE slack_events, outbox, escalations, flags, turns, conversations IN EXCLUSIVE MODE"
SECRET = "benchmark"
CHANNEL = "C0SUPPORT"
WHO = {"user": {"id": "U0ANN"}, "team": {"id": "T0STANDIN"}, "trigger_id": "1.2.x"}
WHERE = {"channel": {"id": CHANNEL, "name": "support"}, "message": {"ts": "1.1"}}


def event() -> tuple[str, str]:
    """A message in a thread."""
    said = {"type": "message", "channel": CHANNEL, "user": "U0ANN", "text": "Hello!"}
    now = f"{time.time():.6f}"
    body = {
        "type": "event_callback",
        "team_id": "T0STANDIN",
        "event_id": new_id("Ev"),
        "event_time": int(time.time()),
        "event": {**said, "ts": now, "thread_ts": "1.1"},
    }
    return json.dumps(body), "application/json"


def interaction(kind: str, **more: Any) -> tuple[str, str]:
    """Something pressed or chosen."""
    payload = {"type": kind, **WHO, **more}
    return urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"


def button() -> tuple[str, str]:
    """*Take over* on a card."""
    pressed = {"action_id": "take_over", "block_id": "b", "type": "button", "value": new_id("esc")}
    return interaction("block_actions", **WHERE, actions=[pressed])


def shortcut() -> tuple[str, str]:
    """*Flag answer* on a message."""
    return interaction("message_action", **WHERE, callback_id="flag_answer")


def command() -> tuple[str, str]:
    """`/versions`."""
    form = {"command": "/versions", "text": "", "user_id": "U0ANN", "channel_id": CHANNEL}
    return urlencode({**form, "team_id": "T0STANDIN"}), "application/x-www-form-urlencoded"


MIX: dict[str, Callable[[], tuple[str, str]]] = {
    "event": event,
    "button": button,
    "shortcut": shortcut,
    "command": command,
}


@contextmanager
def busy(database: Database) -> Iterator[None]:
    """Hold the write lock for four fifths of the time, as another program would."""
    stop = threading.Event()

    def hold() -> None:
        while not stop.is_set():
            with database.write() as session:
                session.execute(text("SELECT 1" if database.is_sqlite else LOCK))
                stop.wait(HELD_SECONDS)
            stop.wait(FREE_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        stop.set()
        holder.join()


async def measured(port: int, *, seconds: float, per_second: float) -> dict[str, list[float]]:
    """Milliseconds until each acknowledgement, by kind; an answer other than 200 is an error."""
    took: dict[str, list[float]] = {kind: [] for kind in MIX}
    url = f"http://127.0.0.1:{port}/slack/events"

    async def send(kind: str, session: aiohttp.ClientSession) -> None:
        body, content_type = MIX[kind]()
        headers = signed(SECRET, body, timestamp=int(time.time())) | {"Content-Type": content_type}
        began = time.perf_counter()
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            assert answer.status == 200, (kind, answer.status)
        took[kind].append(1000 * (time.perf_counter() - began))

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as sending:
        kinds = list(MIX)
        for number in range(int(seconds * per_second)):
            sending.create_task(send(kinds[number % len(kinds)], session))
            await asyncio.sleep(1 / per_second)
    return took


def settings(folder: Path, url: str, *, bot_port: int, slack_port: int) -> dict[str, str]:
    """The bot's environment."""
    assistants = folder / "assistants"
    assistants.mkdir()
    wanted = {"name": "support", "system_prompt": "Help.", "base_model": "base"}
    (assistants / "support.yaml").write_text(yaml.safe_dump(wanted))
    return os.environ | {
        "UNDERSTUDY_HOME": str(folder),
        "UNDERSTUDY_DATABASE_URL": url,
        "UNDERSTUDY_ASSISTANTS": str(assistants),
        "UNDERSTUDY_BOT_PORT": str(bot_port),
        "SLACK_API_URL": f"http://127.0.0.1:{slack_port}/api/",
        "SLACK_BOT_TOKEN": "xoxb-standin",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_APP_TOKEN": "",
    }


async def compared(url: str, *, seconds: float, per_second: float) -> None:
    """Measure both and print them."""
    database = Database(url)
    await asyncio.to_thread(database.migrate)
    bot_port, slack_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(dir=ON_DISK) as folder:
        slack = StandinSettings(
            home=Path(folder) / "slack",
            standin_port=slack_port,
            standin_bot_url="http://127.0.0.1:9/nobody",
            standin_messages_per_second=1000.0,
        )
        runner = web.AppRunner(create_standin(slack, ["support"]), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", slack_port).start()
        environment = settings(Path(folder), url, bot_port=bot_port, slack_port=slack_port)
        bot = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "records.cli",
            "bot",
            env=environment,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _ready(bot_port)
            pace = {"seconds": seconds, "per_second": per_second}
            idle = await measured(bot_port, **pace)
            with busy(database):
                locked = await measured(bot_port, **pace)
            show(idle, locked)
        finally:
            bot.terminate()
            await bot.wait()
            await runner.cleanup()
            database.close()


async def _ready(port: int) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/health") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


def show(idle: dict[str, list[float]], locked: dict[str, list[float]]) -> None:
    """Print the table."""
    click.echo("             database idle (ms)     database busy (ms)")
    click.echo("what        p50    p99    max      p50    p99    max   requests")
    for took in (idle, locked):
        took["all"] = [milliseconds for some in list(took.values()) for milliseconds in some]
    for kind in locked:
        cells = [figure for took in (idle[kind], locked[kind]) for figure in figures(took)]
        row = "  ".join(f"{cell:5.0f}" for cell in cells[:3])
        other = "  ".join(f"{cell:5.0f}" for cell in cells[3:])
        click.echo(f"{kind:9} {row}    {other}   {len(idle[kind])} + {len(locked[kind])}")


def figures(took: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and maximum."""
    percentiles = quantiles(took, n=100, method="inclusive")
    return percentiles[49], percentiles[98], max(took)


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="For each half.")
@click.option("--per-second", default=20.0, show_default=True, help="Requests.")
@click.option("--postgres", is_flag=True, help="A throw-away PostgreSQL in place of SQLite.")
def main(*, seconds: float, per_second: float, postgres: bool) -> None:
    """Print how long acknowledgements take, with the database idle and busy side by side."""
    if postgres:
        with cluster() as url:
            asyncio.run(compared(url, seconds=seconds, per_second=per_second))
        return
    with tempfile.TemporaryDirectory(dir=ON_DISK) as folder:
        url = f"sqlite:///{Path(folder) / 'understudy.db'}"
        asyncio.run(compared(url, seconds=seconds, per_second=per_second))


if __name__ == "__main__":
    main()
