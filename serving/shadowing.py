"""Shadow traffic: another version answers a sample of the questions, and nobody sees its answers.

It takes what the engines have left: few questions at a time, none while they are half full, and a
question that finds no room to wait is dropped. Customers' answers wait for nothing here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.errors import EngineError, StorageError
from records.handoff import without_marker
from records.ids import utc_now
from records.tables import ShadowAnswer
from serving.dialogue import Dialogue
from serving.fleet import Fleet
from serving.recorder import Recorder
from serving.routing import Shadow, sampled
from serving.traffic import Traffic

_log = logging.getLogger("understudy.gateway")

_MOST_WAITING = 100


@dataclass(frozen=True, slots=True)
class _Question:
    """A turn that was answered, to be answered again."""

    shadow: Shadow
    dialogue: Dialogue
    turn_id: str


class Shadowing:
    """Asks shadow versions beside the customers' traffic and records what they say."""

    def __init__(
        self,
        fleet: Fleet,
        traffic: Traffic,
        recorder: Recorder,
        *,
        at_once: int,
        most_waiting: int = _MOST_WAITING,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Ask at most `at_once` questions at a time and keep at most `most_waiting` waiting."""
        self._fleet = fleet
        self._traffic = traffic
        self._recorder = recorder
        self._at_once = at_once
        self._waiting: asyncio.Queue[_Question] = asyncio.Queue(most_waiting)
        self._clock, self._now = clock, now
        self._working: list[asyncio.Task[None]] = []
        self.answered = 0
        """Answers (or why there is none) that were recorded, since the start of this process."""
        self.dropped = 0
        """Questions of the sample that were not asked, or whose answer was not recorded."""

    def start(self) -> None:
        """Begin to ask."""
        self._working = [
            asyncio.create_task(self._work(), name=f"shadow {i}") for i in range(self._at_once)
        ]

    async def stop(self) -> None:
        """End; what waits or is being asked is dropped."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def consider(self, dialogue: Dialogue, turn_id: str) -> None:
        """Take a question into the sample, perhaps. To be called when its answer is recorded.

        Only what a version answered is to be brought here: a fixed sentence compares with nothing.
        """
        shadow = self._traffic.shadow(dialogue.assistant.name)
        if shadow is None or not sampled(turn_id, shadow):
            return
        choice = dialogue.choice
        if dialogue.with_agent or choice.for_tester or choice.version == shadow.version:
            return
        try:
            self._waiting.put_nowait(_Question(shadow, dialogue, turn_id))
        except asyncio.QueueFull:
            self.dropped += 1

    async def _work(self) -> None:
        while True:
            question = await self._waiting.get()
            try:
                await self._answer(question)
            except StorageError as error:
                self.dropped += 1
                _log.warning("an answer of a shadow was not recorded: %s", error)
            except Exception:  # noqa: BLE001 - the loop's edge: shadows never end the gateway
                self.dropped += 1
                _log.exception("asking a shadow failed; going on")

    async def _answer(self, question: _Question) -> None:
        shadow = question.shadow
        wanted = self._traffic.shadow(question.dialogue.assistant.name)
        has_room = self._fleet.busy < self._fleet.capacity / 2
        if wanted != shadow or not has_room or not self._fleet.ready(shadow.version):
            self.dropped += 1
            return
        began = self._clock()
        try:
            completion = await self._fleet.chat(
                shadow.version,
                {**question.dialogue.engine_body, "logprobs": True},
                affinity=question.dialogue.conversation_id,
            )
            said = _said(completion, question.dialogue, now=self._now())
        except EngineError as error:
            said = {"content": "", "error": str(error)}
        said["duration_ms"] = (self._clock() - began) * 1000
        await self._recorder.write(
            partial(_record, shadow=shadow, turn_id=question.turn_id, said=said)
        )
        self.answered += 1


def _said(completion: Mapping[str, Any], dialogue: Dialogue, *, now: datetime) -> dict[str, Any]:
    """What a customer would have read, and what came with it."""
    choice = completion["choices"][0]
    usage = completion.get("usage") or {}
    text = (choice["message"].get("content") or "").replace("\x00", "")  # PostgreSQL keeps none
    handed_over, text = without_marker(text, marker=dialogue.assistant.handoff_marker)
    if handed_over:
        text = dialogue.assistant.handover_words(now, sentence=text)
    return {
        "content": text,
        "handed_over": handed_over,
        "finish_reason": choice.get("finish_reason"),
        "prompt_tokens": usage.get("prompt_tokens"),
        "completion_tokens": usage.get("completion_tokens"),
        "mean_logprob": _mean_logprob(choice.get("logprobs")),
    }


def _mean_logprob(logprobs: Mapping[str, Any] | None) -> float | None:
    found = [token["logprob"] for token in (logprobs or {}).get("content") or ()]
    return sum(found) / len(found) if found else None


def _record(session: Session, *, shadow: Shadow, turn_id: str, said: Mapping[str, Any]) -> None:
    known = select(ShadowAnswer.id).where(
        ShadowAnswer.shadow_id == shadow.id, ShadowAnswer.turn_id == turn_id
    )
    if session.scalar(known) is None:
        session.add(
            ShadowAnswer(shadow_id=shadow.id, turn_id=turn_id, version=shadow.version, **said)
        )
        session.flush()
