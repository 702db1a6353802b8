"""From Slack to the customer's client and back: the real bot and gateway on one database."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.keys import local_key
from records.outbox import Kind
from tests.bot.office import CHANNEL, Office
from tests.bot.test_replies import WORDS, marked
from tests.serving.events_client import Events, following
from tests.serving.gateway_processes import Gateways, gateway_processes
from tests.serving.running_gateway import Stack, running
from tests.stub_engine import StubEngine


@pytest.fixture
def served(sqlite: Database, assistant: Assistant, artifacts: Artifacts, tmp_path: Path) -> Office:
    """An office in which nothing runs and nothing is installed: the gateway does that."""
    return Office(sqlite, assistant, artifacts, tmp_path)


@asynccontextmanager
async def gateway(office: Office) -> AsyncIterator[Stack]:
    """A gateway on the office's database."""
    own = Database(office.database.url)
    async with (
        StubEngine() as engine,
        running(
            office.home / "gateway",
            database=own,
            artifacts=office.artifacts,
            assistant=office.assistant,
            engine=engine,
            event_poll_seconds=0.02,
        ) as stack,
    ):
        yield stack
    own.close()


async def test_the_mark_comes_when_the_customers_stream_has_the_words(served: Office) -> None:
    async with gateway(served) as stack, served.open() as office:
        office.escalated()
        ann = office.person("U0ANN")
        card = await office.taken_by(ann)
        sent = await ann.reply(CHANNEL, card["ts"], WORDS)
        await marked(ann, card["ts"], sent["ts"], "hourglass_flowing_sand")
        async with following(stack, "c-1", key=stack.key("admin")) as watched:
            await watched.next()
            async with following(stack, "c-1", **{"from": "start"}) as events:
                await events.until(lambda event: event.words == f"agent: {WORDS}")
                await marked(ann, card["ts"], sent["ts"], "white_check_mark")
            second = await ann.reply(CHANNEL, card["ts"], "Anything else?")
            await watched.until(lambda event: event.words == "agent: Anything else?")
            await marked(ann, card["ts"], second["ts"], "hourglass_flowing_sand")
        read = await stack.call("GET", "/v1/conversations/c-1")
        assert read["turns"][-1]["content"] == "Anything else?"
        await marked(ann, card["ts"], second["ts"], "white_check_mark")


async def test_edits_and_deletions_reach_the_customers_stream(served: Office) -> None:
    async with gateway(served) as stack, served.open() as office:
        office.escalated()
        ann = office.person("U0ANN")
        card = await office.taken_by(ann)
        async with following(stack, "c-1") as events:
            sent = await ann.reply(CHANNEL, card["ts"], WORDS)
            await events.until(lambda event: event.words == f"agent: {WORDS}")
            await ann.edit(CHANNEL, sent["ts"], "It comes on Friday.")
            edited = await events.next()
            await ann.delete(CHANNEL, sent["ts"])
            removed = await events.next()
    assert (edited.name, edited.data["content"]) == ("edited", "It comes on Friday.")
    assert (removed.name, removed.data["id"]) == ("removed", edited.data["id"])


@pytest.mark.slow
@pytest.mark.parametrize("kill", [True, False])
async def test_a_gateway_that_is_killed_leaves_no_reply_unconfirmed_and_confirms_none_twice(
    served: Office, tmp_path: Path, kill: bool
) -> None:
    """The customer's client goes on from where it was, at a gateway that lives."""
    async with (
        StubEngine() as engine,
        gateway_processes(
            tmp_path / "gateways", assistant=served.assistant, engine_urls=[engine.url]
        ) as gateways,
    ):
        served.database = gateways.database
        async with served.open():
            await _one_reply(served, gateways, kill=kill)


async def _one_reply(office: Office, gateways: Gateways, *, kill: bool) -> None:
    office.escalated()
    ann = office.person("U0ANN")
    card = await office.taken_by(ann)
    first, second = gateways.urls
    sent = await ann.reply(CHANNEL, card["ts"], WORDS)
    last = await _read(gateways, first, None)
    if kill:
        os.kill(gateways.processes[0].pid, signal.SIGKILL)
    await _read(gateways, second, last)
    await marked(ann, card["ts"], sent["ts"], "white_check_mark")
    assert len(office.rows(Kind.REPLY_RELAYED)) == 1


async def _read(gateways: Gateways, url: str, after: str | None) -> str | None:
    """Read until the agent's words came, or until the stream is open; returns the cursor."""
    headers = {"Authorization": f"Bearer {local_key(gateways.home, 'customer')}"}
    headers |= {"Last-Event-ID": after} if after else {}
    query = {} if after else {"from": "start"}
    address = f"{url}/v1/conversations/c-1/events"
    async with gateways.http.get(address, headers=headers, params=query) as response:
        events = Events(response)
        if after is not None:
            return (await events.next()).id
        return (await events.until(lambda event: event.words == f"agent: {WORDS}"))[-1].id
