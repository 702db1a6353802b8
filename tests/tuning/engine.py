"""A stand-in engine for jobs: tokenises as the trainer does, and has adapters on by their probes.

What it cannot show, that a real engine agrees with the trainer, is shown in `test_real_engine.py`.
Run as a program it serves until it is ended: python -m tests.tuning.engine BASE PORT
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.stub_engine import StubEngine


class ProvingEngine(StubEngine):
    """Measures what an adapter's manifest says; `not_applied` ones measure as the base does."""

    def __init__(self, *bases: str, base_model: str, port: int = 0) -> None:
        super().__init__(*bases, port=port)
        self.base_model = base_model
        self._tokenizer: Any = None

    async def _tokenize(self, request: web.Request) -> web.Response:
        from tuning.training.base_model import load_tokenizer
        from tuning.training.chat_tokens import encode_prompt

        body = await request.json()
        self._tokenizer = self._tokenizer or load_tokenizer(self.base_model)
        return web.json_response({"tokens": encode_prompt(self._tokenizer, body["messages"])})

    def measure(self, model: str, before: list[int], token: int) -> float:
        folder = Path(self.loaded.get(model, ""))
        side = "base_logprobs" if model in self.not_applied else "adapter_logprobs"
        manifest = json.loads((folder / "manifest.json").read_text())
        ids, at = [*before, token], len(before)
        probe = next(p for p in manifest["probes"] if p["token_ids"][: at + 1] == ids)
        logprobs: list[float] = probe[side]
        return logprobs[at - probe["start"]]


async def serve(base_model: str, port: int) -> None:
    async with ProvingEngine("support-base", base_model=base_model, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
