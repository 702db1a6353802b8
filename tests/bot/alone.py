"""The stand-in for Slack alone, and an app of the tests' own that it tells of things."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.standin.manifest import Manifest
from bot.standin.methods import METHODS
from bot.standin.people import Person
from bot.standin.rate_limits import RateLimits
from bot.standin.tokens import Tokens
from bot.standin.web_api import WebApi
from bot.standin.workspace import Workspace
from tests.bot.office import CHANNEL, Office

TOKEN = "xoxb-standin"
Json = dict[str, Any]


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Api:
    """The Web API in process, with a clock of its own and no limits of pace."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.clock)
        self.channel = self.workspace.add_channel(CHANNEL)
        self.tokens = Tokens(self.clock)
        self.tokens.add(TOKEN, self.workspace.team, Manifest.of_everything(METHODS).scopes)
        limits = RateLimits(1e6, self.clock)
        self._api = WebApi(lambda _: self.workspace, self.tokens, limits, "http://127.0.0.1:1")

    def call(self, method: str, /, **given: Any) -> Json:
        token = given.pop("token", TOKEN)
        answer, _ = self._api.call(method, given, token=token)
        return answer

    def post(self, **given: Any) -> str:
        return str(self.call("chat.postMessage", channel=CHANNEL, **given)["ts"])


def client(office: Office, token: str = TOKEN) -> AsyncWebClient:
    """Slack's own client, as an app uses it."""
    return AsyncWebClient(token, base_url=f"http://127.0.0.1:{office.slack_port}/api/")


async def refusal(call: Any) -> SlackApiError:
    """How a call was refused."""
    try:
        answer = await call
    except SlackApiError as error:
        return error
    raise AssertionError(f"it was taken: {answer}")


async def code(call: Any) -> str:
    """With which of Slack's error codes a call was refused."""
    return str((await refusal(call)).response["error"])


@dataclass(frozen=True)
class Heard:
    """One request to the app."""

    body: Json
    headers: dict[str, str]

    @property
    def event(self) -> Json:
        return dict(self.body["event"])


@dataclass
class App:
    """An app that takes down what it is told, and answers what the test says."""

    secret: str = "standin"
    heard: list[Heard] = field(default_factory=list)
    answer: Callable[[Heard], web.Response] = lambda _: web.Response()
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        raw = await request.text()
        headers = dict(request.headers)
        if not SignatureVerifier(self.secret).is_valid_request(raw, headers):
            return web.Response(status=401)
        heard = Heard(_read(raw, request.content_type), headers)
        self.heard.append(heard)
        self._more.set()
        return self.answer(heard)

    async def until(self, wanted: Callable[[list[Heard]], Any]) -> Any:
        """What `wanted` finds in all that was heard, as soon as it finds something."""
        async with asyncio.timeout(10):
            while True:
                self._more.clear()
                found = wanted(self.heard)
                if found:
                    return found
                await self._more.wait()

    async def event(self, kind: str, **wanted: Any) -> Json:
        """The first event of a kind with these values."""

        def look(heard: list[Heard]) -> Json | None:
            events = [h.event for h in heard if h.body.get("type") == "event_callback"]
            return next((e for e in events if _fits(e, type=kind, **wanted)), None)

        found: Json = await self.until(look)
        return found

    async def interaction(self, kind: str) -> Json:
        """The newest interaction of a kind."""

        def look(heard: list[Heard]) -> Json | None:
            return next((h.body for h in reversed(heard) if h.body.get("type") == kind), None)

        found: Json = await self.until(look)
        return found


def _read(raw: str, content_type: str) -> Json:
    if content_type == "application/json":
        body: Json = json.loads(raw)
        return body
    form = dict(parse_qsl(raw, keep_blank_values=True))
    return dict(json.loads(form["payload"])) if "payload" in form else dict(form)


def _fits(event: Json, **wanted: Any) -> bool:
    return all(event.get(name) == value for name, value in wanted.items())


@asynccontextmanager
async def running(office: Office, app: App) -> AsyncIterator[App]:
    """The app, where the stand-in looks for it."""
    served = web.Application()
    served.router.add_post("/slack/events", app.handle)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", office.bot_port).start()
    try:
        yield app
    finally:
        await runner.cleanup()


def text(words: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": words}


def button(**changes: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": text("Go"), **changes}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def option(value: str = "1", words: str = "One") -> Json:
    return {"text": text(words), "value": value}


SECTION: Json = {"type": "section", "text": text("words")}
OPTION = option()
TYPED: Json = {"type": "plain_text_input", "action_id": "t"}
INPUT: Json = {"type": "input", "block_id": "i", "label": text("L"), "element": TYPED}
MODAL: Json = {"type": "modal", "title": text("T"), "submit": text("S"), "blocks": [INPUT]}
HOME: Json = {"type": "home", "blocks": [SECTION]}
OPENER = [actions(button(action_id="open", value="v"))]


class Modals(App):
    """An app whose button opens a modal; what it answers to the sent modal is up to the test."""

    def __init__(self, office: Office, answer: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.answer = lambda heard: (
            web.json_response(answer)
            if answer and heard.body["type"] == "view_submission"
            else web.Response()
        )
        self.slack = client(office)

    async def open(self, ann: Person, **changes: Any) -> None:
        posted = await self.slack.chat_postMessage(channel=CHANNEL, text="a", blocks=OPENER)
        await ann.click(CHANNEL, str(posted["ts"]), "open")
        pressed = await self.interaction("block_actions")
        await self.slack.views_open(trigger_id=pressed["trigger_id"], view={**MODAL, **changes})
