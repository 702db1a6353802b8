"""The whole loop on real parts: the demo, small, and what it leaves for `understudy up`."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import free_port

ROOT = Path(__file__).resolve().parent.parent
DEMO_SECONDS = 480


def small_assistants(folder: Path) -> Path:
    """The demo's assistant with few cases and a short training."""
    folder.mkdir()
    assistant = yaml.safe_load((ROOT / "deploy" / "assistants" / "support.yaml").read_text())
    cases = (ROOT / "deploy" / "demo" / "cases.jsonl").read_text().splitlines()
    (folder / "cases.jsonl").write_text("\n".join(cases[::10]))
    assistant["base_model"] = str(ROOT / "deploy" / "demo" / "base")
    assistant["cases"] = "cases.jsonl"
    assistant["recipe"] |= {"epochs": 1}
    (folder / "support.yaml").write_text(yaml.safe_dump(assistant))
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    bot_port = free_port()
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("SLACK_", "UNDERSTUDY_"))},
        "UNDERSTUDY_HOME": str(tmp_path / "home"),
        "UNDERSTUDY_ASSISTANTS": str(small_assistants(tmp_path / "assistants")),
        "UNDERSTUDY_PORT": str(free_port()),
        "UNDERSTUDY_ENGINE_PORT": str(free_port()),
        "UNDERSTUDY_BOT_PORT": str(bot_port),
        "UNDERSTUDY_STANDIN_PORT": str(free_port()),
    }


def understudy(environment: dict[str, str], *arguments: str, seconds: float = 60) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "records.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.alone
def test_the_demo_serves_corrects_retrains_and_judges(
    environment: dict[str, str], tmp_path: Path
) -> None:
    arguments = ("demo", "--conversations", "120", "--in-slack", "4", "--no-forgetting")
    said = understudy(environment, *arguments, seconds=DEMO_SECONDS)
    assert "simulated" in said
    assert "real" in said
    figures = json.loads((tmp_path / "home" / "demo" / "report.json").read_text())
    assert figures["live_before"]["conversations"] == 120
    assert figures["corrections"]["in_slack"] == 4
    assert figures["evaluation"]["cases"]["count"] == 100
    assert (tmp_path / "home" / "demo" / "before_after.png").read_bytes()[:4] == b"\x89PNG"

    listed: list[dict[str, Any]] = json.loads(understudy(environment, "versions", "--json"))
    assert {v["version"] for v in listed} == {"support-base", figures["version"]}
    assert figures["verdict"] in {"PASS", "FAIL", "INCONCLUSIVE"}

    began = time.monotonic()
    assert "has run here before" in understudy(environment, "demo")
    assert time.monotonic() - began < 10
