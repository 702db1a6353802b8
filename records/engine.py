"""The one door to vLLM: its HTTP API, with its errors translated.

A model's name sent to an engine is always one of our version ids, never a client's word: the name
reaches the file system there.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from records.errors import AdapterUnservable, EngineRefused, EngineUnavailable

_CONNECT_SECONDS = 5
_CONTROL_SECONDS = 120
_MEASURED_AT_ONCE = 8
_FIRST_ERROR_STATUS = 400
_FIRST_SERVER_ERROR = 500


class Engine:
    """One vLLM server. Use as `async with Engine(url) as engine`, or give it a session to share."""

    def __init__(self, url: str, session: aiohttp.ClientSession | None = None) -> None:
        """Talk to the server at `url` (scheme, host and port)."""
        self.url = url.rstrip("/")
        self._session = session
        self._owned = session is None

    async def __aenter__(self) -> Self:
        if self._session is None:
            self._session = new_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._owned and self._session is not None:
            await self._session.close()
            self._session = None

    async def healthy(self) -> bool:
        """Whether the server answers and its engine lives."""
        try:
            async with self._request("GET", "/health", seconds=_CONNECT_SECONDS):
                return True
        except (EngineRefused, EngineUnavailable):
            return False

    async def models(self) -> list[str]:
        """Names that the server knows: the base and the adapters loaded so far."""
        listing = await self._json("GET", "/v1/models")
        return [entry["id"] for entry in listing["data"]]

    async def load(self, name: str, folder: Path) -> None:
        """Load an adapter under its name; one that is loaded already stays as it is.

        Raises:
            AdapterUnservable: the server refused it.
        """
        if name in await self.models():
            return
        body = {"lora_name": name, "lora_path": str(folder)}
        try:
            async with self._request("POST", "/v1/load_lora_adapter", json=body):
                return
        except (EngineRefused, EngineUnavailable) as error:
            if name in await self.models():
                return  # another process was first
            raise AdapterUnservable(f"The engine refused {name}: {error}") from error

    async def tokenize(self, model: str, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        """Token ids of a conversation as the server's chat template renders it for an answer."""
        body = {"model": model, "messages": list(messages), "add_generation_prompt": True}
        answer = await self._json("POST", "/tokenize", json=body)
        tokens: list[int] = answer["tokens"]
        return tokens

    async def logprobs(
        self, model: str, token_ids: Sequence[int], *, start: int = 1
    ) -> list[float]:
        """Log-probability in nats of each given token from index `start` (at least 1) on.

        Each is measured as the next token after those before it. vLLM's `prompt_logprobs` must not
        be asked for where LoRA is on: beside other requests they end the whole engine, and they
        leave out what an adapter does to `lm_head` (vLLM #16668, #51594).
        """
        gate = asyncio.Semaphore(_MEASURED_AT_ONCE)

        async def measure(index: int) -> float:
            async with gate:
                return await self._next_logprob(model, token_ids[:index], token_ids[index])

        return list(await asyncio.gather(*map(measure, range(start, len(token_ids)))))

    async def _next_logprob(self, model: str, before: Sequence[int], token: int) -> float:
        """Only `token` may be sampled; its log-probability is of the model as it is."""
        body = {
            "model": model,
            "prompt": list(before),
            "max_tokens": 1,
            "temperature": 0,
            "allowed_token_ids": [token],
            "logprobs": 0,
        }
        answer = await self._json("POST", "/v1/completions", json=body)
        return float(answer["choices"][0]["logprobs"]["token_logprobs"][0])

    async def chat(self, body: Mapping[str, Any], *, seconds: float = 120) -> dict[str, Any]:
        """A whole answer, as `POST /v1/chat/completions` gives it without streaming."""
        return await self._json("POST", "/v1/chat/completions", json=body, seconds=seconds)

    @asynccontextmanager
    async def stream(
        self, body: Mapping[str, Any], *, seconds: float = 300, silence_seconds: float = 60
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """An answer in pieces: the decoded `data:` objects as they come, `[DONE]` left out.

        Leaving the block early makes the server stop generating. An answer is complete only if
        some piece carried a `finish_reason`; an error object inside the stream raises.
        """
        limits = aiohttp.ClientTimeout(
            total=seconds, sock_connect=_CONNECT_SECONDS, sock_read=silence_seconds
        )
        async with self._request(
            "POST", "/v1/chat/completions", json={**body, "stream": True}, limits=limits
        ) as response:
            yield _events(response)

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        async with self._request(method, path, **options) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        seconds: float = _CONTROL_SECONDS,
        limits: aiohttp.ClientTimeout | None = None,
        **options: Any,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("open the engine with `async with` first")
        limits = limits or aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        try:
            async with self._session.request(
                method, self.url + path, timeout=limits, **options
            ) as response:
                if response.status >= _FIRST_ERROR_STATUS:
                    raise _refusal(response.status, await response.text())
                yield response
        except (aiohttp.ClientError, TimeoutError, ConnectionError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise EngineUnavailable(
                f"The engine at {self.url} does not answer: {reason}."
            ) from error


def new_session() -> aiohttp.ClientSession:
    """A session without a limit of connections, as one gateway needs for its engines."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in response.content:
        if not line.startswith(b"data: "):
            continue
        data = line[6:].strip()
        if data == b"[DONE]":
            return
        event = json.loads(data)
        if "error" in event:
            raise EngineUnavailable(f"The engine failed: {_message(event)}")
        yield event


def _refusal(status: int, text: str) -> EngineRefused | EngineUnavailable:
    try:
        message = _message(json.loads(text))
    except ValueError:
        message = text[:200] or f"status {status}"
    if status >= _FIRST_SERVER_ERROR:
        return EngineUnavailable(f"The engine failed ({status}): {message}")
    return EngineRefused(message, status=status)


def _message(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error) if isinstance(error, dict) else error)
