"""docs/conversation-api.md: its commands are run, and give what the page says."""

import asyncio
import os
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from records import keys
from records.states import KeyScope
from tests.serving.running_gateway import Stack

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "conversation-api.md"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_ID = re.compile(r'"(conv|turn|esc)_[0-9a-z]{26}"')
_TIME = re.compile(r'"\d{4}-\d\d-\d\dT[^"]*"')

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def same_form(output: str) -> Any:
    """Output without ids and times, JSON read."""
    plain = _TIME.sub('"TIME"', _ID.sub(r'"\1"', output))
    if not plain.startswith(("event:", "retry:")):
        return orjson.loads(plain)
    lines = [line.partition(": ") for line in plain.splitlines() if line]
    read = [(name, orjson.loads(value) if name == "data" else value) for name, _, value in lines]
    return _joined_tokens(read)


def _joined_tokens(lines: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """However many pieces an answer came in."""
    text = "".join(value.get("text", "") for name, value in lines if name == "data")
    rest = [line for line in lines if line != ("event", "token")]
    return [*(line for line in rest if "text" not in line[1]), ("text", text)]


async def test_the_pages_commands_give_what_the_page_says(stack: Stack) -> None:
    stack.engine.answer = lambda _model, _messages: "It is on its way."
    with stack.database.write() as session:
        agent = keys.create(session, name="console", scope=KeyScope.AGENT, actor="test")
    environment = {**os.environ, "KEY": stack.key("customer"), "AGENT": agent}
    before = ""  # what earlier commands defined
    blocks = _BLOCK.findall(PAGE.read_text())
    ran = 0
    for (kind, command), (expected_kind, expected) in zip(
        blocks, [*blocks[1:], ("", "")], strict=True
    ):
        if kind != "sh":
            continue
        mine = command.replace("http://127.0.0.1:8000", stack.url)
        mine = mine.replace('events?from=start"', 'events?from=start" --max-time 1')
        definitions = re.split(r"^(?=curl|act [a-z-]+ ')", mine, flags=re.MULTILINE)[0]
        if expected_kind in ("json", "events"):
            output = await shell(before + mine, environment)
            assert same_form(output) == same_form(expected), command
            ran += 1
        before += definitions
    assert ran == 10


async def shell(script: str, environment: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode().strip()
