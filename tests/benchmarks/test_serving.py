"""The benchmarks' own tools: what they count must be right, and what is wrong must not count."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving import servers
from benchmarks.serving.client import Answer, check
from benchmarks.serving.load import Arrival, Plan, Result, measure
from benchmarks.serving.recorded import require_recorded
from benchmarks.serving.servers import Server
from benchmarks.serving.stub_engine import pieces_of, play, whole_text
from records.conversations import Arrival as Arriving
from records.conversations import receive
from records.database import Database

STREAM = (
    b'data: {"choices":[{"delta":{"content":"Good"},"finish_reason":null}]}\n\n'
    b": keep-alive\n\n"
    b'data: {"choices":[{"delta":{"content":" day"},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = servers.stub(tmp_path_factory.mktemp("stub"))
    with servers.running(server):
        yield server


def plan(stub: Server, *, stream: bool = False, text: str, arrival: Arrival = Arrival.LOOP) -> Plan:
    body = {"stream": stream, "messages": [], "stream_options": {"include_usage": True}}
    return Plan(
        stub.url, "key", [body], concurrency=4, seconds=0.2, warm_up_seconds=0.1, text=text,
        arrival=arrival,
    )  # fmt: skip


def checked(body: bytes, *, text: str | None = None) -> Answer:
    answer = Answer(0)
    check(answer, body, text=text)
    return answer


def test_whole_answers_are_counted(stub: Server) -> None:
    result = measure(plan(stub, text=whole_text()))
    assert result.failures == {}
    assert result.answers_in_all > result.answers > 0
    assert 0 < result.p50_ms <= result.p99_ms


@pytest.mark.parametrize("arrival", Arrival)
def test_streams_are_counted_with_every_chunk(stub: Server, arrival: Arrival) -> None:
    play(stub.url, chunks=40, pace_seconds=0.001)
    asked = plan(stub, stream=True, text="".join(pieces_of(40)), arrival=arrival)
    result = measure(asked)
    assert result.failures == {}
    assert result.chunks_per_answer == 40
    assert 1 <= result.first_text_p50_ms < result.p50_ms
    assert result.p50_ms >= 38  # 40 pieces, a millisecond apart; clocks are read a little apart
    assert result.tokens_per_second == pytest.approx(result.chunks_per_second)


def test_another_text_is_a_failure(stub: Server) -> None:
    result = measure(plan(stub, text="something else"))
    assert result.answers_in_all == 0
    assert set(result.failures) == {"another text"}


def test_a_server_that_is_not_there_is_a_failure() -> None:
    gone = Server("gone", (), f"http://127.0.0.1:{servers.free_port()}", "/", Path())
    result = measure(plan(gone, text="anything"))
    assert result.answers_in_all == 0
    assert result.failures


def test_a_stream_is_read_whole() -> None:
    answer = checked(STREAM, text="Good day")
    assert (answer.failure, answer.chunks, answer.tokens) == ("", 2, 2)


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (STREAM.replace(b"data: [DONE]\n\n", b""), "not complete"),
        (STREAM.replace(b'"stop"', b"null"), "not complete"),
        (STREAM.replace(b'"content":" day"', b'"content":""'), "another text"),
        (STREAM[:100], "not complete"),
        (b'{"error":{"message":"no"}}', "not readable"),
    ],
)
def test_what_is_not_whole_is_a_failure(body: bytes, failure: str) -> None:
    assert checked(body, text="Good day").failure.startswith(failure)


def test_a_missing_turn_stops_the_benchmark(sqlite: Database) -> None:
    server = Server(
        "gateway", (), "", "", Path(), environment={"UNDERSTUDY_DATABASE_URL": sqlite.url}
    )
    none = dict.fromkeys(Result.__dataclass_fields__, 0)
    seen = Result(**{**none, "answers_in_all": 1, "failures": {}})
    with sqlite.write() as session:
        receive(session, Arriving(assistant="support", conversation_id="conv_1", content="hello"))
    with pytest.raises(SystemExit, match=r"1 answers were seen.*0 turns of the assistant"):
        require_recorded(server, [seen])
