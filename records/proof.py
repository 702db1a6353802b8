"""The proof that an adapter is on: its effect on log-probabilities, measured on each engine.

The trainer writes probes into the manifest: token ids of a few conversations with their answers,
and the log-probability of each answer token under the adapter and under the bare base.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.adapters import Limits, base_hash, check_servable, read_manifest, verify
from records.assistant import Assistant
from records.engine import Engine
from records.errors import AdapterNotApplied

TOLERANCE_NATS = 0.05
"""Mean difference per token that is still the same model (float32: 1e-5, bfloat16: 0.02)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Mean absolute difference per answer token, in nats, of the engine's log-probabilities."""

    to_adapter: float
    """From the trainer's with the adapter: near 0 where the adapter is on."""
    to_base: float
    """From the trainer's without it."""

    @property
    def holds(self) -> bool:
        """Whether the engine answers as the trained model does, and not as the base does."""
        return self.to_adapter <= TOLERANCE_NATS and self.to_adapter < self.to_base / 2


@dataclass(frozen=True, slots=True)
class Servable:
    """What an adapter is checked against before an engine may have it."""

    base_model: str
    base_hash: str
    limits: Limits


def servable_of(assistant: Assistant) -> Servable:
    """What an adapter must fit to be served for an assistant: its base model, as it is on disk."""
    return Servable(
        base_model=assistant.base_model,
        base_hash=base_hash(assistant.base_model),
        limits=Limits(max_rank=assistant.engine.max_lora_rank),
    )


async def load_and_prove(engine: Engine, folder: Path, wanted: Servable) -> Proof:
    """Check an adapter's files, load it, and prove on this engine that it is on.

    Raises:
        AdapterTampered, AdapterUnservable, AdapterNotApplied: it must not be served.
        EngineError: the engine could not be asked.
    """
    name = folder.name
    verify(folder, name=name)
    check_servable(
        folder, base_model=wanted.base_model, base_hash=wanted.base_hash, limits=wanted.limits
    )
    await engine.load(name, folder)
    return await prove(engine, name, read_manifest(folder))


async def prove(engine: Engine, name: str, manifest: Mapping[str, Any]) -> Proof:
    """Measure a loaded adapter's effect.

    Raises:
        AdapterNotApplied: no probes, or the engine answers otherwise than the trainer did.
    """
    probes = manifest.get("probes") or []
    if not probes:
        raise AdapterNotApplied(f"{name} carries no probes, so it cannot be proved; retrain it.")
    to_adapter: list[float] = []
    to_base: list[float] = []
    for probe in probes:
        answer = await engine.logprobs(name, probe["token_ids"], start=probe["start"])
        to_adapter += _distances(answer, probe["adapter_logprobs"])
        to_base += _distances(answer, probe["base_logprobs"])
    proof = Proof(sum(to_adapter) / len(to_adapter), sum(to_base) / len(to_base))
    if not proof.holds:
        raise AdapterNotApplied(
            f"{name} is loaded but not applied: the engine's log-probabilities are "
            f"{proof.to_adapter:.4f} nats per token from the trainer's and {proof.to_base:.4f} "
            "from the base model's."
        )
    return proof


def _distances(measured: list[float], wanted: list[float]) -> list[float]:
    return [abs(a - b) for a, b in zip(measured, wanted, strict=True)]
