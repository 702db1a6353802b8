"""A pretended engine with the part of vLLM's API that bot and evaluation use.

It answers from the bank's policy, and at once, so that pictures need no model and no minutes. The
log-probabilities that it measures are those that `adapter` writes into a manifest.
"""

import asyncio
import json
from typing import Any

from aiohttp import web

from deploy.demo.pictures.adapter import logprob
from deploy.demo.pictures.bank import Bank

SECONDS_PER_WORD = 0.02
"""Of answers that are streamed, so that they grow as they do with a model."""


class PretendedEngine:
    """Listens on a port of loopback while its context is open."""

    def __init__(self, bank: Bank, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._bank = bank
        self._port = port
        self._models = [bank.base_version]

    async def __aenter__(self) -> "PretendedEngine":
        app = web.Application()
        app.router.add_get("/health", _healthy)
        app.router.add_get("/v1/models", self._listed)
        app.router.add_post("/v1/load_lora_adapter", self._load)
        app.router.add_post("/v1/completions", self._measure)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _listed(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in self._models]})

    async def _load(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        if name not in self._models:
            self._models.append(name)
        return web.Response(text=f"Success: LoRA adapter '{name}' added.")

    async def _measure(self, request: web.Request) -> web.Response:
        asked = await request.json()
        is_base = asked["model"] == self._bank.base_version
        measured = logprob(asked["allowed_token_ids"][0], is_base=is_base)
        return web.json_response({"choices": [{"logprobs": {"token_logprobs": [measured]}}]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        words = self._bank.answer(asked["model"], asked["messages"][-1]["content"]).split(" ")
        if asked.get("stream"):
            return await self._stream(request, asked, words)
        return web.json_response(
            {
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": " ".join(words)},
                        "finish_reason": "stop",
                        "logprobs": _logprobs(words),
                    }
                ],
                "usage": _usage(words),
            }
        )

    async def _stream(
        self, request: web.Request, asked: dict[str, Any], words: list[str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, word in enumerate(words):
            piece = f" {word}" if number else word
            choice = {"index": 0, "delta": {"content": piece}, "logprobs": _logprobs([piece])}
            await _send(response, {"choices": [{**choice, "finish_reason": None}]})
            await asyncio.sleep(SECONDS_PER_WORD)
        end = {"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}
        await _send(response, {"choices": [end]})
        if (asked.get("stream_options") or {}).get("include_usage"):
            await _send(response, {"choices": [], "usage": _usage(words)})
        await response.write(b"data: [DONE]\n\n")
        return response


async def _healthy(_: web.Request) -> web.Response:
    return web.Response()


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


def _logprobs(pieces: list[str]) -> dict[str, Any]:
    return {"content": [{"token": piece, "logprob": -0.06} for piece in pieces]}


def _usage(words: list[str]) -> dict[str, int]:
    return {"prompt_tokens": 40, "completion_tokens": len(words), "total_tokens": 40 + len(words)}
