"""The one door to vLLM: its HTTP API, with its errors translated.

A model's name sent to an engine is always one of our version ids, never a client's word: the name
reaches the file system there.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import orjson

from records.errors import AdapterUnservable, EngineRefused, EngineUnavailable
from records.http_client import HttpClient, HttpFailed, Response

_HEALTH_SECONDS = 5
_CONTROL_SECONDS = 120
_MEASURED_AT_ONCE = 8
_FIRST_ERROR_STATUS = 400
_FIRST_SERVER_ERROR = 500
_CONTEXT_SIGNS = (
    "context length", "maximum model length", "max_model_len", "longer than", "max_total_tokens"
)  # fmt: skip


def exceeds_context(error: EngineRefused) -> bool:
    """Whether the engine refused a prompt because it is too long."""
    return says_too_long(str(error))


def says_too_long(message: str) -> bool:
    """Whether the engine says that a prompt is too long."""
    return any(sign in message for sign in _CONTEXT_SIGNS)


class Engine:
    """One vLLM server. Use as `async with Engine(url) as engine`, or `close` it in the end."""

    def __init__(self, url: str) -> None:
        """Talk to the server at `url` (scheme, host and port)."""
        self.url = url.rstrip("/")
        self._http = HttpClient(self.url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections that are kept."""
        self._http.close()

    async def healthy(self) -> bool:
        """Whether the server answers and its engine lives."""
        try:
            await self._ask("GET", "/health", seconds=_HEALTH_SECONDS)
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
            await self._ask("POST", "/v1/load_lora_adapter", json=body)
        except (EngineRefused, EngineUnavailable) as error:
            if name in await self.models():
                return  # another process was first
            raise AdapterUnservable(f"The engine refused {name}: {error}") from error

    async def unload(self, name: str) -> None:
        """Let the server forget an adapter's name; requests in flight go on.

        Raises:
            EngineRefused: with the status 404 it did not know the name.
        """
        await self._ask("POST", "/v1/unload_lora_adapter", json={"lora_name": name})

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

    async def chat(
        self, body: Mapping[str, Any], *, seconds: float = 120, headers: str = ""
    ) -> dict[str, Any]:
        """A whole answer, as `POST /v1/chat/completions` gives it without streaming.

        `headers` are whole lines to be sent along.
        """
        return await self._json(
            "POST", "/v1/chat/completions", json=body, seconds=seconds, headers=headers
        )

    @asynccontextmanager
    async def stream(
        self,
        body: Mapping[str, Any],
        *,
        seconds: float = 300,
        silence_seconds: float = 60,
        headers: str = "",
    ) -> AsyncIterator[AsyncIterator[list[dict[str, Any]]]]:
        """An answer in pieces: the decoded `data:` objects, as many at a time as have come.

        Leaving the block early makes the server stop generating. An answer is complete only if
        some piece carried a `finish_reason`; an error object inside the stream raises.
        """
        sent = orjson.dumps({**body, "stream": True})
        try:
            async with self._http.request(
                "POST", "/v1/chat/completions", sent, seconds=seconds,
                silence_seconds=silence_seconds, headers=headers,
            ) as response:  # fmt: skip
                if response.status >= _FIRST_ERROR_STATUS:
                    raise _refusal(response.status, await response.body())
                yield _events(response)
        except (HttpFailed, orjson.JSONDecodeError) as error:
            raise self._failed(error) from error

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        body = await self._ask(method, path, **options)
        try:
            answer: dict[str, Any] = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self._failed(error) from error
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        seconds: float = _CONTROL_SECONDS,
        headers: str = "",
    ) -> bytes:
        sent = b"" if json is None else orjson.dumps(json)
        try:
            status, body = await self._http.ask(
                method, path, sent, seconds=seconds, headers=headers
            )
        except HttpFailed as error:
            raise self._failed(error) from error
        if status >= _FIRST_ERROR_STATUS:
            raise _refusal(status, body)
        return body

    def _failed(self, error: Exception) -> EngineUnavailable:
        return EngineUnavailable(f"The engine at {self.url} does not answer: {error}.")


async def _events(response: Response) -> AsyncIterator[list[dict[str, Any]]]:
    rest = b""
    async for chunk in response.chunks():
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        events: list[dict[str, Any]] = []
        for line in lines:
            if not line.startswith(b"data: "):
                continue
            if line.startswith(b"data: [DONE]"):
                break
            event = orjson.loads(line[6:])
            if "error" in event:
                if events:
                    yield events
                raise EngineUnavailable(f"The engine failed: {_message(event)}")
            events.append(event)
        if events:
            yield events


def _refusal(status: int, body: bytes) -> EngineRefused | EngineUnavailable:
    try:
        message = _message(orjson.loads(body))
    except orjson.JSONDecodeError:
        message = body[:200].decode(errors="replace") or f"status {status}"
    if status >= _FIRST_SERVER_ERROR:
        return EngineUnavailable(f"The engine failed ({status}): {message}")
    return EngineRefused(message, status=status)


def _message(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error) if isinstance(error, dict) else error)
