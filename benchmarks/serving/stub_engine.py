"""A stub of vLLM's server that costs next to nothing, so that what stands before it is measured.

It sends what vLLM 0.32 sends, field by field: health, models, chat whole or streamed, with
log-probabilities and usage where they are asked for. The answer is always the same.
Usage: python -m benchmarks.serving.stub_engine PORT
"""

import asyncio
import sys
import urllib.request
from typing import Any, cast

import httptools
import orjson
import uvloop

MODEL = "support-base"
_WORDS = (
    "Standard", " delivery", " takes", " five", " to", " seven", " working", " days", ".",
    " Express", " courier", " arrives", " within", " two", ".", " Your", " PIN", " follows", " by",
    " separate", " letter", ",", " once", " the", " card", " is", " on", " its", " way", ".",
)  # fmt: skip
_LENGTH_OF_WHOLE = 30
_PROMPT_TOKENS = 20
_CREATED = 1_795_510_425


def pieces_of(length: int) -> list[str]:
    """The answer of `length` tokens, token by token."""
    return [_WORDS[index % len(_WORDS)] for index in range(length)]


def whole_text() -> str:
    """What an answer that is not streamed says."""
    return "".join(pieces_of(_LENGTH_OF_WHOLE))


class Script:
    """The bytes of every answer, made once."""

    def __init__(self, *, chunks: int = 200, pace_seconds: float = 0) -> None:
        """Streams have `chunks` pieces of text, one each `pace_seconds` (0: at once)."""
        self.pace_seconds = pace_seconds
        models = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
        self.found = {b"/health": _response(b""), b"/v1/models": _response(orjson.dumps(models))}
        self.missing = _response(b'{"error":{"message":"Not Found"}}', status=b"404 Not Found")
        self.whole = {logprobs: _whole(logprobs=logprobs) for logprobs in (False, True)}
        self.streams = {
            (logprobs, usage): _stream(chunks, logprobs=logprobs, usage=usage)
            for logprobs in (False, True)
            for usage in (False, True)
        }


def _response(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _logprobs(pieces: list[str]) -> dict[str, Any]:
    return {
        "content": [
            {"token": p, "logprob": -0.061125, "bytes": list(p.encode()), "top_logprobs": []}
            for p in pieces
        ]
    }


def _usage(completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": _PROMPT_TOKENS,
        "total_tokens": _PROMPT_TOKENS + completion_tokens,
        "completion_tokens": completion_tokens,
    }


def _whole(*, logprobs: bool) -> bytes:
    pieces = pieces_of(_LENGTH_OF_WHOLE)
    choice = {
        "index": 0,
        "message": {
            "role": "assistant", "content": whole_text(), "refusal": None, "annotations": None,
            "audio": None, "function_call": None, "reasoning": None,
        },
        "logprobs": _logprobs(pieces) if logprobs else None,
        "finish_reason": "stop", "stop_reason": None, "token_ids": None,
    }  # fmt: skip
    body = {
        "id": "chatcmpl-ae070d34ee0da003", "object": "chat.completion", "created": _CREATED,
        "model": MODEL, "choices": [choice], "service_tier": None, "system_fingerprint": "stub",
        "usage": _usage(len(pieces)), "prompt_logprobs": None, "prompt_token_ids": None,
        "kv_transfer_params": None,
    }  # fmt: skip
    return _response(orjson.dumps(body))


def _stream(chunks: int, *, logprobs: bool, usage: bool) -> list[bytes]:
    """What to send at each beat; the first also brings the headers and the role."""
    pieces = pieces_of(chunks)
    beats = [
        _event(
            {"content": piece},
            logprobs=_logprobs([piece]) if logprobs else None,
            finish_reason="stop" if index == chunks - 1 else None,
        )
        for index, piece in enumerate(pieces)
    ]
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )
    beats[0] = head + _event({"role": "assistant", "content": ""}) + beats[0]
    if usage:
        beats[-1] += _framed({"choices": [], "usage": _usage(chunks)})
    beats[-1] += _frame(b"data: [DONE]\n\n") + _frame(b"")
    return beats


def _event(delta: dict[str, str], **of_choice: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None, **of_choice}
    return _framed({"choices": [{**choice, "token_ids": None}]})


def _framed(body: dict[str, Any]) -> bytes:
    whole = {
        "id": "chatcmpl-9dd758fe65e87254", "object": "chat.completion.chunk", "created": _CREATED,
        "model": MODEL, **body,
    }  # fmt: skip
    return _frame(b"data: " + orjson.dumps(whole) + b"\n\n")


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Stub:
    """What all connections share."""

    def __init__(self) -> None:
        """Streams come at once until `POST /script` changes that."""
        self.script = Script()


class Connection(asyncio.Protocol):
    """One client of the stub; requests come one after another, as HTTP clients send them."""

    def __init__(self, stub: Stub) -> None:
        """Answer as the stub's script says."""
        self._stub = stub
        self._loop = asyncio.get_running_loop()
        self._url, self._body = b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start reading."""
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the parser calls the methods below."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """A request begins."""
        self._url, self._body = url, b""

    def on_body(self, data: bytes) -> None:
        """A part of its body."""
        self._body += data

    def on_message_complete(self) -> None:
        """Answer it."""
        if self._url == b"/script":
            self._stub.script = Script(**orjson.loads(self._body))
            self._url = b"/health"
        script = self._stub.script
        if self._url != b"/v1/chat/completions":
            self._transport.write(script.found.get(self._url, script.missing))
            return
        asked = orjson.loads(self._body)
        logprobs = bool(asked.get("logprobs"))
        if not asked.get("stream"):
            self._transport.write(script.whole[logprobs])
            return
        usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        self._schedule(script.streams[logprobs, usage], 0, self._loop.time())

    def _schedule(self, beats: list[bytes], index: int, last: float) -> None:
        """Each piece has its own time and its own write, as an engine's; never all in one."""
        if self._stub.script.pace_seconds:
            due = last + self._stub.script.pace_seconds
            self._loop.call_at(due, self._beat, beats, index, due)
        else:
            self._loop.call_soon(self._beat, beats, index, last)

    def _beat(self, beats: list[bytes], index: int, due: float) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(beats[index])
        if index + 1 < len(beats):
            self._schedule(beats, index + 1, due)


async def serve(port: int) -> None:
    """Answer on loopback until the process is ended."""
    loop, stub = asyncio.get_running_loop(), Stub()
    server = await loop.create_server(lambda: Connection(stub), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def play(url: str, *, chunks: int, pace_seconds: float) -> None:
    """Tell the stub at `url` how its streams are to come from now on."""
    body = orjson.dumps({"chunks": chunks, "pace_seconds": pace_seconds})
    with urllib.request.urlopen(f"{url}/script", data=body, timeout=10):
        pass


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
