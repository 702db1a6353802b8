"""Whatever happens in a thread and in whatever order Slack tells of it: customers read what their
agent wrote to them, once, and nothing else.
"""

import time
from dataclasses import dataclass
from functools import partial
from itertools import count, permutations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event as engine_event

from bot.incoming.changes import Change, follow
from bot.incoming.message import Message
from bot.incoming.taking_in import Stale, take_in
from records import conversations, endings, escalations, outbox
from records.conversations import Arrival
from records.database import Database
from records.errors import Conflict, Forbidden
from records.ids import new_id
from records.messages import Role
from records.outbox import Kind
from records.states import EscalationReason
from records.tables import OutboxMessage, Turn

AGENTS = ("U0ANN", "U0BEN")
CHANNEL = "C0SUPPORT"
MINUTES = 10.0
AGENT = st.sampled_from(AGENTS)
BOT = "U0BOT"
TEXTS = st.sampled_from(
    ["Hello", "Monday", "note: rude", "NOTE: again", "*Note* : bold", f"<@{BOT}> draft", "Bye"]
)
_NUMBERS = count(1)


def is_internal(text: str) -> bool:
    return "note" in text.lower() or BOT in text


@dataclass
class Written:
    """A message as Slack keeps it."""

    user: str
    ts: str
    thread: str
    texts: list[str]
    by_owner: bool
    """Whether its author had the conversation when they wrote it."""
    is_deleted: bool = False

    def event(self, text: str | None = None) -> dict[str, str]:
        shown = self.texts[-1] if text is None else text
        return {
            "type": "message",
            "user": self.user,
            "channel": CHANNEL,
            "ts": self.ts,
            "thread_ts": self.thread,
            "text": shown,
        }


def now_ts() -> str:
    time.sleep(0.000002)  # two moments must differ
    return f"{time.time():.6f}"


class Thread(RuleBasedStateMachine):
    """A conversation's thread, agents who write there, and a Slack that tells in any order."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.name = new_id("conv")
        self.thread = f"{next(_NUMBERS)}.000000"
        self.owner: str | None = None
        self.messages: list[Written] = []
        self.untold: list[tuple[str, object]] = []
        with self.database.write() as session:
            arrival = Arrival(assistant="support", conversation_id=self.name, content="Hello?")
            conversations.receive(session, arrival)
        self._escalate()

    coming = Bundle("coming")
    told = Bundle("told")

    def _escalate(self) -> None:
        with self.database.write() as session:
            self.escalation = escalations.escalate(
                session, self.name, reason=EscalationReason.MODEL, cause="a test"
            ).id
            self.thread = f"{next(_NUMBERS)}.000000"
            card = session.query(OutboxMessage).filter_by(
                kind=Kind.ESCALATION_OPENED, subject=self.escalation
            )
            outbox.mark_sent(session, card.one().id, channel=CHANNEL, ts=self.thread)

    @initialize(agent=AGENT)
    def begin_owned(self, agent: str) -> None:
        self.take_over(agent, None)

    @rule(agent=AGENT, former=st.one_of(st.none(), AGENT))
    def take_over(self, agent: str, former: str | None) -> None:
        try:
            with self.database.write() as session:
                escalations.take_over(session, self.escalation, agent=agent, instead_of=former)
        except Conflict:
            return
        self.owner = agent

    @rule(agent=AGENT, end=st.sampled_from([endings.resolve, endings.hand_back]))
    def end(self, agent: str, end: object) -> None:
        try:
            with self.database.write() as session:
                end(session, self.escalation, agent=agent)  # type: ignore[operator]
        except (Conflict, Forbidden):
            return
        self.owner = None
        self._escalate()

    @rule(target=coming, own=st.sampled_from([True, True, False]), text=TEXTS)
    def write(self, own: bool, text: str) -> tuple[str, object]:
        others = [agent for agent in AGENTS if agent != self.owner]
        agent = self.owner if own and self.owner else others[0]
        said = Written(agent, now_ts(), self.thread, [text], by_owner=agent == self.owner)
        self.messages.append(said)
        return self._happened(Message.read(said.event(), bot=BOT))

    @rule(target=coming, number=st.integers(0, 9), text=TEXTS)
    def edit(self, number: int, text: str) -> tuple[str, object]:
        found = [m for m in self.messages if not m.is_deleted]
        if not found:
            return "", None
        said = found[number % len(found)]
        before = said.event()
        said.texts.append(text)
        at = now_ts()
        after = {**said.event(), "edited": {"user": said.user, "ts": at}}
        changed = {"channel": CHANNEL, "ts": at, "message": after, "previous_message": before}
        return self._happened(Change.read(changed, bot=BOT))

    @rule(target=coming, number=st.integers(0, 9))
    def delete(self, number: int) -> tuple[str, object]:
        found = [m for m in self.messages if not m.is_deleted]
        if not found:
            return "", None
        said = found[number % len(found)]
        said.is_deleted = True
        gone = {"channel": CHANNEL, "ts": now_ts(), "previous_message": said.event()}
        return self._happened(Change.read(gone, bot=BOT))

    def _happened(self, what: object) -> tuple[str, object]:
        delivery = new_id("ev"), what
        self.untold.append(delivery)
        return delivery

    @rule(agent=AGENT, text=TEXTS)
    def write_and_pass_on(self, agent: str, text: str) -> None:
        """What is written reaches us after somebody else took over, if at all."""
        delivery = self.write(own=True, text=text)
        self.take_over(agent, self.owner)
        self.deliver(delivery)

    @rule(text=TEXTS, later=TEXTS, order=st.permutations(range(3)), gone=st.booleans())
    def write_and_change(self, text: str, later: str, order: list[int], gone: bool) -> None:
        """What is written, edited and perhaps deleted reaches us in any order."""
        told = [self.write(own=True, text=text)]
        last = len([m for m in self.messages if not m.is_deleted]) - 1
        told.append(self.edit(last, later))
        told.append(self.delete(last) if gone else self.edit(last, text))
        for number in order:
            self.deliver(told[number])

    @rule(target=told, delivery=consumes(coming))
    def deliver(self, delivery: tuple[str, object]) -> tuple[str, object]:
        if delivery in self.untold:
            self.untold.remove(delivery)
        self._deliver(delivery)
        return delivery

    @rule(delivery=told, as_new=st.booleans())
    def deliver_again(self, delivery: tuple[str, object], as_new: bool) -> None:
        self._deliver((new_id("ev"), delivery[1]) if as_new else delivery)

    def _deliver(self, delivery: tuple[str, object]) -> None:
        key, what = delivery
        if isinstance(what, Message):
            self._take_in(what, key)
        elif isinstance(what, Change):
            with self.database.write() as session:
                follow(session, what, delivery=key, minutes=MINUTES)

    def _take_in(self, message: Message, key: str) -> None:
        taking = partial(take_in, message=message, delivery=key)
        try:
            with self.database.write() as session:
                taking(session)
        except Stale:
            said = next(m for m in self.messages if m.ts == message.ts)
            present = None if said.is_deleted else Message.read(said.event(), bot=BOT)
            if present is not None:
                with self.database.write() as session:
                    take_in(session, present, delivery=key, is_present=True)

    def _turns(self) -> list[Turn]:
        with self.database.read() as session:
            said = conversations.history(session, self.name)
        return [turn for turn in said if turn.role is Role.AGENT]

    @invariant()
    def customers_read_what_their_agent_wrote_to_them_and_nothing_else(self) -> None:
        by_source = {f"slack:{CHANNEL}:{m.ts}": m for m in self.messages}
        turns = self._turns()
        assert len({turn.source_key for turn in turns}) == len(turns)
        for turn in turns:
            said = by_source[turn.source_key or ""]
            assert said.by_owner
            assert turn.author == said.user
            assert not is_internal(said.texts[0])
            if turn.removed_at is None:
                assert turn.content in said.texts
                assert not is_internal(turn.content)
            else:
                assert turn.content == ""
                assert said.is_deleted or any(map(is_internal, said.texts))

    def teardown(self) -> None:
        """When Slack has told of everything, customers read each reply as it stands there."""
        for delivery in reversed(self.untold):
            self._deliver(delivery)
        for turn in self._turns():
            said = next(m for m in self.messages if turn.source_key == f"slack:{CHANNEL}:{m.ts}")
            if said.is_deleted:
                assert turn.removed_at is not None
            elif not any(map(is_internal, said.texts)):
                assert (turn.content, turn.removed_at) == (said.texts[-1], None)
            elif is_internal(said.texts[-1]):
                assert turn.removed_at is not None


@pytest.fixture
def quick(sqlite: Database) -> Database:
    """A database that need not outlive a power cut."""

    @engine_event.listens_for(sqlite.engine, "connect")
    def _hurry(connection: object, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]

    return sqlite


@pytest.mark.parametrize("examples", [30, pytest.param(400, marks=pytest.mark.slow)])
def test_customers_read_what_their_agent_wrote_to_them_once_and_nothing_else(
    quick: Database, examples: int
) -> None:
    Thread.database = quick
    run_state_machine_as_test(
        Thread,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_an_old_edit_that_comes_last_does_not_undo_the_present_words(quick: Database) -> None:
    """The message comes after its second edit, so it is read from Slack; then comes the first."""
    Thread.database = quick
    thread = Thread()
    thread.take_over("U0ANN", None)
    for text, later, gone in (("Monday", "Hello", False), ("Bye", "Hello", True)):
        for order in permutations(range(3)):
            thread.write_and_change(text=text, later=later, order=list(order), gone=gone)
            thread.customers_read_what_their_agent_wrote_to_them_and_nothing_else()
    thread.teardown()
