"""Answers one turn: asks the engine, passes on what the customer may read, records it.

The customer's turn is written while the engine works and is durable before the first byte of the
answer leaves; the answer is durable before its last byte leaves.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from records.engine import exceeds_context
from records.errors import EngineInterrupted, EngineRefused, EngineUnavailable, StorageError
from serving.answer_form import AnswerForm, Ending
from serving.dialogue import Dialogue, question_entry
from serving.draft import Draft
from serving.fleet import Fleet
from serving.outlet import Outlet
from serving.recorder import Recorder
from serving.tracing import OFF, Span, Tracing
from serving.turn_log import Recorded

_log = logging.getLogger("understudy.gateway")

MakeForm = Callable[[Draft], AnswerForm]
"""Chooses how an answer is put into bytes."""

IsTaken = Callable[[str], Awaitable[bool]]
"""Whether an agent has a conversation by now."""

_LOOK_SECONDS = 0.5
"""How often a long answer looks whether an agent has taken over."""

OnAnswered = Callable[[Draft, Recorded], None]
"""Told of each answer that is durable; must be quick."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: body and headers."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]


class Answering:
    """Knows the engines and the recorder; keeps nothing between turns."""

    def __init__(
        self,
        fleet: Fleet,
        recorder: Recorder,
        *,
        is_taken: IsTaken | None = None,
        on_answered: OnAnswered = lambda _draft, _recorded: None,
        tracing: Tracing = OFF,
    ) -> None:
        """Ask `fleet`, write to `recorder`."""
        self._fleet = fleet
        self._recorder = recorder
        self._is_taken = is_taken
        self._on_answered = on_answered
        self._tracing = tracing

    async def whole(self, dialogue: Dialogue, form: MakeForm) -> Reply:
        """Answer in one piece.

        Raises:
            EngineRefused: the engine cannot take the request as it is.
            StorageError: the turn could not be recorded, so it is not answered.
        """
        draft = Draft(dialogue)
        tool_calls: list[dict[str, Any]] = []
        question = self._recorder.submit(question_entry(dialogue))
        with _Leaving(self._submit, draft, question):
            try:
                if not _is_settled(draft):
                    tool_calls = await self._ask(dialogue, draft)
            except (EngineUnavailable, EngineInterrupted) as error:
                _log.warning("answered with a fixed sentence: %s", error)
                draft.fail(str(error))
            if dialogue.is_certain:  # not waited for: both may be made durable by one commit
                conversation_id = dialogue.conversation_id
            else:
                conversation_id = (await asyncio.shield(question)).conversation_id
            recorded = await self._record(draft, conversation_id, unread=True)
        if draft.gave_way:
            tool_calls = []
        about = _about(draft, recorded.conversation_id, recorded.escalation_id)
        ending = _ending(draft, recorded, tool_calls)
        return Reply(form(draft).whole(about, ending), _headers(draft, conversation_id))

    async def stream(self, dialogue: Dialogue, form: MakeForm, outlet: Outlet) -> None:
        """Answer piece by piece. Errors before the first byte are raised as in `whole`."""
        draft = Draft(dialogue)
        question = self._recorder.submit(question_entry(dialogue))
        with _Leaving(self._submit, draft, question):
            speaker = _Speaker(draft, form(draft), outlet, question)
            try:
                if _is_settled(draft):
                    speaker.say(draft.text)
                else:
                    await self._relay(dialogue, draft, speaker)
            except (EngineUnavailable, EngineInterrupted) as error:
                _log.warning("answer not completed by the engine: %s", error)
                speaker.say(draft.fail(str(error)))
            if outlet.begun:
                conversation_id = await speaker.flush()
            else:
                conversation_id = (await asyncio.shield(question)).conversation_id
            try:
                recorded = await self._record(draft, conversation_id, unread=not outlet.begun)
            except StorageError as error:
                if not outlet.begun:
                    raise
                await speaker.fail(error)  # the client sees that the answer is not complete
                return
        if draft.gave_way:
            speaker.say_instead(draft.text)
        await speaker.flush()
        await speaker.end(recorded)

    async def _ask(self, dialogue: Dialogue, draft: Draft) -> list[dict[str, Any]]:
        with self._tracing.span("engine", gen_ai__request__model=dialogue.choice.version) as span:
            completion = await self._whole_of(dialogue, span.header_lines)
            draft.usage = completion.get("usage")
            _tell_usage(span, draft)
        choice = completion["choices"][0]
        draft.take(choice, part="message")
        draft.close()
        calls: list[dict[str, Any]] = choice["message"].get("tool_calls") or []
        return calls

    async def _relay(self, dialogue: Dialogue, draft: Draft, speaker: "_Speaker") -> None:
        watch = _Watch(self._is_taken, dialogue.conversation_id)
        silent = True
        with self._tracing.span("engine", gen_ai__request__model=dialogue.choice.version) as span:
            async with aclosing(self._events_of(dialogue, span.header_lines)) as pieces:
                async for events in pieces:
                    for event in events:
                        draft.usage = event.get("usage") or draft.usage
                        for choice in event["choices"]:
                            speaker.say(draft.take(choice))
                            if calls := choice["delta"].get("tool_calls"):
                                speaker.call(calls)
                    if silent and draft.first_token_ms is not None:
                        silent = False
                        span.event("first token")
                    if speaker.pieces:
                        await speaker.flush()
                    if dialogue.known is not None and await watch.is_taken():
                        speaker.say(draft.break_off())
                        return
            _tell_usage(span, draft)
        speaker.say(draft.close())

    async def _whole_of(self, dialogue: Dialogue, headers: str) -> dict[str, Any]:
        while True:
            try:
                return await self._fleet.chat(
                    dialogue.choice.version, dialogue.engine_body,
                    affinity=dialogue.conversation_id, headers=headers,
                )  # fmt: skip
            except EngineRefused as error:
                dialogue = _shorter(dialogue, error)

    async def _events_of(
        self, dialogue: Dialogue, headers: str
    ) -> AsyncGenerator[list[dict[str, Any]], None]:
        while True:
            pieces = self._fleet.events(
                dialogue.choice.version, dialogue.engine_body,
                affinity=dialogue.conversation_id, headers=headers,
            )  # fmt: skip
            try:
                async with aclosing(pieces):
                    async for events in pieces:
                        yield events
                    return
            except EngineRefused as error:
                dialogue = _shorter(dialogue, error)

    async def _record(self, draft: Draft, conversation_id: str, *, unread: bool) -> Recorded:
        draft.submitted = True
        with self._tracing.span("record"):
            return await asyncio.shield(self._submit(draft, conversation_id, unread=unread))

    def _submit(
        self, draft: Draft, conversation_id: str, *, unread: bool = False
    ) -> "asyncio.Future[Recorded]":
        """Have an answer recorded, and told of once it is durable, whether anybody waits or not."""
        entry = draft.entry(conversation_id, unread=unread)
        writing: asyncio.Future[Recorded] = self._recorder.submit(entry)

        def tell(done: "asyncio.Future[Recorded]") -> None:
            if done.cancelled() or done.exception() is not None:
                return
            if done.result().gave_way:
                draft.give_way()
            self._on_answered(draft, done.result())

        writing.add_done_callback(tell)
        return writing


def _tell_usage(span: Span, draft: Draft) -> None:
    usage = draft.usage or {}
    span.set(
        gen_ai__usage__input_tokens=usage.get("prompt_tokens"),
        gen_ai__usage__output_tokens=usage.get("completion_tokens"),
    )


class _Watch:
    """Looks now and then whether an agent has taken a conversation over."""

    def __init__(self, is_taken: IsTaken | None, conversation_id: str) -> None:
        self._is_taken, self._conversation_id = is_taken, conversation_id
        self._look_at = time.monotonic() + _LOOK_SECONDS

    async def is_taken(self) -> bool:
        if self._is_taken is None or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + _LOOK_SECONDS
        return await self._is_taken(self._conversation_id)


def _is_settled(draft: Draft) -> bool:
    """Whether the answer is a fixed sentence, because a person has the conversation or must."""
    dialogue = draft.dialogue
    if dialogue.with_agent:
        draft.wait_for_agent()
    elif dialogue.handover is not None:
        draft.hand_over(dialogue.handover)
    else:
        return False
    return True


def _shorter(dialogue: Dialogue, error: EngineRefused) -> Dialogue:
    """With less history, so that a long conversation is no dead end; else the error as it is."""
    shorter = dialogue.shorter() if exceeds_context(error) else None
    if shorter is None:
        raise error
    return shorter


class _Leaving:
    """Records an answer as abandoned where its client leaves before it is complete."""

    __slots__ = ("_draft", "_question", "_submit")

    def __init__(
        self,
        submit: "Callable[[Draft, str], asyncio.Future[Recorded]]",
        draft: Draft,
        question: "asyncio.Future[Recorded]",
    ) -> None:
        self._submit, self._draft, self._question = submit, draft, question

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        left = kind is not None and issubclass(kind, (asyncio.CancelledError, ConnectionError))
        if left and not self._draft.submitted:
            self._draft.submitted = True
            self._draft.abandon()
            self._question.add_done_callback(self._record)

    def _record(self, question: "asyncio.Future[Recorded]") -> None:
        if question.exception() is None:
            with suppress(StorageError):  # the gateway is stopping
                self._submit(self._draft, question.result().conversation_id)


class _Speaker:
    """Sends an answer in its form; the first byte waits until the question is durable."""

    def __init__(
        self,
        draft: Draft,
        form: AnswerForm,
        outlet: Outlet,
        question: "asyncio.Future[Recorded]",
    ) -> None:
        self._draft, self._form, self._outlet = draft, form, outlet
        self._question = question
        self._conversation_id = ""
        self.pieces: list[bytes] = []
        """What is to be sent next."""

    def say(self, text: str) -> None:
        """Add words to what is sent next."""
        if text:
            self.pieces.append(self._form.say(text))

    def say_instead(self, text: str) -> None:
        """Take back what was to be sent next, and say this."""
        self.pieces.clear()
        self.say(text)

    def call(self, tools: list[dict[str, Any]]) -> None:
        """Add calls of the client's tools to what is sent next."""
        self.pieces.append(self._form.tool_calls(tools))

    async def flush(self) -> str:
        """Send what was added, in one write; returns the conversation's id."""
        if not self._outlet.begun:
            self._conversation_id = (await asyncio.shield(self._question)).conversation_id
            about = {**_about(self._draft, self._conversation_id, None), "status": None}
            self.pieces.insert(0, self._form.begin(about))  # its status is not known yet
            await self._outlet.begin(_headers(self._draft, self._conversation_id))
        if self.pieces:
            data, self.pieces = b"".join(self.pieces), []
            await self._outlet.send(data)
        return self._conversation_id

    async def end(self, recorded: Recorded) -> None:
        """Send the end of a whole answer."""
        about = _about(self._draft, self._conversation_id, recorded.escalation_id)
        await self._outlet.end(self._form.end(about, _ending(self._draft, recorded)))

    async def fail(self, error: StorageError) -> None:
        """Send the end of an answer that is not whole."""
        await self._outlet.end(self._form.fail(error))


def _ending(
    draft: Draft, recorded: Recorded, tool_calls: list[dict[str, Any]] | None = None
) -> Ending:
    return Ending(
        text=draft.text,
        finish_reason=draft.finish_reason or "stop",
        usage=draft.usage,
        tool_calls=tool_calls or (),
        position=recorded.position,
    )


def _about(draft: Draft, conversation_id: str, escalation_id: str | None) -> dict[str, Any]:
    """What Understudy adds to an answer."""
    known = draft.dialogue.known
    with_agent = draft.dialogue.with_agent
    return {
        "conversation_id": conversation_id,
        "turn_id": draft.turn_id,
        "version": draft.version,
        "escalated": draft.escalated or with_agent or draft.taken_over,
        "escalation_id": known.escalation_id if known and with_agent else escalation_id,
        "reason": draft.reason,
        "status": draft.status,
    }


def _headers(draft: Draft, conversation_id: str) -> dict[str, str]:
    headers = {
        "x-understudy-conversation": conversation_id,
        "x-understudy-turn": draft.turn_id,
    }
    if draft.version:
        headers["x-understudy-version"] = draft.version
    return headers
