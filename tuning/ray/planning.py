"""From a job's specification to a plan for a cluster: inputs go to where every host finds them.

Behind a URL the artifact store carries everything: datasets and adapters are there already, the
base model is put there once. A store that is a folder carries nothing: hosts must mount it.
"""

import logging
from pathlib import Path

from records.artifacts import Artifacts
from records.errors import ConfigurationError, StorageError
from records.object_store import ObjectStore
from tuning.ray.plan import Input, Plan, fingerprint
from tuning.ray.settings import RaySettings, read_resources
from tuning.training.job_folder import JobFolder

TRAININGS = "trainings"
"""Where in the store trainings keep what they go on from; nothing there outlives its job."""
_log = logging.getLogger(__name__)


def stored_path(jobs: Path, folder: Path) -> str:
    """The store's path for a job's or a search's trial's folder: below `jobs`, as it is there."""
    inside = folder.relative_to(jobs).as_posix() if folder.is_relative_to(jobs) else folder.name
    return f"{TRAININGS}/{inside}"


def open_store(url: str, *, endpoint: str) -> ObjectStore:
    """The artifact store as every host opens it; a folder is one like any other."""
    if "://" not in url:
        url = f"file://{Path(url).absolute()}"
    return ObjectStore(url, endpoint=endpoint)


def make_plan(folder: JobFolder, settings: RaySettings) -> Plan:
    """Plan a training, and put what hosts must fetch into the store.

    Raises:
        StorageUnavailable, StorageFull, ConfigurationError: the store can't be used, or the base
            model isn't on this machine.
    """
    spec = folder.read_spec()
    artifacts = Artifacts.of(settings)
    key = stored_path(settings.home / "jobs", folder.path)
    base = _base_folder(spec.base_model)
    return Plan(
        key=key,
        spec=spec,
        store_url=settings.artifacts,
        store_endpoint=settings.artifacts_endpoint,
        base=_input(artifacts, base, path=f"bases/{spec.base_hash}"),
        dataset=_published(artifacts, spec.dataset_folder, otherwise=f"{key}/dataset"),
        start=(
            _published(artifacts, spec.start_adapter, otherwise=f"{key}/start")
            if spec.start_adapter is not None
            else None
        ),
        workers=settings.ray_workers,
        cpus=settings.ray_cpus,
        gpus=settings.ray_gpus,
        resources=read_resources(settings.ray_resources),
        wait_seconds=settings.ray_wait_seconds,
        losses=settings.ray_losses,
        scratch=settings.ray_scratch,
    )


def forget(artifacts: Artifacts, folder: Path, *, jobs: Path) -> None:
    """Remove from the store what an ended training, and its search's trials, went on from.

    A store that is away keeps it: nobody waits for that.
    """
    path = stored_path(jobs, folder)
    try:
        artifacts.erase(path)
    except (StorageError, ConfigurationError) as error:
        _log.warning("%s stays in the artifact store: %s", path, error)


def _published(artifacts: Artifacts, folder: Path, *, otherwise: str) -> Input:
    """An input that is an artifact as a rule; what is none (a search's subset) is put beside."""
    inside = folder.is_relative_to(artifacts.cache)
    path = folder.relative_to(artifacts.cache).as_posix() if inside else otherwise
    return _input(artifacts, folder, path=path)


def _input(artifacts: Artifacts, folder: Path, *, path: str) -> Input:
    if artifacts.remote is not None and not artifacts.remote.holds(path):
        artifacts.remote.put(folder, path)
    return Input(
        folder=folder.absolute(),
        fingerprint=fingerprint(folder),
        stored=path if artifacts.remote is not None else None,
    )


def _base_folder(base_model: str) -> Path:
    """The folder of a base model, also of one that is known by its hub name."""
    if Path(base_model).is_dir():
        return Path(base_model)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(base_model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ConfigurationError(
            f"The base model {base_model} is not on this machine, so that it can't be given to "
            "the cluster. Name a folder in the assistant's YAML, or download it once with "
            "HF_HUB_OFFLINE=0."
        ) from error
