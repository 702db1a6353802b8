"""What each of the cluster's workers does: train as the local trainer does, as one of a team.

The first of them tells news, keeps checkpoints in the artifact store and leaves the adapter there.
"""

import json
import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.adapters import CONFIG, MANIFEST
from records.artifacts import content_hash
from records.errors import StorageUnavailable, UnderstudyError
from records.offline import go_offline
from tuning.ray.checkpoints import Checkpoints
from tuning.ray.host import bring_in, scratch_of, working_folder
from tuning.ray.plan import Plan
from tuning.ray.planning import open_store
from tuning.training.job_folder import JobFolder, Spec, storage_error

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ToldFolder(JobFolder):
    """A job folder whose progress is told elsewhere too."""

    tell: Callable[[Mapping[str, Any]], object]

    def append_progress(self, line: Mapping[str, Any]) -> None:
        """Write it and tell it."""
        JobFolder.append_progress(self, line)
        self.tell(line)


class _Saying(logging.Handler):
    """Sends what is logged to whoever keeps the training's log."""

    def __init__(self, say: Callable[[str], object], prefix: str) -> None:
        super().__init__(logging.INFO)
        self._say, self._prefix = say, prefix

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line."""
        self._say(self._prefix + self.format(record))


def _say_what_is_logged(foreman: Any, rank: int) -> None:
    ours = logging.getLogger("tuning")
    ours.setLevel(logging.INFO)
    ours.addHandler(_Saying(foreman.say.remote, f"worker {rank}: "))


def work(given: Mapping[str, Any]) -> None:
    """Train as one of the team that Ray Train has set up; `given` holds the plan and the foreman.

    Errors that would come again are told to the foreman, who then doesn't begin anew.
    """
    import ray
    from ray.train import get_context

    go_offline()
    plan, foreman, rank = given["plan"], given["foreman"], get_context().get_world_rank()
    leads = rank == 0
    name = f"{plan.name}-{rank}"
    _say_what_is_logged(foreman, rank)
    _log.info("on host %s, process %d", socket.gethostname(), os.getpid())
    scratch = scratch_of(plan)
    try:
        with working_folder(scratch, name) as own:
            folder = ToldFolder(own.path, foreman.tell.remote) if leads else own
            _train(plan, foreman, folder, scratch=scratch, leads=leads)
    except StorageUnavailable:
        raise  # as if this worker were lost: the store may be back in a moment
    except Exception as error:
        told = error if isinstance(error, UnderstudyError) else storage_error(error)
        told = told or _out_of_memory(error)
        if told is not None:
            outcome = {"kind": type(told).__name__, "message": str(told)}
            ray.get(foreman.conclude.remote(outcome))
        raise


def _train(plan: Plan, foreman: Any, folder: JobFolder, *, scratch: Path, leads: bool) -> None:
    import ray

    from tuning.training.team import Team
    from tuning.training.train import train

    store = open_store(plan.store_url, endpoint=plan.store_endpoint)
    checkpoints = Checkpoints(store, plan.key)
    spec = bring_in(plan, store, folder, scratch=scratch, host=socket.gethostname())
    spec = spec.model_copy(update=_share_of_host(plan))
    spent = ray.get(foreman.elapsed.remote())
    JobFolder.append_progress(folder, {"stage": "loading", "elapsed_seconds": spent})
    go_on(checkpoints, folder)

    def keep(checkpoint: Path | None) -> None:
        if checkpoint is not None:
            checkpoints.put(checkpoint)
            foreman.kept.remote(int(checkpoint.name.rpartition("-")[2]))

    train(folder, spec, on_checkpoint=keep)
    if leads:
        relabel(folder.adapter, plan.spec, workers=Team.joined().size)
        store.erase(f"{plan.key}/adapter")
        store.put(folder.adapter, f"{plan.key}/adapter")
        if spec.curves is not None and spec.curves.is_dir():
            store.put(spec.curves, f"{plan.key}/curves")
        ray.get(foreman.conclude.remote({"digest": content_hash(folder.adapter)}))


def go_on(checkpoints: Checkpoints, folder: JobFolder) -> None:
    """Lay the newest whole checkpoint into each one's folder: the one that the first has found.

    Raises:
        StorageUnavailable: another than the first can't read it.
    """
    from torch import distributed

    is_team = distributed.is_initialized() and distributed.get_world_size() > 1
    leads = not is_team or distributed.get_rank() == 0
    chosen = [_newest(checkpoints, folder) if leads else None]
    if is_team:
        distributed.broadcast_object_list(chosen)
    place = chosen[0]
    if not leads and place is not None and not _laid(checkpoints, place, folder):
        raise StorageUnavailable(f"Checkpoint {place} of {checkpoints.key} is damaged.")


def _newest(checkpoints: Checkpoints, folder: JobFolder) -> str | None:
    return next((name for name in checkpoints.newest() if _laid(checkpoints, name, folder)), None)


def _laid(checkpoints: Checkpoints, place: str, folder: JobFolder) -> bool:
    return checkpoints.get(place, folder) and folder.last_checkpoint() is not None


def _share_of_host(plan: Plan) -> dict[str, Any]:
    """Threads and memory of a worker that has a host, or a GPU, for itself or with others."""
    import torch
    from ray.train import get_context

    from tuning.training import hardware

    threads = {"threads": max(1, int(plan.cpus))}
    if plan.gpus == 1:
        return threads | {"memory_mb": None}
    if plan.gpus:
        whole = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
        return threads | {"memory_mb": int(whole * plan.gpus) >> 20}
    others = get_context().get_local_world_size()
    return threads | {"memory_mb": hardware.free_megabytes() // others if others > 1 else None}


def relabel(adapter: Path, spec: Spec, *, workers: int) -> None:
    """Give an adapter the labels that it would have had from a local training, and its team's size.

    The base model lay in another folder on the host where it was trained.
    """
    config = json.loads((adapter / CONFIG).read_text())
    config["base_model_name_or_path"] = spec.base_model
    (adapter / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True))
    manifest = json.loads((adapter / MANIFEST).read_text())
    manifest |= {"base_model": spec.base_model, "workers": workers}
    (adapter / MANIFEST).write_text(json.dumps(manifest, indent=1))


def _out_of_memory(error: Exception) -> UnderstudyError | None:
    from records.errors import TrainingFailed
    from tuning.training.step import out_of_memory

    if not out_of_memory(error):
        return None
    return TrainingFailed(
        "A worker of the cluster had too little memory: lower max_length, take a smaller base, or "
        "give workers more (UNDERSTUDY_RAY_CPUS, UNDERSTUDY_RAY_GPUS)."
    )
