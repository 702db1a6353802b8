"""The least that a gateway in Python can be: FastAPI and aiohttp, and nothing recorded.

No keys, no checks, no routing. It reads and writes JSON as FastAPI's users do, or, as `bytes`,
passes on what it doesn't look at. Usage: python -m benchmarks.serving.relay PORT URL [bytes]
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse


def create_relay(engine_url: str, *, in_bytes: bool) -> FastAPI:
    """A relay to the engine at `engine_url`. Streams are passed on as bytes by both kinds."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as app.state.session:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/chat/completions", response_model=None)
    async def chat(request: Request) -> Response | dict[str, Any]:
        asking: dict[str, Any] = (
            {"data": await request.body(), "headers": {"Content-Type": "application/json"}}
            if in_bytes
            else {"json": await request.json()}
        )
        url = f"{engine_url}/v1/chat/completions"
        answer = await request.app.state.session.post(url, **asking)
        kind = answer.headers["Content-Type"]
        if kind.startswith("text/event-stream"):
            return StreamingResponse(answer.content.iter_any(), media_type=kind)
        if in_bytes:
            return Response(await answer.read(), media_type=kind)
        whole: dict[str, Any] = await answer.json()
        return whole

    return app


def main() -> None:
    """Serve with uvicorn, as the gateway does: uvloop, one worker, no access log."""
    port, engine_url = sys.argv[1:3]
    app = create_relay(engine_url, in_bytes="bytes" in sys.argv)
    uvicorn.run(app, port=int(port), loop="uvloop", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
