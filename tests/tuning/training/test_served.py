"""The real engine serves what less usual recipes make, as it was measured."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from records.adapters import Limits, adapter_name, base_hash
from records.engine import Engine
from records.proof import Servable, load_and_prove
from tests.tuning.build import BASE
from tests.tuning.training.test_train import job, trained

if TYPE_CHECKING:
    from tests.real_engine import RealEngine

pytestmark = pytest.mark.alone

PAIRS = {"method": "dpo", "preference_learning_rate": 1e-2, "precision": "bfloat16"}
RECIPES = (
    {"initialisation": "pissa"},
    {"initialisation": "pissa", "use_rslora": True},
    PAIRS,
)


async def test_adapters_of_all_kinds_are_proved_to_be_on(
    real_engine: "RealEngine", tmp_path: Path
) -> None:
    wanted = Servable(str(BASE), base_hash(str(BASE)), Limits(max_rank=8))
    proofs = []
    for number, recipe in enumerate(RECIPES):
        made = job(tmp_path / str(number), learning_rate=2e-3, **recipe)
        trained(made)
        folder = tmp_path / adapter_name("support", made.adapter)
        shutil.copytree(made.adapter, folder)
        async with Engine(real_engine.url) as engine:
            proofs.append(await load_and_prove(engine, folder, wanted))
    assert max(proof.to_adapter for proof in proofs) < 1e-3
    assert min(proof.to_base for proof in proofs) > 0.05
