"""The preflight of a job: looks at what it would be trained on, with and for, and checks it all."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from records.adapters import base_hash
from records.engine import Engine
from tuning.dataset.rows import TRAIN, read_rows
from tuning.ray.settings import Backend
from tuning.workflow import estimates, preflight, sharing
from tuning.workflow.asked import Asked
from tuning.workflow.engines import Engines
from tuning.workflow.stages import Stage
from tuning.workflow.survey import Chat, Survey, chat_characters, survey
from tuning.workflow.trainings import Trainings

_PARITY_PROMPTS = 3
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checking:
    """What a preflight works with."""

    trainings: Trainings
    engines: Engines

    def run(self, job_id: str, asked: Asked, dataset_path: str) -> dict[str, Any]:
        """Refuse now what would be trained in vain; returns what the training needs.

        Raises:
            AdapterUnservable, ConfigurationError, StorageFull: what stands against it.
            EngineUnavailable: no engine to serve it.
        """
        from tuning.training.base_model import load_tokenizer
        from tuning.training.trackers import read_trackers

        trainings = self.trainings
        read_trackers(trainings.settings.report_to)
        self._check_servable(asked)
        found = survey(read_rows(trainings.artifacts.fetch(dataset_path) / TRAIN))
        tokenizer = load_tokenizer(asked.assistant.base_model)
        needed = self._check_room(asked, found, tokenizer)
        seconds = self._expected_seconds(asked, found, tokenizer)
        if seconds is not None:
            trainings.telling.expect(job_id, training_seconds=seconds)
            needed["expected_seconds"] = round(seconds)
            needed["expected"] = estimates.beside_limit(seconds, asked.recipe)
            _log.info("job %s: %s", job_id, needed["expected"])
        trainings.telling.tell(job_id, Stage.CHECKING, needed)
        self._check_tokens(job_id, asked, found, tokenizer)
        return needed

    def _trains_here(self) -> bool:
        """Whether this machine's accelerator is the one; a cluster's hosts look at their own."""
        return self.trainings.settings.backend is Backend.LOCAL

    def _check_servable(self, asked: Asked) -> None:
        from tuning.training.base_model import architecture
        from tuning.training.hardware import check_quantisable
        from tuning.training.lora import check_continues, served_config

        assistant, recipe = asked.assistant, asked.widest
        limits = preflight.check_rank(recipe, assistant)
        shape = architecture(assistant.base_model)
        preflight.check_features(served_config(recipe).to_dict(), limits=limits)
        if recipe.quantise and self._trains_here():
            check_quantisable()
        champions = self.trainings.start_adapter(assistant, recipe)
        if champions is not None:
            layers = frozenset(n.rpartition(".")[2] for n in shape.targets(recipe.target_modules))
            hash_of_base = base_hash(assistant.base_model)
            check_continues(recipe, champions, layers=layers, base_hash=hash_of_base)

    def _check_room(self, asked: Asked, found: Survey, tokenizer: Any) -> dict[str, Any]:
        """Room on disk and in memory for the longest example that is trained on."""
        from tuning.training.base_model import architecture

        settings, longest = self.trainings.settings, asked.longest
        gpu = sharing.has_gpu() if self._trains_here() else settings.ray_gpus > 0
        lengths = [tokens for _, tokens in _measured(found.longest, tokenizer)]
        too_long = preflight.check_lengths(lengths, longest=longest)
        left = sharing.memory().left_mb(settings.trainer_memory_share)
        needed = preflight.estimate(
            asked.widest,
            architecture(asked.assistant.base_model),
            longest=min(max(lengths, default=longest), longest),
            gpu=gpu,
            available_mb=left,
        )
        preflight.check_disk(settings.home, needed_mb=needed.disk_mb)
        if self._trains_here():
            preflight.check_memory(needed, available_mb=left, gpu=gpu)
        return {**needed.as_json(), "longest_examples_left_out": too_long}

    def _expected_seconds(self, asked: Asked, found: Survey, tokenizer: Any) -> float | None:
        """By the last training that was like it; a search ends with its own budget instead."""
        passes = estimates.passes(asked.recipe)
        if passes is None or asked.search is not None:
            return None
        with self.trainings.database.read() as session:
            manifests = estimates.last_manifests(session, asked.assistant.name)
        known = estimates.rate(
            manifests,
            asked.recipe,
            base_hash=base_hash(asked.assistant.base_model),
            gpu=sharing.has_gpu(),
        )
        tokens = estimates.total_tokens(found.characters, _measured(found.spread, tokenizer))
        return tokens * passes / known if known else None

    def _check_tokens(self, job_id: str, asked: Asked, found: Survey, tokenizer: Any) -> None:
        shown = [*found.longest[:1], *found.shortest[: _PARITY_PROMPTS - 1]]
        prompts = [chat[:-1] for chat in shown]
        model = asked.assistant.base_version

        async def check(engine: Engine) -> None:
            await preflight.check_tokens(engine, tokenizer, prompts, model=model)

        self.engines.each(job_id, check)


def _measured(chats: Sequence[Chat], tokenizer: Any) -> list[tuple[int, int]]:
    """Characters and tokens of each chat."""
    from tuning.training.chat_tokens import encode

    return [(chat_characters(c), len(encode(tokenizer, c).token_ids)) for c in chats]
