"""vLLM's own benchmark client before the gateway, as it comes, with the real engine behind."""

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.database import Database
from records.messages import Role
from tests.real_engine import RealEngine
from tests.serving.running_gateway import running

pytestmark = [pytest.mark.alone, pytest.mark.filterwarnings("ignore")]

CLIENT = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser

parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
PROMPTS = 24
TOKENS = 8


async def test_the_benchmark_client_of_vllm_gets_every_token_and_all_is_recorded(
    tmp_path: Path, sqlite: Database, artifacts: Artifacts, real_engine: RealEngine
) -> None:
    async with running(
        tmp_path,
        database=sqlite,
        artifacts=artifacts,
        assistant=real_engine.assistant,
        engine=real_engine,  # type: ignore[arg-type] - only its URL is used
        silence_seconds=30,
    ) as gateway:
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CLIENT, "--backend", "openai-chat", "--base-url", gateway.url,
            "--endpoint", "/v1/chat/completions", "--model", gateway.assistant.name,
            "--tokenizer", str(real_engine.base), "--dataset-name", "random",
            "--random-input-len", "16", "--random-output-len", str(TOKENS), "--ignore-eos",
            "--num-prompts", str(PROMPTS), "--max-concurrency", "8", "--disable-tqdm",
            "--save-result", "--save-detailed", "--result-dir", str(tmp_path),
            "--result-filename", "result.json",
            env={**os.environ, "OPENAI_API_KEY": gateway.key("customer")},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed, _ = await client.communicate()
        turns = gateway.turns(role=Role.ASSISTANT)
    assert client.returncode == 0, printed.decode()[-3000:]
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["completed"] == PROMPTS
    assert result["total_output_tokens"] == PROMPTS * TOKENS
    seen = Counter(result["generated_texts"])
    assert seen <= Counter(turn.content for turn in turns)
