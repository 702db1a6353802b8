"""Asking the engines: bounded concurrency, shared work, retries, and nothing asked twice.

Every answer is committed before it counts as done; answers that arrive during a commit are
written together by the next one.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from evaluation.answers import REFUSED, Answer, Question, cached, keep, read_answer
from records.database import Database
from records.engine import Engine
from records.errors import EngineError, EngineRefused, EngineUnavailable

CONCURRENCY = 16
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the asking of one version is; the rate counts answers asked for now.

    How long it takes is known once as many have come as are asked at once: the first ones wait
    for the engine to warm up.
    """

    version: str
    done: int
    total: int
    answers_per_second: float
    seconds_left: float | None


OnProgress = Callable[[Progress], None]
Prepare = Callable[[Engine], Awaitable[None]]
"""Makes an engine ready to answer, or raises the reason why it can't."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How engines are asked: requests at a time on each, and pauses before each new try."""

    concurrency: int = CONCURRENCY
    pauses_seconds: tuple[float, ...] = (0.5, 1, 2, 4, 8, 16)


async def ask(
    database: Database,
    engines: Sequence[Engine],
    *,
    version: str,
    questions: Sequence[Question],
    prepare: Prepare,
    on_progress: OnProgress,
    manner: Manner | None = None,
) -> dict[str, Answer]:
    """A version's answer to each question, by case id; known ones come from the cache.

    A question that the engine refuses by itself (400: too long) gets an empty answer with the
    finish reason `refused`.

    Raises:
        EngineUnavailable: no engine could answer; what was answered until then is kept.
        EngineRefused: every question was refused.
        AdapterError: from `prepare`: the version must not be served.
    """
    found = await asyncio.to_thread(cached, database, questions)
    run = _Run(
        database,
        version=version,
        manner=manner or Manner(),
        prepare=prepare,
        on_progress=on_progress,
        pending=deque(q for q in questions if q.case_id not in found),
        answers=found,
    )
    return await run.answer_all(engines)


@dataclass(slots=True)
class _Run:
    """The state of one `ask`."""

    database: Database
    version: str
    manner: Manner
    prepare: Prepare
    on_progress: OnProgress
    pending: deque[Question]
    answers: dict[str, Answer]
    refusals: list[EngineRefused] = field(default_factory=list)
    failure: EngineError | None = None
    total: int = 0
    already: int = 0
    started: float = 0.0
    _fresh: list[tuple[Question, Answer]] = field(default_factory=list)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def answer_all(self, engines: Sequence[Engine]) -> dict[str, Answer]:
        """Rounds over all engines that are ready, as long as each round answers something."""
        self.already = len(self.answers)
        self.total = self.already + len(self.pending)
        self.started = time.monotonic()
        self._tell()
        while self.pending:
            left = len(self.pending)
            ready = [engine for engine in engines if await self._ready(engine)]
            await _together([self._work(e) for e in ready for _ in range(self.manner.concurrency)])
            if len(self.pending) >= left:
                raise self._gave_up() from self.failure
        if self.refusals and len(self.refusals) == self.total:
            raise self.refusals[0]
        return self.answers

    async def _ready(self, engine: Engine) -> bool:
        try:
            await self.prepare(engine)
        except EngineError as error:
            self.failure = error
            return False
        return True

    async def _work(self, engine: Engine) -> None:
        """Take questions until none is left or this engine has failed for good."""
        while self.pending:
            question = self.pending.popleft()
            try:
                answer = await self._answer(engine, question)
            except EngineError as error:
                self.failure = error
                self.pending.append(question)
                return
            except asyncio.CancelledError:
                self.pending.append(question)
                raise
            if answer.finish_reason != REFUSED:
                await self._keep(question, answer)
            self.answers[question.case_id] = answer
            self._tell()

    async def _answer(self, engine: Engine, question: Question) -> Answer:
        for pause in (*self.manner.pauses_seconds, None):
            began = time.monotonic()
            try:
                response = await engine.chat(question.body)
                return read_answer(response, duration_ms=1000 * (time.monotonic() - began))
            except EngineUnavailable:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            except EngineRefused as error:
                if error.status == _NOT_FOUND:  # restarted without its adapters: prepare it anew
                    raise
                self.refusals.append(error)
                return Answer("", finish_reason=REFUSED)
            except (KeyError, IndexError, TypeError) as error:
                raise EngineUnavailable(
                    f"{engine.url} does not answer in OpenAI's form."
                ) from error
        raise AssertionError("the last pause is None")

    async def _keep(self, question: Question, answer: Answer) -> None:
        self._fresh.append((question, answer))
        async with self._writing:
            batch, self._fresh = self._fresh, []
            if batch:
                await asyncio.to_thread(keep, self.database, batch)

    def _tell(self) -> None:
        fresh = len(self.answers) - self.already
        seconds = time.monotonic() - self.started
        rate = fresh / seconds if fresh and seconds > 0 else 0.0
        left = self.total - len(self.answers)
        is_known = fresh >= min(self.manner.concurrency, self.total - self.already)
        done = Progress(
            self.version,
            done=len(self.answers),
            total=self.total,
            answers_per_second=rate,
            seconds_left=(left / rate if rate and is_known else None) if left else 0.0,
        )
        self.on_progress(done)

    def _gave_up(self) -> EngineUnavailable:
        reason = str(self.failure or "There is no engine to ask").rstrip(".")
        return EngineUnavailable(
            f"{reason}. {len(self.answers)} of {self.total} "
            f"answers of {self.version} are kept: start the engine (`understudy engine`, or "
            "`understudy up` for everything) and run the same command again to go on."
        )


async def _together(work: Sequence[Awaitable[None]]) -> None:
    """Run all at once; the first error ends the others and is raised."""
    tasks = [asyncio.ensure_future(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
