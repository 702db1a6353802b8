"""A scriptable engine in this process, with the part of vLLM's API that Understudy uses.

It answers differently per model, so that a test can see which version answered, and it measures
log-probabilities that `publish_adapter` writes into manifests, so that proofs hold or fail as told.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from safetensors.numpy import save_file

from records.adapters import CONFIG, MANIFEST, WEIGHTS, adapter_name, base_hash
from records.artifacts import Artifacts
from records.assistant import Assistant
from records.database import Database
from records.states import VersionState
from records.tables import Version
from records.versions import register

CONTEXT_CHARACTERS = 20_000
LOGPROB = -0.25
"""What the stub says of each token of an answer."""


class Fault(Enum):
    """What goes wrong."""

    NONE = "none"
    ERROR_500 = "500"
    ERROR_400 = "400"
    HANG = "hang"
    """No byte of the answer ever comes."""
    DIE_AT_ONCE = "die at once"
    """The connection is cut before a byte of the answer."""
    DIE_WORDLESS = "die wordless"
    """The connection is cut when the answer has begun, but without a word of it."""
    DIE = "die"
    """The connection is cut after half of the pieces."""
    ERROR_EVENT = "error event"
    """Half of the pieces, then what vLLM sends when its core dies: an error, and [DONE]."""


def default_answer(model: str, messages: list[dict[str, Any]]) -> str:
    return f"{model} answers: {messages[-1]['content']}"


def measured(model: str, token: int, *, base: str) -> float:
    """The log-probability that the stub measures."""
    own = 0.0 if model == base else 0.3 + hashlib.sha256(model.encode()).digest()[0] / 256
    return -1.0 - (token % 7) / 10 - own


class StubEngine:
    """Serve with `async with StubEngine() as engine`; everything may be changed while it runs."""

    def __init__(self, *bases: str, port: int = 0) -> None:
        self.bases = list(bases) or ["support-base"]
        self.answer: Callable[[str, list[dict[str, Any]]], str] = default_answer
        self.fault = Fault.NONE
        self.empty_usage = False
        self.seconds_per_piece = 0.0
        self.loaded: dict[str, str] = {}
        self.most_loaded = 0
        self.not_applied: set[str] = set()
        self.hangs_for: set[str] = set()
        """Models that never answer, and messages that never are."""
        self.too_long_for: set[str] = set()
        """Models for which every prompt is too long."""
        self.healthy = True
        self.requests: list[dict[str, Any]] = []
        self.left_by_client = 0
        self.held = asyncio.Event()
        """While cleared, answers wait in their middle (see `hold`)."""
        self.held.set()
        self.waiting = asyncio.Event()
        """Set when an answer waits in its middle."""
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def hold(self) -> None:
        """Let answers wait in their middle until `held` is set."""
        self.held.clear()
        self.waiting.clear()

    async def __aenter__(self) -> "StubEngine":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; after `stop` on the same port again, with nothing loaded, as a restart does."""
        app = web.Application(client_max_size=50_000_000)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/v1/models", self._models),
                web.post("/v1/load_lora_adapter", self._load),
                web.post("/v1/unload_lora_adapter", self._unload),
                web.post("/tokenize", self._tokenize),
                web.post("/v1/completions", self._completions),
                web.post("/v1/chat/completions", self._chat),
            ]
        )
        self.loaded.clear()
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in [*self.bases, *self.loaded]]})

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["lora_name"] in self.loaded:
            return _error(400, f"The lora adapter {body['lora_name']!r} has already been loaded.")
        if not Path(body["lora_path"]).is_dir():  # noqa: ASYNC240
            return _error(404, f"No adapter found for {body['lora_name']}")
        self.loaded[body["lora_name"]] = body["lora_path"]
        self.most_loaded = max(self.most_loaded, len(self.loaded))
        return web.Response(text=f"Success: LoRA adapter {body['lora_name']!r} added.")

    async def _unload(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.loaded.pop(body["lora_name"], None) is None:
            return _error(404, "not loaded")
        return web.Response(text="Success")

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        text = body.get("prompt") or "".join(m["content"] for m in body["messages"])
        return web.json_response({"tokens": [ord(c) for c in text], "count": len(text)})

    async def _completions(self, request: web.Request) -> web.Response:
        body = await request.json()
        model = body["model"]
        if model not in [*self.bases, *self.loaded]:
            return _error(404, f"The model `{model}` does not exist.")
        (token,) = body["allowed_token_ids"]
        logprob = self.measure(model, body["prompt"], token)
        return web.json_response({"choices": [{"logprobs": {"token_logprobs": [logprob]}}]})

    def measure(self, model: str, before: list[int], token: int) -> float:
        """Log-probability of a token after others; a model that is not applied is the base."""
        effective = self.bases[0] if model in self.not_applied else model
        return measured(effective, token, base=self.bases[0])

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        refused = self._refusal(body)
        if refused is not None:
            return refused
        try:
            asked = (body["model"], body["messages"][-1]["content"])
            if self.fault is Fault.HANG or not self.hangs_for.isdisjoint(asked):
                await asyncio.Event().wait()
            if self.fault is Fault.DIE_AT_ONCE:
                return _cut(request)
            text = self.answer(body["model"], body["messages"])
            if body.get("stream"):
                return await self._stream(request, body, text)
            if self.fault in (Fault.DIE, Fault.ERROR_EVENT):
                assert request.transport is not None
                request.transport.abort()
            await self._pause(last=False)
            return web.json_response(self._whole(body, text))
        except (asyncio.CancelledError, ConnectionResetError):
            self.left_by_client += 1
            raise

    def _refusal(self, body: dict[str, Any]) -> web.Response | None:
        if self.fault is Fault.ERROR_500:
            return _error(500, "EngineCore encountered an issue")
        if self.fault is Fault.ERROR_400:
            return _error(400, "the request cannot be served")
        if body["model"] not in [*self.bases, *self.loaded]:
            return _error(404, f"The model `{body['model']}` does not exist.")
        asked = sum(len(m.get("content") or "") for m in body["messages"])
        if asked > CONTEXT_CHARACTERS or body["model"] in self.too_long_for:
            return _error(400, "This model's maximum context length is 512 tokens.")
        return None

    async def _pause(self, *, last: bool) -> None:
        if self.seconds_per_piece:
            await asyncio.sleep(self.seconds_per_piece)
        if not self.held.is_set() and not last:
            self.waiting.set()
            await self.held.wait()

    async def _stream(
        self, request: web.Request, body: dict[str, Any], text: str
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await _send(response, _chunk(body, {"role": "assistant", "content": ""}))
        if self.fault is Fault.DIE_WORDLESS:
            return _cut(request, response)
        called = _called(body)
        pieces = [] if called else pieces_of(text)
        for index, piece in enumerate(pieces):
            if index == (len(pieces) + 1) // 2:
                await self._pause(last=False)
                if self.fault is Fault.DIE:
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                if self.fault is Fault.ERROR_EVENT:
                    await _send(response, {"error": {"message": "EngineCore died", "code": 500}})
                    await response.write(b"data: [DONE]\n\n")
                    return response
            else:
                await self._pause(last=True)
            await _send(response, _chunk(body, {"content": piece}, logprobs=_logprobs([piece])))
        finish = "length" if self.empty_usage else "stop"
        if called:
            finish = "tool_calls"
            await _send(response, _chunk(body, {"tool_calls": [{"index": 0, **called}]}))
        await _send(response, _chunk(body, {"content": ""}, finish_reason=finish))
        if (body.get("stream_options") or {}).get("include_usage") and not self.empty_usage:
            await _send(response, {"choices": [], "usage": _usage(body, pieces)})
        await response.write(b"data: [DONE]\n\n")
        return response

    def _whole(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if called := _called(body):
            message["tool_calls"] = [called]
            message["content"] = None
        choice = {
            "index": 0,
            "message": message,
            "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            "logprobs": _logprobs(pieces_of(text)) if body.get("logprobs") else None,
        }
        return {"choices": [choice], "usage": _usage(body, pieces_of(text))}


def _called(body: dict[str, Any]) -> dict[str, Any] | None:
    """The call of the first tool, where one must be called."""
    if not body.get("tools") or body.get("tool_choice") != "required":
        return None
    function = {"name": body["tools"][0]["function"]["name"], "arguments": "{}"}
    return {"id": "call_1", "type": "function", "function": function}


def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return response or web.Response()


def pieces_of(text: str) -> list[str]:
    """How the stub cuts an answer: three characters at a time, so that markers are cut too."""
    return [text[i : i + 3] for i in range(0, len(text), 3)]


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def _logprobs(pieces: list[str]) -> dict[str, Any]:
    return {"content": [{"token": piece, "logprob": LOGPROB} for piece in pieces]}


def _usage(body: dict[str, Any], pieces: list[str]) -> dict[str, int]:
    prompt = len(body["messages"])
    return {
        "prompt_tokens": prompt,
        "completion_tokens": len(pieces),
        "total_tokens": prompt + len(pieces),
    }


def _chunk(
    body: dict[str, Any],
    delta: dict[str, Any],
    *,
    finish_reason: str | None = None,
    logprobs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    choice["logprobs"] = logprobs if body.get("logprobs") else None
    return {"id": "stub", "model": body["model"], "choices": [choice]}


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


def publish_adapter(
    artifacts: Artifacts, assistant: Assistant, *, seed: int, base: str | None = None
) -> str:
    """Put an adapter into the store that a stub engine can prove; returns its name."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-"))
    random = np.random.default_rng(seed)
    key = "base_model.model.model.layers.0.self_attn.q_proj"
    weights = {
        f"{key}.lora_A.weight": random.standard_normal((4, 8)).astype(np.float32),
        f"{key}.lora_B.weight": random.standard_normal((8, 4)).astype(np.float32),
    }
    save_file(weights, folder / WEIGHTS)
    config = {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 8,
        "base_model_name_or_path": assistant.base_model,
    }
    (folder / CONFIG).write_text(json.dumps(config))
    name = adapter_name(assistant.name, folder)
    base_version = assistant.base_version
    tokens = list(range(10, 22))
    start = 4
    probe = {
        "token_ids": tokens,
        "start": start,
        "adapter_logprobs": [measured(name, t, base=base_version) for t in tokens[start:]],
        "base_logprobs": [measured(base_version, t, base=base_version) for t in tokens[start:]],
    }
    manifest = {
        "base_model": assistant.base_model,
        "base_hash": base or base_hash(assistant.base_model),
        "probes": [probe],
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
    artifacts.publish(folder, f"adapters/{name}")
    return name


def add_version(database: Database, assistant: Assistant, name: str) -> str:
    """Register a published adapter as a trained version, as the worker does."""
    version = Version(
        id=name,
        assistant=assistant.name,
        base_model=assistant.base_model,
        base_hash=base_hash(assistant.base_model),
        adapter_path=f"adapters/{name}",
        parent=assistant.base_version,
        state=VersionState.EVALUATED,
    )
    with database.write() as session:
        register(session, version)
    return name
