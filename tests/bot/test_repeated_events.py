"""Whatever Slack tells of twice, before and after a restart, changes and says nothing anew.

Every listener to events has a sample here. The second delivery goes to an app that remembers
nothing of the first, as another process would.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import AsyncMock, MagicMock

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot.app import create_app, take_in, web_client
from bot.asking.asking import Asking
from bot.attendance import Attendance
from bot.incoming import hints
from bot.incoming.hints import Hints
from bot.incoming.inbox import Outcome
from bot.workspaces.workspaces import OneWorkspace
from records.tables import OutboxMessage, SlackEvent, Table
from tests.bot.office import CHANNEL, Office, found_in_thread, offering
from tests.bot.registered import registered

BOT, SUPPORT = "<@U0STANDIN>", "C0SUPPORT"
SAYING = ("chat.postMessage", "chat.postEphemeral", "chat.startStream")
FLAG = "triangular_flag_on_post"

Json = dict[str, Any]


@dataclass
class Scene:
    """Where things happen: Ann speaks with a customer."""

    office: Office
    card: str
    answer: str
    reply: str
    """What Ann wrote to the customer."""
    own: str
    """Ann's direct messages."""
    greeting: str
    """A message there."""
    began: list[str] = field(default_factory=list)
    """Questions that were begun to be answered."""

    def begin(self, _: Any, questions: Any, **__: Any) -> None:
        """Note what is to be answered, in the place of who answers."""
        self.began += [question.id for question in questions]

    def app(self) -> AsyncApp:
        """An app that remembers nothing."""
        office = self.office
        desk, asking = office.desk, cast("Asking", self)
        workspace = OneWorkspace(web_client(office.bot_settings, "xoxb-standin"))
        return create_app(office.bot_settings, desk, workspace, Attendance(), asking, Hints(desk))

    def written(self, text: str, **more: Any) -> Json:
        ts = f"{time.time():.6f}"
        words = {"type": "message", "user": "U0ANN", "channel": SUPPORT, "ts": ts, "text": text}
        return {**words, "channel_type": "channel", **more}

    def direct(self, text: str, **more: Any) -> Json:
        return self.written(text, channel=self.own, channel_type="im", **more)

    def mention(self, text: str, **more: Any) -> Json:
        return self.written(f"{BOT} {text}", type="app_mention", **more)

    def changed(self, after: str | None) -> Json:
        words = {"type": "message", "user": "U0ANN", "ts": self.reply, "thread_ts": self.card}
        before = {**words, "text": "Hello!"}
        now = self.written("", previous_message=before)
        if after is None:
            return {**now, "subtype": "message_deleted", "deleted_ts": self.reply}
        edited = {"user": "U0ANN", "ts": now["ts"]}
        return {
            **now,
            "subtype": "message_changed",
            "message": {**words, "text": after, "edited": edited},
        }

    def reacted(self, kind: str) -> Json:
        item = {"type": "message", "channel": SUPPORT, "ts": self.answer}
        at = f"{time.time():.6f}"
        return {"type": kind, "user": "U0ANN", "reaction": FLAG, "item": item, "event_ts": at}

    def opened(self, tab: str) -> Json:
        return {"type": "app_home_opened", "user": "U0ANN", "channel": self.own, "tab": tab}


CHANGES = "message_changed, message_deleted"
SAMPLES: list[tuple[str, Callable[[Scene], Json]]] = [
    ("message", lambda scene: scene.written("For you.", thread_ts=scene.card)),
    ("message", lambda scene: scene.written("note: hm", thread_ts=scene.card)),
    ("message", lambda scene: scene.written("Hi", user="U0BEN", thread_ts=scene.card)),
    ("message", lambda scene: scene.written(f"{BOT} draft", thread_ts=scene.card)),
    ("message", lambda scene: scene.direct("Where is my card?")),
    ("message", lambda scene: scene.direct("ask version nobody-base: hm")),
    ("app_mention", lambda scene: scene.mention("Where is my card?")),
    ("app_mention", lambda scene: scene.mention("help", thread_ts=scene.card)),
    (CHANGES, lambda scene: scene.changed("Hello there!")),
    (CHANGES, lambda scene: scene.changed("note: hello")),
    (CHANGES, lambda scene: scene.changed(None)),
    ("app_home_opened", lambda scene: scene.opened("home")),
    ("app_home_opened", lambda scene: scene.opened("messages")),
    ("reaction_added", lambda scene: scene.reacted("reaction_added")),
    ("reaction_removed", lambda scene: scene.reacted("reaction_removed")),
    ("app_uninstalled", lambda _: {"type": "app_uninstalled"}),
    ("tokens_revoked", lambda _: {"type": "tokens_revoked", "tokens": {"bot": ["U0STANDIN"]}}),
    (
        hints.KIND,
        lambda scene: {
            "type": hints.KIND,
            "user": "U0ANN",
            "channel": SUPPORT,
            "answers_in": scene.card,
            "ts": "hint:1",
            "text": "That was not sent.",
        },
    ),
]


def test_each_listener_to_events_has_a_sample() -> None:
    asked = Counter(
        one if isinstance(one, str) else ", ".join(one["subtype"]) for one in registered()["event"]
    )
    sampled = Counter(kind for kind, _ in SAMPLES)
    assert {kind: number for kind, number in asked.items() if sampled[kind] < number} == {}


@pytest.fixture
async def scene(office: Office) -> Scene:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    shown = await found_in_thread(ann, card["ts"], offering("flag_answer"))
    sent = await ann.reply(CHANNEL, card["ts"], "Hello!")
    await office.said(sent["ts"])
    speaker = web_client(office.bot_settings, "xoxb-standin")
    greeting = await speaker.chat_postMessage(channel="U0ANN", text="Good morning")
    await office.all_sent()
    return Scene(office, card["ts"], shown["ts"], sent["ts"], ann.dm(), greeting["ts"])


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said in Slack, by listeners and by the outbox."""
    calls: list[str] = []
    real: Any = AsyncWebClient.api_call

    async def api_call(self: AsyncWebClient, api_method: str, **given: Any) -> Any:
        if api_method in SAYING:
            calls.append(api_method)
        return await real(self, api_method, **given)

    monkeypatch.setattr(AsyncWebClient, "api_call", api_call)
    return calls


def everything(office: Office) -> Json:
    """All that is recorded, but for which deliveries came."""
    volatile = {OutboxMessage.__tablename__, SlackEvent.__tablename__}
    with office.database.read() as session:
        kept = {
            table.name: sorted(map(repr, session.execute(select(table))))
            for table in Table.metadata.sorted_tables
            if table.name not in volatile
        }
        return {**kept, "outbox": sorted(session.scalars(select(OutboxMessage.key)))}


def enveloped(event: Json, event_id: str) -> Json:
    return {
        "type": "event_callback",
        "team_id": "T0STANDIN",
        "api_app_id": "A0STANDIN",
        "event_id": event_id,
        "event_time": int(time.time()),
        "event": {"event_ts": event.get("ts", "1.0"), **event},
    }


@pytest.mark.parametrize("second", ["Ev1", "Ev2"], ids=["same id", "another id"])
@pytest.mark.parametrize("number", range(len(SAMPLES)), ids=[kind for kind, _ in SAMPLES])
async def test_an_event_that_comes_twice_is_worked_on_once(
    scene: Scene, said: list[str], number: int, second: str
) -> None:
    office, event = scene.office, SAMPLES[number][1](scene)
    assert await take_in(scene.app(), enveloped(event, "Ev1")) is Outcome.DONE
    await office.all_sent()
    once = everything(office), list(said), list(scene.began)
    assert await take_in(scene.app(), enveloped(event, second)) is Outcome.DONE
    await office.all_sent()
    assert (everything(office), said, scene.began) == once


async def test_a_mention_that_slack_tells_of_as_a_message_too_is_one_question(
    scene: Scene, said: list[str]
) -> None:
    mention = scene.mention("Where is my card?")
    for event_id, kind in (("Ev1", "message"), ("Ev2", "app_mention"), ("Ev3", "message")):
        event = {**mention, "type": kind}
        assert await take_in(scene.app(), enveloped(event, event_id)) is Outcome.DONE
    assert len(scene.began) == 1
    assert said == []


class Killed(BaseException):
    """The process ends here."""


ANSWERED: list[Callable[[Scene], Json]] = [
    lambda scene: scene.mention("help", thread_ts=scene.card),
    lambda scene: scene.direct("help", thread_ts=scene.greeting),
    lambda scene: scene.opened("messages"),
]


@pytest.mark.parametrize("number", range(len(ANSWERED)))
@pytest.mark.parametrize("arrived", [True, False])
async def test_what_is_said_at_once_stands_there_once_though_the_bot_dies(
    scene: Scene, said: list[str], monkeypatch: pytest.MonkeyPatch, number: int, arrived: bool
) -> None:
    event = enveloped(ANSWERED[number](scene), "Ev1")
    post: Any = AsyncWebClient.chat_postMessage

    async def dying(self: AsyncWebClient, **given: Any) -> None:
        if arrived:
            await post(self, **given)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(AsyncWebClient, "chat_postMessage", dying)
        await take_in(scene.app(), event)
    assert await take_in(scene.app(), event) is Outcome.LATER  # the call may be under way
    monkeypatch.setattr("bot.incoming.said_once.LONGEST_SECONDS", 0.0)
    for _ in range(2):
        assert await take_in(scene.app(), event) is Outcome.DONE
    assert said == ["chat.postMessage"]


async def test_what_slack_refused_is_said_at_once_when_it_takes_it(
    scene: Scene, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    event = enveloped(ANSWERED[0](scene), "Ev1")
    error = aiohttp.ClientConnectorError(MagicMock(), ConnectionRefusedError())
    with monkeypatch.context() as patch:
        patch.setattr(AsyncWebClient, "chat_postMessage", AsyncMock(side_effect=error))
        assert await take_in(scene.app(), event) is Outcome.LATER
    assert await take_in(scene.app(), event) is Outcome.DONE
    assert said == ["chat.postMessage"]
