"""Answers one turn: asks the engine, passes on what the customer may read, records it.

The customer's turn is written while the engine works and is durable before the first byte of the
answer leaves; the answer is durable before its last byte leaves.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from records import conversations, escalations
from records.errors import EngineInterrupted, EngineRefused, EngineUnavailable, StorageError
from serving.completion import DONE, Completion
from serving.dialogue import Dialogue, record_question
from serving.draft import Draft
from serving.fleet import Fleet
from serving.outlet import Outlet
from serving.problems import exceeds_context
from serving.recorder import Recorder

_log = logging.getLogger("understudy.gateway")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: body and headers."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class Answering:
    """Knows the engines and the recorder; keeps nothing between turns."""

    def __init__(self, fleet: Fleet, recorder: Recorder) -> None:
        """Ask `fleet`, write to `recorder`."""
        self._fleet = fleet
        self._recorder = recorder

    async def whole(self, dialogue: Dialogue) -> Reply:
        """Answer in one piece.

        Raises:
            EngineRefused: the engine cannot take the request as it is.
            StorageError: the turn could not be recorded, so it is not answered.
        """
        draft = Draft(dialogue)
        message: dict[str, Any] = {}
        async with _Question(self._recorder, dialogue) as question:
            with self._recorded_if_left(draft, question):
                try:
                    if dialogue.with_agent:
                        draft.wait_for_agent()
                    else:
                        message = await self._ask(dialogue, draft)
                except (EngineUnavailable, EngineInterrupted) as error:
                    _log.warning("answered with a fixed sentence: %s", error)
                    draft.fail(str(error))
                conversation_id = await question.conversation_id()
                escalation_id = await self._record(draft, conversation_id)
        about = _about(draft, conversation_id, escalation_id)
        message["content"] = draft.text if draft.text or not draft.tool_calls else None
        body = _completion(draft).whole(
            message,
            finish_reason=draft.finish_reason or "stop",
            usage=draft.usage,
            understudy=about,
        )
        return Reply(body, _headers(draft, conversation_id))

    async def stream(self, dialogue: Dialogue, outlet: Outlet) -> None:
        """Answer piece by piece. Errors before the first byte are raised as in `whole`."""
        draft = Draft(dialogue)
        async with _Question(self._recorder, dialogue) as question:
            with self._recorded_if_left(draft, question):
                speaker = _Speaker(draft, outlet, question)
                try:
                    await self._relay(dialogue, draft, speaker)
                except (EngineUnavailable, EngineInterrupted) as error:
                    _log.warning("answer not completed by the engine: %s", error)
                    await speaker.say(draft.fail(str(error)))
                await speaker.begin()
                conversation_id = await question.conversation_id()
                try:
                    escalation_id = await self._record(draft, conversation_id)
                except StorageError as error:
                    await outlet.fail(error)  # the client sees that the answer is not complete
                    return
        await speaker.end(_about(draft, conversation_id, escalation_id))

    async def _ask(self, dialogue: Dialogue, draft: Draft) -> dict[str, Any]:
        completion = await self._whole_of(dialogue)
        choice = completion["choices"][0]
        draft.usage = completion.get("usage")
        draft.take(choice, part="message")
        draft.close()
        return {k: v for k in ("tool_calls",) if (v := choice["message"].get(k))}

    async def _relay(self, dialogue: Dialogue, draft: Draft, speaker: "_Speaker") -> None:
        if dialogue.with_agent:
            await speaker.say(draft.wait_for_agent())
            return
        async with aclosing(self._events_of(dialogue)) as events:
            async for event in events:
                draft.usage = event.get("usage") or draft.usage
                for choice in event["choices"]:
                    await speaker.say(draft.take(choice))
                    if tool_calls := choice["delta"].get("tool_calls"):
                        await speaker.send({"tool_calls": tool_calls})
        await speaker.say(draft.close())

    async def _whole_of(self, dialogue: Dialogue) -> dict[str, Any]:
        while True:
            try:
                return await self._fleet.chat(dialogue.choice.version, dialogue.engine_body)
            except EngineRefused as error:
                dialogue = _shorter(dialogue, error)

    async def _events_of(self, dialogue: Dialogue) -> AsyncGenerator[dict[str, Any], None]:
        while True:
            pieces = self._fleet.events(dialogue.choice.version, dialogue.engine_body)
            try:
                async with aclosing(pieces):
                    async for event in pieces:
                        yield event
                    return
            except EngineRefused as error:
                dialogue = _shorter(dialogue, error)

    async def _record(self, draft: Draft, conversation_id: str) -> str | None:
        draft.submitted = True
        return await self._recorder.write(_recording(draft, conversation_id))

    def _recorded_if_left(self, draft: Draft, question: "_Question") -> "_Leaving":
        return _Leaving(self._recorder, draft, question)


def _shorter(dialogue: Dialogue, error: EngineRefused) -> Dialogue:
    """With less history, so that a long conversation is no dead end; else the error as it is."""
    shorter = dialogue.shorter() if exceeds_context(error) else None
    if shorter is None:
        raise error
    return shorter


def _recording(draft: Draft, conversation_id: str) -> Callable[[Session], str | None]:
    turn = draft.turn  # the row is built anew each time the operation runs

    def record(session: Session) -> str | None:
        row = conversations.add_turn(session, turn(conversation_id))
        if draft.reason is not None:
            return escalations.escalate(
                session, conversation_id, reason=draft.reason, cause=draft.cause, turn_id=row.id
            ).id
        return None

    return record


class _Question:
    """The customer's turn on its way to disk, while the engine already works."""

    def __init__(self, recorder: Recorder, dialogue: Dialogue) -> None:
        self.writing = recorder.submit(lambda session: record_question(session, dialogue))
        self._waiting: asyncio.Future[str] = asyncio.wrap_future(self.writing)

    async def __aenter__(self) -> "_Question":
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._waiting.done():
            self._waiting.cancel()  # nobody waits for it; it is written all the same
        elif not self._waiting.cancelled():
            self._waiting.exception()  # seen here even where another error came first

    async def conversation_id(self) -> str:
        """Wait until the turn is durable.

        Raises:
            StorageError: it could not be written.
        """
        return await asyncio.shield(self._waiting)


class _Leaving:
    """Records an answer as abandoned where its client leaves before it is complete."""

    def __init__(self, recorder: Recorder, draft: Draft, question: _Question) -> None:
        self._recorder, self._draft, self._question = recorder, draft, question

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        left = kind is not None and issubclass(kind, (asyncio.CancelledError, ConnectionError))
        if left and not self._draft.submitted:
            self._draft.submitted = True
            self._draft.abandon()
            self._question.writing.add_done_callback(self._record)

    def _record(self, question: Any) -> None:
        if question.exception() is None:
            with suppress(StorageError):  # the gateway is stopping
                self._recorder.submit(_recording(self._draft, question.result()))


class _Speaker:
    """Puts an answer into OpenAI's stream; the first byte waits until the question is durable."""

    def __init__(self, draft: Draft, outlet: Outlet, question: _Question) -> None:
        self._draft, self._outlet, self._question = draft, outlet, question
        self._completion = _completion(draft)

    async def say(self, text: str) -> None:
        if text:
            await self.send({"content": text})

    async def send(self, delta: Mapping[str, Any]) -> None:
        await self.begin()
        await self._outlet.send(self._completion.piece(delta))

    async def begin(self) -> None:
        if self._outlet.begun:
            return
        conversation_id = await self._question.conversation_id()
        about = {**_about(self._draft, conversation_id, None), "status": None}  # not known yet
        await self._outlet.begin(_headers(self._draft, conversation_id))
        await self._outlet.send(
            self._completion.piece({"role": "assistant", "content": ""}, understudy=about)
        )

    async def end(self, about: Mapping[str, Any]) -> None:
        draft = self._draft
        last = self._completion.piece(
            {}, finish_reason=draft.finish_reason or "stop", understudy=about
        )
        if draft.dialogue.request.include_usage:
            last += self._completion.usage(draft.usage)
        await self._outlet.end(last + DONE)


def _completion(draft: Draft) -> Completion:
    return Completion(f"chatcmpl-{draft.turn_id}", draft.dialogue.assistant.name, int(time.time()))


def _about(draft: Draft, conversation_id: str, escalation_id: str | None) -> dict[str, Any]:
    """What Understudy adds to OpenAI's form."""
    known = draft.dialogue.known
    with_agent = draft.dialogue.with_agent
    return {
        "conversation_id": conversation_id,
        "turn_id": draft.turn_id,
        "version": draft.version,
        "escalated": draft.escalated or with_agent,
        "escalation_id": known.escalation_id if known and with_agent else escalation_id,
        "reason": draft.reason,
        "status": draft.status,
    }


def _headers(draft: Draft, conversation_id: str) -> dict[str, str]:
    headers = {
        "X-Understudy-Conversation": conversation_id,
        "X-Understudy-Turn": draft.turn_id,
    }
    if draft.version:
        headers["X-Understudy-Version"] = draft.version
    return headers
