"""docs/api.md: its Python examples are run as they stand, one after the other."""

import asyncio
import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tests.serving.running_gateway import Stack

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"


async def test_the_pages_examples_run(stack: Stack) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 2
    names: dict[str, Any] = {"KEY": stack.key("customer")}
    stack.engine.answer = lambda _model, _messages: "On its way."

    def run(example: str) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(example.replace("http://127.0.0.1:8000", stack.url), names)
        return printed.getvalue()

    try:
        answer = await asyncio.to_thread(run, examples[0])
        streamed = await asyncio.to_thread(run, examples[1])
    finally:
        if "client" in names:
            names["client"].close()
    assert re.fullmatch(r"On its way\.\nconv_\w+ False\n", answer)
    assert "".join(streamed.split("\n")[:-2]).startswith("On its way.")
    assert "completion_tokens" in streamed
