"""Settings of the backend: what can't be used is refused at the start, and nothing loads Ray."""

import subprocess
import sys

import pytest

from records.errors import ConfigurationError
from tuning.ray.settings import Backend, RaySettings, read_resources


def test_trainings_run_here_unless_it_is_set_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RaySettings.load().backend is Backend.LOCAL
    monkeypatch.setenv("UNDERSTUDY_BACKEND", "ray")
    assert RaySettings.load().backend is Backend.RAY


@pytest.mark.parametrize("address", ["", "auto", "ray://head:10001", "10.0.0.1:6379", "[::1]:6379"])
def test_addresses_of_every_kind_are_taken(address: str) -> None:
    assert RaySettings.load(ray_address=address).ray_address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ray_address", "head"),
        ("ray_address", "http://head:8265/"),
        ("ray_workers", "0"),
        ("ray_gpus", "2"),
        ("ray_cpus", "0"),
        ("ray_resources", "GPU=1"),
        ("ray_resources", "disk"),
        ("backend", "slurm"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"UNDERSTUDY_{name.upper()}"):
        RaySettings.load(**{name: value})


def test_resources_are_names_and_amounts() -> None:
    assert read_resources("fast_disk=1, a100=0.5,") == {"fast_disk": 1.0, "a100": 0.5}
    assert read_resources("") == {}


def test_what_the_worker_has_of_it_loads_neither_ray_nor_torch() -> None:
    ours = "tuning.settings, tuning.workflow.trainer_process, tuning.ray.planning, tuning.ray.train"
    code = f"import sys, {ours}; print({{'ray', 'torch'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
