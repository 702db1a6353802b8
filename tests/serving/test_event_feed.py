"""The poller of all streams: what it reads, whom it tells, and what it does to slow readers."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy.orm import Session
from starlette.types import Message

from records import conversations
from records.conversations import Arrival
from records.database import Database
from records.errors import Overloaded, StorageUnavailable
from records.events import Cursor
from records.ids import new_id
from records.messages import Role
from records.tables import Turn
from serving.event_feed import Feed
from serving.event_listener import Listener
from tests.serving.running_gateway import until

START = Cursor()
_CONTENT = re.compile(rb'"content":"([^"]*)"')


class Client:
    """A client at the other end of an ASGI server; while `reading` is cleared, it reads nothing."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.bytes = 0
        self.sends = 0
        self.ended = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.failure: Exception | None = None

    async def send(self, message: Message) -> None:
        self.sends += 1
        await self.reading.wait()
        if self.failure is not None:
            raise self.failure
        self.bytes += len(message["body"])
        self.got += [word.decode() for word in _CONTENT.findall(message["body"])]
        if not message["more_body"]:
            self.ended.set()

    async def receive(self) -> Message:
        await self.ended.wait()
        return {"type": "http.disconnect"}


class Watched(Database):
    """Counts what is read."""

    reads = 0

    def read(self) -> Any:
        self.reads += 1
        return super().read()


def begun(database: Database) -> str:
    with database.write() as session:
        made, _ = conversations.create(session, assistant="support")
        return made.id


def say(database: Database, name: str, *texts: str) -> None:
    with database.write() as session:
        for text in texts:
            turn = Turn(conversation_id=name, role=Role.CUSTOMER, content=text)
            conversations.add_turn(session, turn)


@asynccontextmanager
async def feeding(database: Database, **changes: Any) -> AsyncIterator[Feed]:
    settings = {"poll_seconds": 60.0, "heartbeat_seconds": 60.0, "most_streams": 100}
    feed = Feed(database, **{**settings, **changes})
    feed.start()
    try:
        yield feed
    finally:
        await feed.stop()


async def listen(feed: Feed, name: str, client: Client, *, after: Cursor = START) -> None:
    with feed.listening(name, after, client.send) as listener:
        await listener.until_left(client.receive)


@asynccontextmanager
async def listening(feed: Feed, name: str, client: Client, **how: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(listen(feed, name, client, **how))
    await until(lambda: feed.open)
    yield
    client.ended.set()
    await task


async def test_what_this_process_wrote_is_sent_without_waiting_for_the_poll(
    sqlite: Database,
) -> None:
    name, client = begun(sqlite), Client()
    async with feeding(sqlite) as feed, listening(feed, name, client):
        say(sqlite, name, "one")
        feed.wrote(name)
        await until(lambda: client.got == ["one"])
        await asyncio.to_thread(say, sqlite, name, "two")
        await asyncio.to_thread(feed.wrote, name)
        await until(lambda: client.got == ["one", "two"])


async def test_what_another_process_wrote_is_found_by_the_poll(sqlite: Database) -> None:
    name, client = begun(sqlite), Client()
    async with feeding(sqlite, poll_seconds=0.02) as feed, listening(feed, name, client):
        say(sqlite, name, "one", "two")
        await until(lambda: client.got == ["one", "two"])


async def test_streams_of_one_conversation_each_get_what_they_have_not_seen(
    sqlite: Database,
) -> None:
    name, fresh, returning = begun(sqlite), Client(), Client()
    say(sqlite, name, "one", "two", "three")
    async with (
        feeding(sqlite) as feed,
        listening(feed, name, fresh),
        listening(feed, name, returning, after=Cursor(1, 0)),
    ):
        await until(lambda: fresh.got == ["one", "two", "three"])
        await until(lambda: returning.got == ["three"])


async def test_without_streams_nothing_is_read(sqlite: Database) -> None:
    watched = Watched(sqlite.url)
    name, client = begun(sqlite), Client()
    async with feeding(watched, poll_seconds=0.01) as feed:
        async with listening(feed, name, client):
            await until(lambda: watched.reads > 3)
        await until(lambda: not feed.open)
        reads = watched.reads
        feed.wrote(name)
        looks = count()
        await until(lambda: next(looks) > 10)  # ten polls' time
        assert watched.reads <= reads + 1, "at most the one that was under way"
    watched.close()


async def test_a_thousand_streams_are_read_for_together(sqlite: Database) -> None:
    watched = Watched(sqlite.url)
    names = [begun(sqlite) for _ in range(5)]
    clients = [Client() for _ in range(1000)]
    async with feeding(watched, most_streams=1000, poll_seconds=0.05) as feed:
        tasks = [
            asyncio.create_task(listen(feed, names[index % 5], client))
            for index, client in enumerate(clients)
        ]
        await until(lambda: feed.open == 1000)
        with pytest.raises(Overloaded):
            feed.require_room()
        before = watched.reads
        for name in names:
            say(sqlite, name, "hello")
        await until(lambda: all(client.got == ["hello"] for client in clients))
        assert watched.reads - before < 20
        feed.close()
        await asyncio.gather(*tasks)
    watched.close()


async def test_a_reader_that_does_not_read_holds_one_piece_and_nobody_up(sqlite: Database) -> None:
    name, slow, quick = begun(sqlite), Client(), Client()
    slow.reading.clear()
    async with (
        feeding(sqlite, poll_seconds=0.02) as feed,
        listening(feed, name, slow),
        listening(feed, name, quick),
    ):
        texts = [f"{number:04}" + "x" * 1000 for number in range(400)]
        say(sqlite, name, *texts)
        await until(lambda: quick.got == texts)
        assert slow.sends == 1
        slow.reading.set()
        await until(lambda: slow.got == texts)
        assert slow.sends > 5, "it was sent in pieces"


async def test_one_item_that_is_larger_than_a_piece_is_sent_whole(sqlite: Database) -> None:
    name, client = begun(sqlite), Client()
    async with feeding(sqlite, poll_seconds=0.02) as feed, listening(feed, name, client):
        texts = ["x" * 300_000, "y" * 300_000]
        say(sqlite, name, *texts)
        await until(lambda: client.got == texts)


async def test_what_sending_fails_with_is_raised_to_who_answers(sqlite: Database) -> None:
    name, client = begun(sqlite), Client()
    client.failure = ConnectionResetError("gone")
    async with feeding(sqlite) as feed:
        task = asyncio.create_task(listen(feed, name, client))
        await until(lambda: feed.open)
        say(sqlite, name, "one")
        feed.wrote(name)
        with pytest.raises(ConnectionResetError):
            await task
        assert feed.open == 0


async def test_a_request_that_is_cancelled_is_no_failure_of_sending(sqlite: Database) -> None:
    name, client = begun(sqlite), Client()
    async with feeding(sqlite) as feed:
        task = asyncio.create_task(listen(feed, name, client))
        await until(lambda: feed.open)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert feed.open == 0


async def test_a_feed_that_is_closed_ends_streams_after_what_is_on_its_way(
    sqlite: Database,
) -> None:
    name, client = begun(sqlite), Client()
    client.reading.clear()
    async with feeding(sqlite, poll_seconds=0.02) as feed:
        task = asyncio.create_task(listen(feed, name, client))
        say(sqlite, name, "one")
        await until(lambda: client.sends)
        feed.close()
        feed.close()
        client.reading.set()
        await task
        assert client.got == ["one"]
        late = Client()
        await listen(feed, name, late)
        assert late.got == []
        with pytest.raises(Overloaded):
            feed.require_room()


async def test_after_an_error_of_any_kind_it_goes_on(sqlite: Database) -> None:
    name, client = begun(sqlite), Client()
    errors: list[Exception] = [StorageUnavailable("locked"), ZeroDivisionError("a mistake")]

    class Failing(Database):
        def read(self) -> Any:
            if errors:
                raise errors.pop(0)
            return super().read()

    failing = Failing(sqlite.url)
    async with feeding(failing, poll_seconds=0.02) as feed, listening(feed, name, client):
        say(sqlite, name, "one")
        await until(lambda: client.got == ["one"])
        assert not feed.failing
    failing.close()


async def test_a_listener_that_left_is_not_written_to(sqlite: Database) -> None:
    client = Client()
    listener = Listener("conv_1", Cursor(), client.send, lambda _name: None)
    listener.leave()
    listener.beat(float("inf"))
    assert listener.busy
    assert client.sends == 0


@pytest.mark.slow
async def test_turns_of_a_customer_with_a_long_past_come_in_order(database: Database) -> None:
    client = Client()
    with database.write() as session:
        arrival = Arrival(assistant="support", conversation_id=new_id("conv"), content="0")
        name = conversations.receive(session, arrival).conversation_id
    say(database, name, *map(str, range(1, 1201)))
    async with feeding(database) as feed, listening(feed, name, client):
        await until(lambda: len(client.got) > 1200)
    assert client.got == list(map(str, range(1201)))


async def test_a_stream_that_joins_while_others_are_read_for_misses_nothing(
    sqlite: Database,
) -> None:
    class Slow(Database):
        reached, gate = threading.Event(), threading.Event()

        @contextmanager
        def read(self) -> Iterator[Session]:
            with super().read() as session:
                self.reached.set()
                self.gate.wait(5)
                yield session

    database = Slow(sqlite.url)
    database.gate.set()
    name = begun(database)
    say(database, name, "a", "b")
    one, two = Client(), Client()
    async with feeding(database, poll_seconds=0.05) as feed, listening(feed, name, one):
        await until(lambda: one.got == ["a", "b"])
        say(sqlite, name, "c")
        database.gate.clear()
        database.reached.clear()
        feed.wrote(name)
        await asyncio.to_thread(database.reached.wait, 5)
        async with listening(feed, name, two):  # from the start
            database.gate.set()
            await until(lambda: one.got == ["a", "b", "c"])
            await until(lambda: two.got == ["a", "b", "c"])
    database.close()
