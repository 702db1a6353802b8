"""A training keeps to its share of a GPU; without one, or without a GPU, it is left alone."""

from types import SimpleNamespace

import pytest
import torch

from tuning.training.budget import keep_within


@pytest.fixture
def shares(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is set on a GPU of 80 GiB."""
    found: list[float] = []
    cuda = torch.cuda
    monkeypatch.setattr(cuda, "is_available", lambda: True)
    monkeypatch.setattr(cuda, "current_device", lambda: 0)
    properties = SimpleNamespace(total_memory=80 << 30)
    monkeypatch.setattr(cuda, "get_device_properties", lambda _: properties)
    monkeypatch.setattr(cuda, "set_per_process_memory_fraction", found.append)
    return found


@pytest.mark.parametrize(
    ("memory_mb", "set_to"), [(20 << 10, [0.25]), (200 << 10, [1.0]), (None, [])]
)
def test_the_share_is_of_the_whole_gpu(
    shares: list[float], memory_mb: int | None, set_to: list[float]
) -> None:
    keep_within(memory_mb)
    assert shares == set_to


def test_on_a_cpu_nothing_is_set(shares: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    keep_within(100)
    assert shares == []
