"""Sends the outbox to Slack: in order per channel, each message once, no faster than allowed.

What must wait holds its own lane only. A post holds back the later ones of its channel until it is
sent, unless it alone is what Slack cannot take.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.desk import Desk
from bot.outbox.failures import Failure, Meaning, understood
from bot.outbox.in_flight import InFlight
from bot.outbox.lane_state import LaneState
from bot.outbox.leadership import Leadership
from bot.outbox.plan import Item, Lane, Method, planned
from bot.outbox.rendered import NotYet, Post, Rendered, Update
from bot.outbox.sending import HeadFailed, NotNoted, Sending, TakenByAnother, told
from bot.outbox.slack_calls import LONGEST_SECONDS, SlackCalls
from bot.outbox.waiting import Waiting
from bot.rounds.rounds import Rounds
from bot.settings import BotSettings
from bot.workspaces.workspaces import Workspaces
from records import outbox
from records.errors import NotFound, StorageError, UnderstudyError
from records.outbox import Kind
from records.states import OutboxState
from records.tables import OutboxMessage

log = logging.getLogger(__name__)

_WAITING = (OutboxState.PENDING, OutboxState.SENDING)
_NOT_YET_SECONDS = 0.5
_STOP_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to send: messages per second and channel, a job's updates, looks at the outbox."""

    messages_per_second: float
    job_update_seconds: float
    poll_seconds: float = 0.2
    round_seconds: float = 5.0
    call_seconds: float = LONGEST_SECONDS
    """After so long no call is under way any more, whoever made it."""

    @classmethod
    def of(cls, settings: BotSettings) -> "Pace":
        """The pace that the settings allow."""
        return cls(
            settings.slack_messages_per_second,
            settings.job_update_seconds,
            settings.outbox_poll_seconds,
            settings.round_seconds,
            settings.slack_call_seconds,
        )


class OutboxPump:
    """One sender for one database."""

    def __init__(
        self,
        desk: Desk,
        workspaces: Workspaces,
        *,
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._workspaces = workspaces
        self._pace = pace
        self._clock = clock
        self._waiting = Waiting(desk)
        self._in_flight = InFlight(clock, call_seconds=pace.call_seconds)
        self._sending = Sending(desk, self._in_flight)
        self._calls: dict[str, SlackCalls] = {}
        self._lanes: dict[Lane, LaneState] = {}
        self._working: dict[Lane, asyncio.Task[None]] = {}
        self._job_updated: dict[str, float] = {}
        self._named = False
        self._rounds = Rounds(desk, every_seconds=pace.round_seconds)
        self._making: asyncio.Task[None] | None = None

    @property
    def problems(self) -> Sequence[str]:
        """What a person must mend before messages can be sent."""
        return list(dict.fromkeys(why for lane in self._lanes.values() for why in lane.problems))

    async def run(self, stop: asyncio.Event) -> None:
        """Send until told to stop; only one bot per database does so at a time."""
        leadership = Leadership(self._desk.database)
        try:
            while not stop.is_set():
                try:
                    if await asyncio.to_thread(leadership.holds):
                        self._make_rounds()
                        await self._begin()
                    else:
                        self._waiting.forget()
                except UnderstudyError as error:
                    log.warning("the outbox cannot be read: %s", error)
                except Exception:
                    log.exception("a look at the outbox failed")
                try:
                    await asyncio.wait_for(stop.wait(), self._pace.poll_seconds)
                except TimeoutError:
                    continue
            await self._end()
        finally:
            leadership.release()

    def _make_rounds(self) -> None:
        """Look for what became due; sending does not wait for that."""
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._rounds.make())

    async def _end(self) -> None:
        """Let begun calls end; what is cut off is looked for when a bot starts again."""
        begun = {*self._working.values(), *([self._making] if self._making else [])}
        if begun:
            _, late = await asyncio.wait(begun, timeout=_STOP_SECONDS)
            for task in late:
                task.cancel()

    async def step(self) -> None:
        """Send what may be sent now."""
        self._named = True
        while self._named:
            self._named = False
            await asyncio.gather(*await self._begin())

    async def _begin(self) -> Sequence["asyncio.Task[None]"]:
        """Start to work on each lane that is not being worked on."""
        await self._waiting.refresh()
        for row_id, reason in self._waiting.take_lost().items():
            await self._give_up(row_id, reason)
        items = self._waiting.items
        plan = planned(items)
        for lane in self._lanes.keys() - plan.lanes.keys():
            self._lanes[lane].keep(())
        if not items:
            return []
        if plan.needless:
            await self._desk.write(lambda session: outbox.settle(session, plan.needless))
        for lane, waiting in plan.lanes.items():
            if lane not in self._working:
                self._start(lane, waiting)
        return list(self._working.values())

    def _start(self, lane: Lane, items: Sequence[Item]) -> None:
        task = asyncio.create_task(self._work_on(lane, items))
        self._working[lane] = task
        task.add_done_callback(lambda _: self._working.pop(lane, None))

    async def _work_on(self, lane: Lane, items: Sequence[Item]) -> None:
        try:
            await self._drain(lane, items)
        except UnderstudyError as error:
            log.warning("messages wait: %s", error)
        except Exception:
            log.exception("a lane of the outbox failed")

    async def _drain(self, lane: Lane, items: Sequence[Item]) -> None:
        """Send a lane's rows, in order, for as long as it is open."""
        in_order = lane.method is Method.POST
        state = self._lanes.setdefault(lane, LaneState(self._clock, in_order=in_order))
        if not state.is_open():
            return
        state.keep([item.id for item in items])
        calls = await self._ready(lane, items[0], state)
        if calls is None:
            return
        held: set[object] = set()
        for item in items:
            if not state.is_open() or calls.wait_seconds(lane) > 0:
                return
            if item.row.state not in _WAITING:  # it was sent since this look at the outbox
                self._waiting.drop(item.id)
                continue
            may = state.is_due(item.id) and not held & {item.subject, item.head}
            if not may or not await self._deliver(item.row, lane, calls=calls, state=state):
                held |= {item.subject, (item.kind, item.subject)}

    async def _ready(self, lane: Lane, first: Item, state: LaneState) -> SlackCalls | None:
        """The calls to a lane's workspace; None where it is not known yet, or not reachable."""
        try:
            calls = await self._calls_of(first.assistant)
            if calls.channels.known(lane.channel) == lane.channel:
                return calls
            self._waiting.rename(lane, await calls.channels.id_of(lane.channel))
            self._named = True
        except Exception as error:  # noqa: BLE001 - the edge: every failure gets a meaning
            begun = first.row.state is OutboxState.SENDING
            await self._note_failure(first.row, _understood(error), state, begun=begun)
        return None

    async def _calls_of(self, name: str) -> SlackCalls:
        """The calls to an assistant's workspace, which know their limits.

        Raises:
            ConfigurationError: the bot is not there.
        """
        assistant = self._desk.assistant(name)
        sender = await self._workspaces.sender(assistant)
        known = self._calls.get(assistant.slack.workspace)
        if known is None or known.sender != sender:
            known = SlackCalls(
                sender, messages_per_second=self._pace.messages_per_second, clock=self._clock
            )
            self._calls[assistant.slack.workspace] = known
        return known

    async def _deliver(
        self, row: OutboxMessage, lane: Lane, *, calls: SlackCalls, state: LaneState
    ) -> bool:
        """Send one row; False where it stays for later."""
        begun = row.state is OutboxState.SENDING
        if begun and (wait := self._in_flight.wait_seconds(row)) > 0:
            state.wait(row.id, seconds=wait)
            return False
        try:
            rendered = await self._rendered(row)
        except (NotFound, HeadFailed) as error:
            await self._end_row(row, str(error))
            return True
        except Exception as error:  # noqa: BLE001 - as above
            failure = replace(_understood(error), of_row=True, surely=True)
            await self._note_failure(row, failure, state, begun=begun)
            return False
        wait = _NOT_YET_SECONDS if isinstance(rendered, NotYet) else self._too_soon(row, rendered)
        if wait > 0:
            state.defer(row.id, seconds=wait)
            return False
        try:
            await self._sending.send(row, rendered, calls)
        except TakenByAnother:
            self._waiting.drop(row.id)
            return False
        except Exception as error:  # noqa: BLE001 - as above
            failure = _understood(error)
            if (
                isinstance(rendered, Post)
                and calls.channels.known(rendered.channel) != lane.channel
            ):
                failure = replace(failure, of_row=True, surely=True)
            await self._note_failure(row, failure, state, begun=begun)
            return failure.meaning is Meaning.GIVE_UP
        if isinstance(rendered, Update):
            self._note_update(row, rendered)
        state.note_success(row.id)
        return True

    async def _rendered(self, row: OutboxMessage) -> Rendered:
        return await self._desk.read(lambda session: told(session, row, self._desk))

    def _too_soon(self, row: OutboxMessage, rendered: Rendered) -> float:
        """Seconds until a job's message may change again; its last update never waits."""
        if row.kind != Kind.JOB_CHANGED or not isinstance(rendered, Update) or rendered.last:
            return 0.0
        changed_at = self._job_updated.get(row.subject, float("-inf"))
        return max(0.0, changed_at + self._pace.job_update_seconds - self._clock())

    def _note_update(self, row: OutboxMessage, rendered: Update) -> None:
        if row.kind == Kind.JOB_CHANGED:
            self._job_updated[row.subject] = self._clock()
            if rendered.last:
                del self._job_updated[row.subject]

    async def _note_failure(
        self, row: OutboxMessage, failure: Failure, state: LaneState, *, begun: bool
    ) -> None:
        """Note a failure, and when to try again; `begun`: it may have been sent before this."""
        if failure.meaning is Meaning.GIVE_UP:
            await self._end_row(row, failure.sentence)
            return
        state.note_failure(row.id, failure)
        if failure.meaning is not Meaning.WAIT and state.is_news(failure.sentence):
            log.warning("%s waits: %s", row.key, failure.sentence)
        if not begun and failure.meaning is not Meaning.UNSURE:
            await self._note_pending(row, failure.sentence)

    async def _note_pending(self, row: OutboxMessage, sentence: str) -> None:
        """Slack has not taken a row."""
        try:
            await self._desk.write(
                lambda session: outbox.mark_pending(session, row, error=sentence)
            )
        except StorageError:
            return  # it counts as begun, and is looked for before it is sent
        row.state = OutboxState.PENDING

    async def _end_row(self, row: OutboxMessage, reason: str) -> None:
        await self._give_up(row.id, reason)
        row.state = OutboxState.FAILED
        self._in_flight.forget(row)

    async def _give_up(self, row_id: int, reason: str) -> None:
        log.error("outbox row %s is given up: %s", row_id, reason)
        await self._desk.write(lambda session: outbox.mark_failed(session, row_id, error=reason))


def _understood(error: Exception) -> Failure:
    if isinstance(error, NotNoted):
        return Failure(Meaning.UNSURE, str(error))
    failure = understood(error)
    if failure is None:
        log.error("a row of the outbox cannot be sent", exc_info=error)
        failure = Failure(Meaning.GIVE_UP, f"{type(error).__name__}: {error}")
    return failure
