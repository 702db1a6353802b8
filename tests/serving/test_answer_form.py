"""An answer as OpenAI's chunks, and as the conversation API's events."""

from typing import Any

import orjson

from records.errors import StorageUnavailable
from serving.answer_form import ChunksForm, Ending, TurnForm
from serving.completion import Completion

ABOUT: dict[str, Any] = {
    "conversation_id": "conv_1",
    "turn_id": "turn_1",
    "version": "support-base",
    "escalated": False,
    "escalation_id": None,
    "reason": None,
    "status": "complete",
}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ENDING = Ending("Hi there", finish_reason="length", usage=USAGE, position=1)
CALLS = [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def chunks(*, include_usage: bool = False) -> ChunksForm:
    completion = Completion("chatcmpl-turn_1", "support", 7)
    return ChunksForm(completion, include_usage=include_usage)


def datas(stream: bytes) -> list[str]:
    return [block.split("data: ", 1)[1] for block in stream.decode().split("\n\n") if block]


def test_chunks_hold_the_role_the_words_and_the_end() -> None:
    form = chunks()
    stream = form.begin(ABOUT) + form.say("Hi ") + form.say("there") + form.end(ABOUT, ENDING)
    *pieces, done = datas(stream)
    bodies = [orjson.loads(piece) for piece in pieces]
    assert done == "[DONE]"
    deltas = [body["choices"][0]["delta"] for body in bodies]
    assert deltas == [
        {"role": "assistant", "content": ""}, {"content": "Hi "}, {"content": "there"}, {},
    ]  # fmt: skip
    assert bodies[-1]["choices"][0]["finish_reason"] == "length"
    assert bodies[0]["understudy"] == bodies[-1]["understudy"] == ABOUT
    assert {body["id"] for body in bodies} == {"chatcmpl-turn_1"}


def test_token_counts_come_only_where_they_are_asked_for() -> None:
    last = datas(chunks(include_usage=True).end(ABOUT, ENDING))[-2]
    assert orjson.loads(last)["usage"] == USAGE
    assert b"usage" not in chunks().end(ABOUT, ENDING)


def test_tool_calls_are_passed_on_in_chunks_and_whole() -> None:
    form = chunks()
    (piece,) = datas(form.tool_calls(CALLS))
    assert orjson.loads(piece)["choices"][0]["delta"] == {"tool_calls": CALLS}
    message = form.whole(ABOUT, Ending("", tool_calls=CALLS))["choices"][0]["message"]
    assert message == {"role": "assistant", "content": None, "tool_calls": CALLS}


def test_an_empty_answer_without_tools_is_an_empty_text() -> None:
    message = chunks().whole(ABOUT, Ending(""))["choices"][0]["message"]
    assert message == {"role": "assistant", "content": ""}


def test_chunks_that_fail_say_why_and_have_no_end_mark() -> None:
    (piece,) = datas(chunks().fail(StorageUnavailable("locked")))
    assert orjson.loads(piece)["error"]["code"] == "storage_unavailable"


def test_events_hold_the_words_and_then_the_recorded_turn() -> None:
    form = TurnForm()
    stream = form.begin(ABOUT) + form.say("Hi\n") + form.say("there") + form.end(ABOUT, ENDING)
    blocks = [block.split("\n") for block in stream.decode().strip().split("\n\n")]
    assert [block[0] for block in blocks] == [
        "event: begin", "event: token", "event: token", "event: turn",
    ]  # fmt: skip
    first, hi, there, turn = map(orjson.loads, datas(stream))
    assert first == {"conversation_id": "conv_1", "turn_id": "turn_1"}
    assert hi["text"] + there["text"] == "Hi\nthere"
    assert turn == form.whole(ABOUT, ENDING)
    assert (turn["id"], turn["position"], turn["content"]) == ("turn_1", 1, "Hi there")
    assert (turn["status"], turn["version"], turn["escalated"]) == (
        "complete",
        "support-base",
        False,
    )


def test_events_that_fail_end_with_an_error() -> None:
    made = TurnForm().fail(StorageUnavailable("locked"))
    assert made.startswith(b"event: error\n")
    assert orjson.loads(datas(made)[0])["error"]["code"] == "storage_unavailable"
