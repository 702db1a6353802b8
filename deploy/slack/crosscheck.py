"""`make slack-crosscheck`: the bot's listeners before an emulator of Slack that others wrote.

Our stand-in and our bot could share a mistake. The emulator is fetched by npm into var/ and is no
part of any test. While it runs it listens on every address of this machine, with made-up people and
messages only. It knows fewer methods than the stand-in and checks no limits: what it answers
`unknown_method` to is listed, and is no failure.
"""

import asyncio
import json
import logging
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from pydantic import SecretStr

from bot.desk import Desk
from bot.process import Bot, quiet_libraries
from bot.settings import BotSettings
from records import conversations, escalations
from records.artifacts import Artifacts
from records.assistant import Assistant, SlackOptions
from records.conversations import Arrival
from records.database import Database
from records.messages import Role
from records.states import EscalationReason, VersionState
from records.tables import Turn, Version
from records.versions import install_base

PACKAGE = "local-slack-linux-x64@0.1.8"
FOLDER = Path(__file__).resolve().parents[2] / "var" / "slack-crosscheck"
PROGRAM = FOLDER / "node_modules" / "local-slack-linux-x64" / "bin" / "local-slack"
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-crosscheck", "xapp-crosscheck", "crosscheck"
TEAM, CHANNEL, ANN, BOT_USER = "T01CROSS", "C01SUPPORT", "U01ANN", "U0BOT"
_PATIENCE_SECONDS = 10.0
METHODS = (
    "auth.test",
    "apps.connections.open",
    "chat.appendStream",
    "chat.delete",
    "chat.postEphemeral",
    "chat.postMessage",
    "chat.startStream",
    "chat.stopStream",
    "chat.update",
    "conversations.history",
    "conversations.info",
    "conversations.list",
    "conversations.replies",
    "files.completeUploadExternal",
    "files.getUploadURLExternal",
    "oauth.v2.access",
    "reactions.add",
    "reactions.remove",
    "usergroups.users.list",
    "users.info",
    "views.open",
    "views.publish",
    "views.push",
    "views.update",
)
"""All that the bot calls."""

Json = dict[str, Any]


class Emulator:
    """What a person does in the emulator, and sees there."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self._http = http

    async def do(self, act: str, **given: Any) -> None:
        """Do something by its control interface."""
        async with self._http.post(f"{self.url}/_control/{act}", json=given) as answer:
            assert answer.status == 200, f"{act}: {answer.status} {await answer.text()}"

    async def unknown(self) -> list[str]:
        """The methods that it does not know."""
        found = []
        headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
        for method in METHODS:
            async with self._http.post(f"{self.url}/api/{method}", headers=headers) as answer:
                if (await answer.json()).get("error") == "unknown_method":
                    found.append(method)
        return found

    async def submit(self, values: Json) -> None:
        """Send the modal that is open, as its page does."""
        async with self._http.ws_connect(f"{self.url}/ui") as page:
            await page.receive()
            await page.send_json({"t": "view_submit", "user": ANN, "values": values})
            await asyncio.sleep(1)  # it answers nothing

    async def seen(self) -> Json:
        """All that its page shows."""
        async with self._http.ws_connect(f"{self.url}/ui") as page:
            state: Json = json.loads((await page.receive()).data)["state"]
            return state

    async def messages(self) -> list[Json]:
        """The channel's messages, threads included."""
        async with self._http.get(f"{self.url}/_control/messages/{CHANNEL}") as answer:
            found: list[Json] = (await answer.json())["messages"]
            return found

    async def wait_for(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """What `look` finds.

        Raises:
            TimeoutError: nothing, for ten seconds.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                found = await look()
                if found:
                    return found
                await asyncio.sleep(0.1)

    async def message(self, *words: str) -> Json:
        """The first message with all of these words somewhere in it."""

        async def look() -> Json | None:
            fitting = (m for m in await self.messages() if all(w in json.dumps(m) for w in words))
            return next(fitting, None)

        found: Json = await self.wait_for(look)
        return found

    async def press(self, message: Json, action: str) -> None:
        """Press a button of a message."""
        elements = [e for block in message["blocks"] for e in block.get("elements", [])]
        (button,) = [e for e in elements if e.get("action_id") == action]
        pressed = {k: button[k] for k in ("type", "action_id", "value", "text") if k in button}
        await self.do(
            "interact", channel=CHANNEL, messageTs=message["ts"], user=ANN, action=pressed
        )


class Crosscheck:
    """Plays a support team with one card, step by step."""

    def __init__(self, emulator: Emulator, database: Database) -> None:
        self._emulator = emulator
        self._database = database
        self._card: Json = {}

    @property
    def steps(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is done, in order."""
        return {
            "a card and its thread are posted": self._card_is_posted,
            "a button: take over": self._take_over,
            "a reply in the thread reaches the customer, once": self._reply,
            "a modal opens by a button": self._open_form,
            "a modal is submitted": self._submit_form,
            "a slash command is answered": self._command,
            "App Home is published": self._home,
        }

    async def _card_is_posted(self) -> None:
        self._card = await self._emulator.message("take_over")
        await self._emulator.message("Where is my card?", self._card["ts"])

    async def _take_over(self) -> None:
        await self._emulator.press(self._card, "take_over")
        await self._emulator.message(f"<@{ANN}> speaks with the customer")

    async def _reply(self) -> None:
        words, thread = "It comes on Monday.", self._card["ts"]
        await asyncio.sleep(1.1)  # its clock counts whole seconds: this must be after the take-over
        await self._emulator.do("message", channel=CHANNEL, user=ANN, text=words, thread_ts=thread)

        async def recorded() -> bool:
            turns = await asyncio.to_thread(_turns, self._database)
            return [turn.content for turn in turns if turn.role is Role.AGENT] == [words]

        await self._emulator.wait_for(recorded)

    async def _open_form(self) -> None:
        await self._emulator.press(await self._emulator.message("flag_answer"), "flag_answer")

        async def opened() -> bool:
            return "correction" in json.dumps((await self._emulator.seen())["modalStack"])

        await self._emulator.wait_for(opened)

    async def _submit_form(self) -> None:
        (view,) = (await self._emulator.seen())["modalStack"][-1:]
        await self._emulator.submit(_filled_in(view))

        async def flagged() -> bool:
            return "correction" not in json.dumps((await self._emulator.seen())["modalStack"])

        await self._emulator.wait_for(flagged)

    async def _command(self) -> None:
        before = len(await self._emulator.messages())
        await self._emulator.do("command", channel=CHANNEL, user=ANN, command="/versions", text="")

        async def answered() -> bool:
            return len(await self._emulator.messages()) > before

        await self._emulator.wait_for(answered)

    async def _home(self) -> None:
        await self._emulator.do("open-home", user=ANN)

        async def published() -> bool:
            return bool((await self._emulator.seen())["homeViews"])

        await self._emulator.wait_for(published)


def _filled_in(view: Json) -> Json:
    """A right answer, and the first choice of the reasons."""
    values: Json = {}
    for block in view["blocks"]:
        element = block.get("element") or {}
        if element.get("type") == "static_select":
            chosen = {"type": "static_select", "selected_option": element["options"][0]}
            values[block["block_id"]] = {element["action_id"]: chosen}
        elif block.get("block_id") == "correction":
            written = {"type": "plain_text_input", "value": "Cards take a week."}
            values[block["block_id"]] = {element["action_id"]: written}
    return values


def _turns(database: Database) -> list[Turn]:
    with database.read() as session:
        return conversations.history(session, "conv_crosscheck")


def _escalated(database: Database, assistant: Assistant) -> None:
    """A customer who waits for a person."""
    base = Version(
        id=assistant.base_version,
        assistant=assistant.name,
        base_model=assistant.base_model,
        base_hash="0" * 64,
        state=VersionState.TRAINED,
    )
    with database.write() as session:
        install_base(session, base)
        arrival = Arrival(
            assistant=assistant.name,
            conversation_id="conv_crosscheck",
            content="Where is my card?",
            customer="customer-7",
            version=base.id,
        )
        conversations.receive(session, arrival)
        said = Turn(
            conversation_id=arrival.conversation_id,
            role=Role.ASSISTANT,
            content="Cards take a year.",
            version=base.id,
        )
        answer = conversations.add_turn(session, said).id
        escalations.escalate(
            session,
            arrival.conversation_id,
            reason=EscalationReason.MODEL,
            cause="said [handoff]",
            turn_id=answer,
        )


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def _settings(home: Path, *, port: int, slack: int, by_socket: bool) -> BotSettings:
    return BotSettings(
        home=home,
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
        slack_app_token=SecretStr(APP_TOKEN if by_socket else ""),
        slack_api_url=f"http://127.0.0.1:{slack}/api/",
        bot_port=port,
        slack_messages_per_second=100.0,
    )


@asynccontextmanager
async def _emulator(home: Path, *, port: int, bot: int, by_socket: bool) -> AsyncIterator[str]:
    app = {"appId": "A01CROSS", "botUserId": BOT_USER, "botName": "understudy"}
    secrets = {"botToken": BOT_TOKEN, "appToken": APP_TOKEN, "signingSecret": SECRET}
    where = {"mode": "socket" if by_socket else "events"}
    where |= {"requestUrl": f"http://127.0.0.1:{bot}/slack/events"}
    config = {
        "workspace": {"name": "Crosscheck", "domain": "crosscheck", "teamId": TEAM},
        "app": {**app, **secrets, **where},
        "users": [{"id": ANN, "name": "ann", "real_name": "Ann"}],
        "channels": [{"id": CHANNEL, "name": "support", "members": [ANN, BOT_USER]}],
    }
    path = home / "workspace.yaml"
    path.write_text(yaml.safe_dump(config))
    arguments = ["--config", str(path), "--port", str(port), "--base-host", "127.0.0.1"]
    quiet = asyncio.subprocess.DEVNULL
    program = await asyncio.create_subprocess_exec(PROGRAM, *arguments, stdout=quiet, stderr=quiet)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        program.terminate()
        await program.wait()


async def check(*, by_socket: bool) -> bool:
    """Play the steps and print what became of each; whether all did."""
    door = "a socket" if by_socket else "HTTP"
    print(f"Over {door}:")
    assistant = Assistant(
        name="support", system_prompt="Help.", base_model="base", slack=SlackOptions()
    )
    port, slack = _free_port(), _free_port()
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        database = Database(f"sqlite:///{home / 'understudy.db'}")
        database.migrate()
        _escalated(database, assistant)
        settings = _settings(home, port=port, slack=slack, by_socket=by_socket)
        desk = Desk(database, {assistant.name: assistant}, Artifacts.of(settings))
        async with (
            _emulator(home, port=slack, bot=port, by_socket=by_socket) as url,
            aiohttp.ClientSession() as http,
            Bot(settings, desk),
        ):
            emulator = Emulator(url, http)
            for name, step in Crosscheck(emulator, database).steps.items():
                outcome = await _outcome(step)
                passed = passed and outcome == "works"
                print(f"  {name}: {outcome}")
            print(f"  Not supported there: {', '.join(await emulator.unknown()) or 'nothing'}")
        database.close()
    return passed


async def _outcome(step: Callable[[], Awaitable[None]]) -> str:
    try:
        await step()
    except TimeoutError:
        return f"nothing came of it in {_PATIENCE_SECONDS:.0f} s"
    except (AssertionError, aiohttp.ClientError, KeyError, ValueError) as error:
        return f"failed: {type(error).__name__}: {error}"
    return "works"


def main() -> None:
    """Run all steps over HTTP and over a socket; the exit status says whether all worked."""
    if not PROGRAM.is_file():
        sys.exit(f"{PACKAGE} is not in {FOLDER}: run `make slack-crosscheck`, which fetches it.")
    logging.basicConfig(level=logging.ERROR)
    quiet_libraries()
    logging.getLogger("bot").setLevel(logging.ERROR)
    results = [asyncio.run(check(by_socket=by_socket)) for by_socket in (False, True)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
