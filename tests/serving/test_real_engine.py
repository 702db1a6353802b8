"""The gateway before the real vLLM: answers, proofs, refusals, and switching under load."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from openai import BadRequestError
from sqlalchemy import select

from records.adapters import WEIGHTS
from records.artifacts import Artifacts
from records.database import Database
from records.engine import Engine
from records.errors import AdapterNotApplied, AdapterTampered, AdapterUnservable
from records.messages import Role
from records.proof import Servable, load_and_prove, prove
from records.tables import Audit
from serving.gateway import base_of
from tests.real_engine import RealEngine
from tests.serving.peft_adapter import publish_random_adapter
from tests.serving.running_gateway import Stack, running, until
from tests.stub_engine import add_version

pytestmark = [pytest.mark.alone, pytest.mark.filterwarnings("ignore")]


@pytest_asyncio.fixture
async def live(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, real_engine: RealEngine
) -> AsyncIterator[Stack]:
    async with running(
        tmp_path,
        database=sqlite,
        artifacts=artifacts,
        assistant=real_engine.assistant,
        engine=real_engine,  # type: ignore[arg-type] - only its URL is used
        silence_seconds=30,
    ) as gateway:
        yield gateway


def servable(engine: RealEngine) -> Servable:
    return base_of(engine.assistant).servable


async def test_an_adapter_is_loaded_and_proved(
    artifacts: Artifacts, real_engine: RealEngine
) -> None:
    name = publish_random_adapter(artifacts, real_engine.assistant, seed=1)
    async with Engine(real_engine.url) as engine:
        proof = await load_and_prove(
            engine, artifacts.fetch(f"adapters/{name}"), servable(real_engine)
        )
        assert proof.to_adapter < 0.001
        assert proof.to_base > 0.1
        base = real_engine.assistant.base_version
        from records.adapters import read_manifest

        with pytest.raises(AdapterNotApplied):
            await prove(engine, base, read_manifest(artifacts.fetch(f"adapters/{name}")))


async def test_a_wrong_base_or_a_changed_byte_never_reaches_the_engine(
    artifacts: Artifacts, real_engine: RealEngine
) -> None:
    wrong = publish_random_adapter(
        artifacts, real_engine.assistant, seed=2, manifest={"base_hash": "0" * 64}
    )
    changed = publish_random_adapter(artifacts, real_engine.assistant, seed=3)
    file = artifacts.fetch(f"adapters/{changed}") / WEIGHTS
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    async with Engine(real_engine.url) as engine:
        for name, kind in ((wrong, AdapterUnservable), (changed, AdapterTampered)):
            with pytest.raises(kind):
                await load_and_prove(
                    engine, artifacts.fetch(f"adapters/{name}"), servable(real_engine)
                )
            assert name not in await engine.models()


async def test_answers_streamed_or_not_are_the_same_and_recorded(live: Stack) -> None:
    messages = [{"role": "user", "content": "My card has not arrived"}]
    whole = await live.openai.chat.completions.create(model="support", messages=messages)
    stream = await live.openai.chat.completions.create(
        model="support", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    chunks = [c async for c in stream]
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == whole.choices[0].message.content
    first, second = live.turns(role=Role.ASSISTANT)
    assert first.content == second.content == said
    assert first.mean_logprob == pytest.approx(second.mean_logprob, abs=1e-3)
    assert first.completion_tokens == second.completion_tokens == chunks[-1].usage.completion_tokens
    assert second.first_token_ms is not None


async def test_an_over_long_prompt_is_named_as_such(live: Stack) -> None:
    long = [{"role": "user", "content": "card " * 3000}]
    for stream in (False, True):
        with pytest.raises(BadRequestError) as refused:
            await live.openai.chat.completions.create(model="support", messages=long, stream=stream)
        assert refused.value.code == "context_length_exceeded"


async def test_switching_under_load_fails_nothing_and_records_who_answered(live: Stack) -> None:
    version = add_version(
        live.database,
        live.assistant,
        publish_random_adapter(live.artifacts, live.assistant, seed=4),
    )
    question = [{"role": "user", "content": "How do I change my PIN?"}]
    answered: list[tuple[str, str]] = []
    stopping = asyncio.Event()

    async def customer() -> None:
        while not stopping.is_set():
            stream = await live.openai.chat.completions.create(
                model="support", messages=question, stream=True, max_tokens=12
            )
            chunks = [c async for c in stream]
            said = "".join(c.choices[0].delta.content or "" for c in chunks)
            answered.append((chunks[-1].model_extra["understudy"]["version"], said))

    async def served_by(wanted: str) -> None:
        before = len(answered)
        await until(lambda: sum(v == wanted for v, _ in answered[before:]) >= 40, seconds=90)

    customers = [asyncio.create_task(customer()) for _ in range(8)]
    await served_by("support-base")
    assert (await live.admin("POST", "promote", version=version, without_evidence=True))[
        "status"
    ] == 200
    await served_by(version)
    await live.admin("POST", "rollback")
    await served_by("support-base")
    stopping.set()
    await asyncio.gather(*customers)
    sayings = {v: {said for w, said in answered if w == v} for v, _ in answered}
    counts = {v: sum(w == v for w, _ in answered) for v in sayings}
    print(f"answers by recorded version: {counts}, failed: {len(live.escalations())}")
    assert set(sayings) == {"support-base", version}
    assert not sayings["support-base"] & sayings[version]
    assert live.escalations() == []
    with live.database.read() as session:
        assert "refuse_version" not in session.scalars(select(Audit.action)).all()


async def test_the_base_stays_itself_in_a_batch_with_adapters(
    artifacts: Artifacts, real_engine: RealEngine
) -> None:
    assistant = real_engine.assistant
    body = {
        "messages": [{"role": "user", "content": "How do I change my PIN?"}],
        "max_tokens": 24,
        "temperature": 0,
    }

    async with Engine(real_engine.url) as engine:

        async def said(model: str) -> str:
            answer = await engine.chat({**body, "model": model})
            return str(answer["choices"][0]["message"]["content"])

        adapters = [
            publish_random_adapter(artifacts, assistant, seed=seed)
            for seed in range(10, 10 + assistant.engine.max_loras)
        ]
        for name in adapters:
            await engine.load(name, artifacts.fetch(f"adapters/{name}"))
        names = [assistant.base_version, *adapters]
        alone = {name: await said(name) for name in names}
        assert len(set(alone.values())) == len(names)
        for _ in range(3):
            together = await asyncio.gather(*(said(name) for name in names * 4))
            assert [alone[name] for name in names * 4] == together


async def test_leaving_cancels_the_generation(live: Stack) -> None:
    stream = await live.openai.chat.completions.create(
        model="support", messages=[{"role": "user", "content": "hello"}], stream=True,
        max_tokens=400, extra_body={"ignore_eos": True},
    )  # fmt: skip
    await stream.__anext__()
    await stream.close()
    (turn,) = await until(lambda: live.turns(role=Role.ASSISTANT))
    assert turn.status == "abandoned"
