"""Asking engines over HTTP: the cache, resuming, bounds, sharing, and clear failures."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from evaluation.answers import Answer, Question, cached, question
from evaluation.asking import Manner, Progress, ask
from evaluation.cases import Case
from records.assistant import Assistant, Generation
from records.database import Database
from records.engine import Engine
from records.errors import EngineRefused, EngineUnavailable
from tests.evaluation.build import case_file, many_lines
from tests.evaluation.conftest import StartEngine
from tests.evaluation.engine import DisturbedEngine, failing
from tests.stub_engine import LOGPROB

AT_ONCE = Manner(concurrency=4, pauses_seconds=())
CASES = case_file(many_lines(12)).cases
VERSION = "support-base"


async def ready(engine: Engine) -> None:
    await engine.models()


@dataclass
class Asker:
    """Asks all cases with the same settings, and keeps what was told of it."""

    database: Database
    assistant: Assistant
    cases: Sequence[Case] = CASES
    progress: list[Progress] = field(default_factory=list)

    def questions(self) -> list[Question]:
        return [question(case, self.assistant, version=VERSION) for case in self.cases]

    async def ask(self, *stubs: DisturbedEngine, manner: Manner = AT_ONCE) -> dict[str, Answer]:
        async with AsyncExitStack() as stack:
            return await ask(
                self.database,
                [await stack.enter_async_context(Engine(stub.url)) for stub in stubs],
                version=VERSION,
                questions=self.questions(),
                prepare=ready,
                on_progress=self.progress.append,
                manner=manner,
            )


@pytest.fixture
def asker(sqlite: Database, assistant: Assistant) -> Asker:
    return Asker(sqlite, assistant)


async def test_every_case_gets_its_answer_and_none_is_asked_again(
    database: Database, assistant: Assistant, start_engine: StartEngine
) -> None:
    asker, stub = Asker(database, assistant), await start_engine()
    answers = await asker.ask(stub)
    for case in CASES:
        answer = answers[case.id]
        assert answer.content == f"support-base answers: {case.messages[-1].content}"
        assert answer.mean_logprob == LOGPROB
        assert answer.finish_reason == "stop"
        assert answer.duration_ms is not None
    assert await asker.ask(stub) == answers
    assert len(stub.asked) == len(CASES)


async def test_the_engine_is_asked_as_customers_ask_it(
    asker: Asker, start_engine: StartEngine
) -> None:
    stub = await start_engine()
    await asker.ask(stub)
    body = stub.requests[0]
    assert body["messages"][0] == {"role": "system", "content": asker.assistant.system_prompt}
    assert (body["max_tokens"], body["temperature"], body["logprobs"]) == (256, 0.0, True)


async def test_another_prompt_or_sampling_is_another_question(
    asker: Asker, start_engine: StartEngine
) -> None:
    stub = await start_engine()
    await asker.ask(stub)
    for change in ({"system_prompt": "Be brief."}, {"generation": Generation(temperature=0.7)}):
        asker.assistant = asker.assistant.model_copy(update=change)
        assert cached(asker.database, asker.questions()) == {}
    await asker.ask(stub)
    assert len(stub.asked) == 2 * len(CASES)


async def test_requests_at_a_time_reach_the_bound_and_never_pass_it(
    asker: Asker, start_engine: StartEngine
) -> None:
    four = asyncio.Barrier(4)

    async def wait_for_four(_: str) -> None:
        await four.wait()

    stub = await start_engine(disturb=wait_for_four)
    await asker.ask(stub)
    assert stub.most_in_flight == 4


async def test_engines_share_the_work(asker: Asker, start_engine: StartEngine) -> None:
    both = asyncio.Barrier(8)  # only together do they have eight requests under way

    async def wait_for_both(_: str) -> None:
        await both.wait()

    asker.cases = CASES[:8]
    stubs = [await start_engine(disturb=wait_for_both) for _ in range(2)]
    await asker.ask(*stubs)
    assert [len(stub.asked) for stub in stubs] == [4, 4]


async def test_a_passing_failure_is_tried_again(asker: Asker, start_engine: StartEngine) -> None:
    failures = iter([failing(), None, failing()])

    async def sometimes(_: str) -> web.Response | None:
        return next(failures, None)

    stub = await start_engine(disturb=sometimes)
    answers = await asker.ask(stub, manner=Manner(concurrency=4, pauses_seconds=(0, 0)))
    assert len(answers) == len(CASES)
    assert len(stub.asked) == len(CASES) + 2


async def test_a_run_that_failed_goes_on_where_it_stopped(
    asker: Asker, start_engine: StartEngine
) -> None:
    async def after_five(_: str) -> web.Response | None:
        return None if len(stub.asked) <= 5 else failing()

    stub = await start_engine(disturb=after_five)
    with pytest.raises(EngineUnavailable, match=r"out of memory\. 5 of 12 answers .* are kept"):
        await asker.ask(stub, manner=Manner(concurrency=1, pauses_seconds=()))
    answered = set(stub.asked[:5])
    stub.disturb = None
    stub.asked.clear()
    await asker.ask(stub)
    assert len(stub.asked) == 7
    assert not answered & set(stub.asked)


async def test_a_run_that_was_cut_off_keeps_what_was_answered(
    asker: Asker, start_engine: StartEngine
) -> None:
    stuck, end = asyncio.Event(), asyncio.Event()

    async def stick_after_six(_: str) -> None:
        if len(stub.asked) > 6:
            stuck.set()
            await end.wait()

    stub = await start_engine(disturb=stick_after_six)
    running = asyncio.create_task(asker.ask(stub, manner=Manner(concurrency=1)))
    await stuck.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    end.set()
    assert len(cached(asker.database, asker.questions())) == 6


async def test_a_failing_engine_leaves_its_work_to_the_other(
    asker: Asker, start_engine: StartEngine
) -> None:
    async def always(_: str) -> web.Response:
        return failing()

    answers = await asker.ask(await start_engine(disturb=always), await start_engine())
    assert len(answers) == len(CASES)


async def test_an_engine_that_is_down_is_said_to_be_down(asker: Asker) -> None:
    down = DisturbedEngine()
    await down.start()
    await down.stop()
    with pytest.raises(EngineUnavailable, match=r"does not answer.*0 of 12.*understudy engine"):
        await asker.ask(down)


async def test_an_engine_that_lost_the_version_is_made_ready_again(
    asker: Asker, start_engine: StartEngine
) -> None:
    async def forget(_: str) -> None:
        if len(stub.asked) == 5:
            stub.bases.clear()

    async def prepare(_: Engine) -> None:
        prepared.append(len(stub.asked))
        stub.bases = [VERSION]

    prepared: list[int] = []
    stub = await start_engine(disturb=forget)
    async with AsyncExitStack() as stack:
        answers = await ask(
            asker.database,
            [await stack.enter_async_context(Engine(stub.url))],
            version=VERSION,
            questions=asker.questions(),
            prepare=prepare,
            on_progress=asker.progress.append,
            manner=Manner(concurrency=1, pauses_seconds=()),
        )
    assert len(answers) == len(CASES)
    assert prepared == [0, 5]


async def test_a_prompt_that_the_engine_refuses_is_an_empty_answer(
    asker: Asker, start_engine: StartEngine
) -> None:
    async def refuse_one(asked: str) -> web.Response | None:
        if asked.startswith("Question 3 "):
            return failing("too long", status=400)
        return None

    answers = await asker.ask(await start_engine(disturb=refuse_one))
    refused = [answer for answer in answers.values() if answer.finish_reason == "refused"]
    assert [answer.content for answer in refused] == [""]


async def test_when_every_prompt_is_refused_the_reason_is_raised(
    asker: Asker, start_engine: StartEngine
) -> None:
    async def refuse(_: str) -> web.Response:
        return failing("max_tokens is too large", status=400)

    with pytest.raises(EngineRefused, match="max_tokens"):
        await asker.ask(await start_engine(disturb=refuse))


async def test_progress_counts_up_to_all_with_rate_and_time_left(
    asker: Asker, start_engine: StartEngine
) -> None:
    await asker.ask(await start_engine())
    assert [told.done for told in asker.progress] == list(range(13))
    assert all(told.total == 12 for told in asker.progress)
    assert asker.progress[0].seconds_left is None
    known = [told.seconds_left is not None for told in asker.progress]
    assert known == [False] * AT_ONCE.concurrency + [True] * (13 - AT_ONCE.concurrency)
    assert asker.progress[6].answers_per_second > 0
    assert asker.progress[-1].seconds_left == 0


async def test_no_cases_are_answered_at_once(asker: Asker) -> None:
    asker.cases = []
    assert await asker.ask() == {}
