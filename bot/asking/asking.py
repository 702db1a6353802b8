"""Lets versions answer what agents ask in Slack, a few at a time, so that customers wait for none.

A question is on disk before it is begun, and its answer before its message is finished. A bot that
dies in between tells nobody: `asking_rounds` finds what it left, and the asker is told to ask
again, or gets the answer that was recorded.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.asking.growing_message import Ended, GrowingMessage
from bot.asking.spoken_answer import SpokenAnswer
from bot.asking.trial_engines import TrialEngines
from bot.attendance import Attendance, Place, explained
from bot.desk import Desk
from bot.messages.asking import answer_shown, trial_heading
from bot.outbox.slack_calls import EVENT_TYPE
from bot.settings import BotSettings
from bot.views.content import duration
from bot.views.trial_answer import AnswerShown, answer_end
from records import asking, conversations, trial_answers, versions
from records.assistant import Assistant
from records.engine import Engine, exceeds_context
from records.errors import EngineInterrupted, EngineRefused, EngineUnavailable, Overloaded
from records.messages import Message
from records.prompt import leaves_no_room, newer_half, prompt
from records.states import OutboxState
from records.tables import Turn, Version

log = logging.getLogger(__name__)

_NOT_FOUND = 404
_STATES = {
    Ended.SHOWN: OutboxState.SENT,
    Ended.UNSURE: OutboxState.SENDING,
    Ended.LOST: OutboxState.PENDING,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many answers at once, and how long to wait for what, in seconds."""

    at_once: int = 2
    answer: float = 120.0
    wait: float = 60.0
    update: float = 1.25

    @classmethod
    def of(cls, settings: BotSettings) -> "Limits":
        """The limits that settings name."""
        return cls(
            settings.ask_at_once,
            settings.ask_seconds,
            settings.ask_wait_seconds,
            settings.ask_update_seconds,
        )


@dataclass(frozen=True, slots=True)
class _Job:
    """A question to be answered, and where its asker reads."""

    client: AsyncWebClient
    question: str
    conversation: str
    thread: asking.Thread
    user: str
    team: str | None
    after: asyncio.Event
    """Set when the answer that is shown above this one stands there, or will not come."""
    begun: asyncio.Event
    """The same of this one."""

    @property
    def place(self) -> Place:
        return Place(self.client, self.user, self.thread.channel, self.thread.ts)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a version is asked."""

    assistant: Assistant
    version: Version
    said: tuple[Message, ...]
    words: str
    heading: str

    def request(self, said: tuple[Message, ...]) -> dict[str, Any]:
        """The request as a customer's question would make it, told how sure the model is."""
        chat = prompt(self.assistant, said, [{"role": "user", "content": self.words}])
        body = self.assistant.engine_request(chat, logprobs=True)
        return {**body, "model": self.version.id, "stream_options": {"include_usage": True}}


class Asking:
    """Answers agents' questions in the background; `close` ends what is being answered."""

    def __init__(
        self,
        desk: Desk,
        engines: TrialEngines,
        attendance: Attendance,
        *,
        limits: Limits,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._desk = desk
        self._engines = engines
        self._attendance = attendance
        self._limits = limits
        self._clock = clock
        self._free = asyncio.Semaphore(limits.at_once)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._working: set[asyncio.Task[None]] = set()

    def begin(self, client: AsyncWebClient, questions: Iterable[Turn], *, team: str | None) -> None:
        """Have recorded questions answered in their threads, shown in this order."""
        begun = asyncio.Event()
        begun.set()
        for question in questions:
            after, begun = begun, asyncio.Event()
            job = _Job(
                client,
                question.id,
                question.conversation_id,
                asking.thread_of(question),
                question.author or "",
                team,
                after,
                begun,
            )
            task = asyncio.create_task(self._attend(job), name=f"answer to {question.id}")
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def close(self) -> None:
        """End what is being answered; the askers are told."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _attend(self, job: _Job) -> None:
        try:
            async with self._place_in_line(job):
                await self._answer(job)
        except asyncio.CancelledError:
            await self._fail(job, wording.asking.STOPPED)
        except Exception as error:  # noqa: BLE001 - the edge: every error becomes a sentence
            await self._fail(job, explained(error))
        finally:
            job.begun.set()

    async def _fail(self, job: _Job, reason: str) -> None:
        try:
            await self._desk.write(
                lambda session: trial_answers.fail(session, job.question, reason=reason)
            )
        except Exception as error:  # noqa: BLE001 - the question is found again by its age
            log.warning("that %s was not answered is not recorded: %s", job.question, error)

    @asynccontextmanager
    async def _place_in_line(self, job: _Job) -> AsyncIterator[None]:
        """Wait until the conversation's earlier questions are answered, and few others are."""
        turn = self._turns.setdefault(job.conversation, asyncio.Lock())
        if self._free.locked():
            number = self._limits.at_once
            await self._attendance.tell(job.place, wording.asking.WAITING.format(number=number))
        try:
            async with asyncio.timeout(self._limits.wait):
                await job.after.wait()
                await turn.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    turn.release()
                    raise
        except TimeoutError:
            raise Overloaded(wording.asking.TOO_BUSY) from None
        try:
            yield
        finally:
            self._free.release()
            turn.release()

    async def _answer(self, job: _Job) -> None:
        prepared = await self._desk.read(
            lambda session: _prepare(session, self._desk, job.question)
        )
        if prepared is None:
            return  # another bot has answered it
        message = self._message(job)
        try:
            await message.begin(prepared.heading)
            job.begun.set()
            spoken = await self._listen(prepared, message)
            record = partial(_record, job.question, prepared.version.id, spoken)
            answer, is_new = await self._desk.write(record)
        except BaseException:
            await message.take_away()
            raise
        if is_new:
            await self._finish(message, answer)
        else:
            await message.take_away()

    def _message(self, job: _Job) -> GrowingMessage:
        return GrowingMessage(
            job.client,
            channel=job.thread.channel,
            thread_ts=job.thread.ts,
            user=job.user,
            team=job.team,
            every_seconds=self._limits.update,
        )

    async def _listen(self, prepared: _Prepared, message: GrowingMessage) -> SpokenAnswer:
        """Pass on what the version says, until it is done."""
        try:
            async with asyncio.timeout(self._limits.answer):
                return await self._ask(prepared, message)
        except TimeoutError:
            limit = duration(self._limits.answer)
            raise EngineUnavailable(wording.asking.TOO_SLOW.format(duration=limit)) from None

    async def _ask(self, prepared: _Prepared, message: GrowingMessage) -> SpokenAnswer:
        said, was_unknown = prepared.said, False
        while True:
            try:
                async with self._engines.ready(prepared.assistant, prepared.version) as engine:
                    spoken = SpokenAnswer(prepared.assistant, self._clock)
                    await _hear(engine, prepared.request(said), spoken, message)
                    return spoken
            except EngineRefused as error:
                if error.status == _NOT_FOUND and not was_unknown:
                    was_unknown = True  # unloaded a moment ago, perhaps by a gateway
                    self._engines.forget(prepared.version.id)
                elif exceeds_context(error) and said:
                    said = newer_half(said)
                else:
                    raise

    async def _finish(self, message: GrowingMessage, answer: Turn) -> None:
        """Show the end of a recorded answer, or leave all of it to the outbox."""
        shown: AnswerShown = await self._desk.read(
            lambda session: answer_shown(session, self._desk, answer)
        )
        key = trial_answers.shown_key(answer.id)
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}
        ended = await message.end(answer_end(shown), metadata=metadata)
        if ended is Ended.LOST:
            await message.take_away()
        await self._desk.write(
            lambda session: trial_answers.show(
                session, answer.id, state=_STATES[ended], ts=message.ts
            )
        )


def _prepare(session: Session, desk: Desk, question_id: str) -> _Prepared | None:
    """What is to be asked; None where the answer is there already."""
    question = conversations.turn(session, question_id)
    if trial_answers.answer_of(session, question_id) is not None:
        return None
    conversation = conversations.get(session, question.conversation_id)
    assistant = desk.assistant(conversation.assistant)
    return _Prepared(
        assistant,
        versions.get(session, str(conversation.version)),
        _fitting(session, assistant, question),
        question.content,
        trial_heading(session, question),
    )


def _fitting(session: Session, assistant: Assistant, question: Turn) -> tuple[Message, ...]:
    """What was said before a question, as much of it as leaves room for the answer."""
    said = asking.said_before(session, question)
    tokens = trial_answers.tokens_before(session, question)
    while said and leaves_no_room(assistant, question.content, tokens=tokens):
        said, tokens = newer_half(said), tokens // 2
    return said


async def _hear(
    engine: Engine, request: dict[str, Any], spoken: SpokenAnswer, message: GrowingMessage
) -> None:
    finished = False
    async with engine.stream(request) as pieces:
        async for events in pieces:
            for event in events:
                message.say(spoken.take(event))
            finished = finished or spoken.finish_reason is not None
    if not finished:
        raise EngineInterrupted(wording.asking.ENDED_EARLY)
    message.say(spoken.close())


def _record(
    question_id: str, version: str, spoken: SpokenAnswer, session: Session
) -> tuple[Turn, bool]:
    return trial_answers.answer(
        session,
        question_id,
        content=spoken.text,
        handed_over=spoken.handed_over,
        version=version,
        finish_reason=spoken.finish_reason,
        first_token_ms=spoken.first_token_ms,
        duration_ms=spoken.milliseconds,
        prompt_tokens=spoken.prompt_tokens,
        completion_tokens=spoken.completion_tokens,
        mean_logprob=spoken.mean_logprob,
    )
