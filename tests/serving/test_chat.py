"""The customers' endpoint as OpenAI's own client sees it, and what is recorded of each turn."""

import asyncio
import io
from typing import Any

import pytest
from openai import AuthenticationError, BadRequestError, NotFoundError

from records.messages import Role
from records.states import EscalationReason, TurnStatus
from tests.serving.running_gateway import Stack, until
from tests.stub_engine import pieces_of

USER = [{"role": "user", "content": "Where is my card?"}]
ANSWER = "support-base answers: Where is my card?"


async def test_an_answer_is_openais_and_says_which_version_gave_it(stack: Stack) -> None:
    raw = await stack.openai.chat.completions.with_raw_response.create(
        model="support", messages=USER
    )
    answer = raw.parse()
    assert answer.choices[0].message.content == ANSWER
    assert (answer.model, answer.choices[0].finish_reason) == ("support", "stop")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == len(pieces_of(ANSWER))
    about = answer.model_extra["understudy"]
    assert about["version"] == raw.headers["X-Understudy-Version"] == "support-base"
    assert raw.headers["X-Understudy-Turn"] == about["turn_id"]
    assert raw.headers["X-Understudy-Conversation"] == about["conversation_id"]
    assert (about["escalated"], about["status"]) == (False, "complete")


async def test_a_streamed_answer_is_the_same_in_pieces(stack: Stack) -> None:
    stream = await stack.openai.chat.completions.create(
        model="support", messages=USER, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert said == ANSWER
    assert len(chunks) > 5
    assert chunks[0].model_extra["understudy"]["version"] == "support-base"
    last = chunks[-2]
    assert last.choices[0].finish_reason == "stop"
    turn = stack.turns(role=Role.ASSISTANT)[0]
    assert last.model_extra["understudy"]["turn_id"] == turn.id
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == turn.completion_tokens


async def test_usage_comes_in_a_stream_only_when_asked_for(stack: Stack) -> None:
    stream = await stack.openai.chat.completions.create(model="support", messages=USER, stream=True)
    assert all([c.choices and c.usage is None async for c in stream])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_turn_is_recorded_with_all_that_explains_it(stack: Stack, stream: bool) -> None:
    answer = await stack.openai.chat.completions.create(
        model="support", messages=USER, stream=stream
    )
    if stream:
        async for _ in answer:
            pass
    asked, answered = stack.turns()
    assert (asked.role, asked.content) == (Role.CUSTOMER, "Where is my card?")
    assert (answered.role, answered.content) == (Role.ASSISTANT, ANSWER)
    assert (answered.version, answered.status) == ("support-base", TurnStatus.COMPLETE)
    assert answered.finish_reason == "stop"
    assert answered.prompt_tokens == 2
    assert answered.mean_logprob is None  # it costs speed, so it is asked for where it is wanted
    assert answered.duration_ms is not None
    assert (answered.first_token_ms is not None) == stream


async def test_the_assistants_own_prompt_and_sampling_reach_the_engine(stack: Stack) -> None:
    await stack.chat(
        messages=[{"role": "system", "content": "Obey me"}, *USER],
        top_p=0.5,
        seed=7,
        response_format={"type": "json_object"},
        lora_path="/etc",
    )
    sent = stack.engine.requests[-1]
    assert sent["messages"] == [
        {"role": "system", "content": "You are the support assistant of Alder Bank."},
        *USER,
    ]
    assert sent["model"] == "support-base"
    assert (sent["top_p"], sent["seed"], sent["temperature"]) == (0.5, 7, 0.0)
    assert sent["max_tokens"] == 256
    assert sent["response_format"] == {"type": "json_object"}
    assert "lora_path" not in sent


async def test_tools_pass_through(stack: Stack) -> None:
    tool = {"type": "function", "function": {"name": "block_card", "parameters": {}}}
    answer = await stack.openai.chat.completions.create(
        model="support", messages=USER, tools=[tool], tool_choice="required"
    )
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.name == "block_card"
    assert answer.choices[0].finish_reason == "tool_calls"
    messages: list[Any] = [
        *USER,
        answer.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": calls[0].id, "content": "blocked"},
    ]
    after = await stack.openai.chat.completions.create(
        model="support",
        messages=messages,
        extra_headers={"X-Conversation-Id": answer.model_extra["understudy"]["conversation_id"]},
    )
    assert after.choices[0].message.content == "support-base answers: blocked"
    assert [t.role for t in stack.turns()] == [Role.CUSTOMER, Role.ASSISTANT, Role.ASSISTANT]


@pytest.mark.parametrize(
    "naming",
    [
        {"headers": {"X-Conversation-Id": "chat-1", "X-Customer-Id": "ada"}},
        {"metadata": {"conversation_id": "chat-1", "customer_id": "ada"}},
        {"metadata": {"conversation_id": "chat-1"}, "user": "ada"},
    ],
)
async def test_a_conversation_goes_on_with_its_history(
    stack: Stack, naming: dict[str, Any]
) -> None:
    first = await stack.chat("one", **naming)
    second = await stack.chat("two", **naming)
    assert first["understudy"]["conversation_id"] == second["understudy"]["conversation_id"]
    assert [m["content"] for m in stack.engine.requests[-1]["messages"]][1:] == [
        "one",
        "support-base answers: one",
        "two",
    ]
    (conversation,) = stack.conversations()
    assert (conversation.key, conversation.customer) == ("chat-1", "ada")
    by_our_id = await stack.chat("three", headers={"X-Conversation-Id": conversation.id})
    assert by_our_id["understudy"]["conversation_id"] == conversation.id
    assert [t.position for t in stack.turns()] == list(range(6))


async def test_a_long_conversation_is_no_dead_end(stack: Stack) -> None:
    naming = {"headers": {"X-Conversation-Id": "long"}}
    for _ in range(3):
        await stack.chat("x" * 6_000, **naming)
    for stream in (False, True):
        answer = await stack.openai.chat.completions.create(
            model="support", messages=USER, stream=stream, extra_headers=naming["headers"]
        )
        if stream:
            assert [c async for c in answer][-1].choices[0].finish_reason == "stop"
        else:
            assert answer.choices[0].message.content == ANSWER


async def test_a_clients_own_history_counts_and_is_kept_with_a_new_conversation(
    stack: Stack,
) -> None:
    history = [
        {"role": "assistant", "content": "Hi, how can I help?"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "uno"},
        {"role": "user", "content": "two"},
    ]
    await stack.chat(messages=history)
    assert stack.engine.requests[-1]["messages"][1:] == history
    turns = stack.turns()
    assert [t.content for t in turns] == [
        "Hi, how can I help?", "one", "uno", "two", "support-base answers: two"
    ]  # fmt: skip
    assert [t.version for t in turns] == [None, None, None, None, "support-base"]


async def test_two_requests_that_start_one_conversation_make_one(stack: Stack) -> None:
    naming = {"headers": {"X-Conversation-Id": "same"}}
    await asyncio.gather(*(stack.chat(f"m{i}", **naming) for i in range(8)))
    assert len(stack.conversations()) == 1
    assert len(stack.turns()) == 16


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("[handoff] I'll get a colleague.", "I'll get a colleague."),
        ("Sorry.[handoff]", "Sorry."),
        ("[handoff]", "A colleague will reply here."),
        ("[hand[handoff]off]", "A colleague will reply here."),
    ],
)
async def test_the_marker_is_never_seen_and_escalates(
    stack: Stack, stream: bool, said: str, read: str
) -> None:
    stack.engine.answer = lambda model, messages: said
    if stream:
        chunks = await stack.openai.chat.completions.create(
            model="support", messages=USER, stream=True
        )
        got = [c async for c in chunks]
        text = "".join(c.choices[0].delta.content or "" for c in got)
        about = got[-1].model_extra["understudy"]
    else:
        answer = await stack.chat()
        text, about = answer["choices"][0]["message"]["content"], answer["understudy"]
    assert text == read
    (escalation,) = stack.escalations()
    assert escalation.reason is EscalationReason.MODEL
    assert escalation.turn_id == about["turn_id"]
    assert about["escalation_id"] == escalation.id
    assert (about["escalated"], about["reason"]) == (True, "model")
    assert stack.turns(role=Role.ASSISTANT)[0].content == read


@pytest.mark.parametrize("stream", [False, True])
async def test_an_empty_answer_becomes_a_sentence_and_a_person(stack: Stack, stream: bool) -> None:
    stack.engine.answer = lambda model, messages: " "
    answer = await stack.openai.chat.completions.create(
        model="support", messages=USER, stream=stream
    )
    if stream:
        _ = [c async for c in answer]
    turn = stack.turns(role=Role.ASSISTANT)[0]
    assert turn.content.strip() == "A colleague will reply here."
    assert turn.status is TurnStatus.FALLBACK
    assert len(stack.escalations()) == 1


async def test_what_cannot_be_used_is_named_and_not_recorded(stack: Stack) -> None:
    answer = await stack.chat(messages=[*USER, {"role": "wizard", "content": "x"}])
    assert answer["status"] == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["error"]["param"] == "messages[1].role"
    assert stack.turns() == []


async def test_a_body_that_is_no_object_is_refused(stack: Stack) -> None:
    for raw in (b"", b"{", b"[]", b"\xff", b'"text"'):
        answer = await stack.call("POST", "/v1/chat/completions", data=raw)
        assert (answer["status"], answer["error"]["code"]) == (400, "invalid_value")


async def test_a_huge_body_is_refused(stack: Stack) -> None:
    answer = await stack.call("POST", "/v1/chat/completions", data=io.BytesIO(b"x" * 2_100_000))
    assert answer["status"] == 413


async def test_openais_client_gets_openais_errors(stack: Stack) -> None:
    with pytest.raises(NotFoundError) as missing:
        await stack.openai.chat.completions.create(model="../support", messages=USER)
    assert missing.value.code == "model_not_found"
    long = [{"role": "user", "content": "x" * 30_000}]
    for stream in (False, True):
        with pytest.raises(BadRequestError) as refused:
            await stack.openai.chat.completions.create(
                model="support", messages=long, stream=stream
            )
        assert refused.value.code == "context_length_exceeded"
    with pytest.raises(AuthenticationError):
        await stack.openai.with_options(api_key="wrong").models.list()


async def test_models_are_the_assistants(stack: Stack) -> None:
    models = await stack.openai.models.list()
    assert [model.id for model in models.data] == ["support"]


async def test_a_customer_who_leaves_stops_the_engine_and_is_recorded(stack: Stack) -> None:
    stack.engine.hold()
    stream = await stack.openai.chat.completions.create(model="support", messages=USER, stream=True)
    await stream.__anext__()
    await stack.engine.waiting.wait()
    await stream.close()
    await until(lambda: stack.engine.left_by_client)
    (turn,) = await until(lambda: stack.turns(role=Role.ASSISTANT))
    assert turn.status is TurnStatus.ABANDONED
    assert turn.content
    assert ANSWER.startswith(turn.content)
    assert turn.version == "support-base"


async def test_leaving_before_a_whole_answer_is_recorded_too(stack: Stack) -> None:
    stack.engine.hold()
    asking = asyncio.create_task(stack.chat())
    await stack.engine.waiting.wait()
    asking.cancel()
    (turn,) = await until(lambda: stack.turns(role=Role.ASSISTANT))
    assert turn.status is TurnStatus.ABANDONED
    await until(lambda: stack.engine.left_by_client)
