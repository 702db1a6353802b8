"""On one of the cluster's hosts: its scratch folder, and a training's inputs within its reach."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from records.errors import NotFound
from records.object_store import ObjectStore
from records.settings import make_folder
from tuning.ray.plan import Input, Plan, is_same, unseen
from tuning.training.job_folder import JobFolder, Spec
from tuning.training.locks import exclusive, is_held


def scratch_of(plan: Plan) -> Path:
    """The host's folder for copies and working files, readable by its user alone."""
    usual = Path(tempfile.gettempdir()) / f"understudy-ray-{os.getuid()}"
    folder = Path(plan.scratch) if plan.scratch else usual
    make_folder(folder)
    return folder


@contextmanager
def working_folder(scratch: Path, name: str) -> Iterator[JobFolder]:
    """A job folder of one worker's own, gone when it ends; those of killed ones go too."""
    folders = scratch / "trainings"
    for left in folders.glob("*"):
        if not is_held(left / "lock"):
            shutil.rmtree(left, ignore_errors=True)
    folder = JobFolder(folders / f"{name}-{os.getpid()}")
    with exclusive(folder.lock):
        try:
            yield folder
        finally:
            shutil.rmtree(folder.path, ignore_errors=True)


def bring_in(
    plan: Plan, store: ObjectStore, folder: JobFolder, *, scratch: Path, host: str
) -> Spec:
    """The specification with folders of this host.

    Base models are kept for the next training; customers' words go with the working folder.

    Raises:
        ConfigurationError: an input is neither seen here nor in a store.
        NotFound, StorageError: it can't be fetched.
    """
    spec = plan.spec
    dataset = _reach(plan.dataset, store, folder.path / "dataset", host=host, what="the dataset")
    base = _reach_base(plan, store, scratch, host=host)
    start = None
    if plan.start is not None:
        at = folder.path / "start"
        start = _reach(plan.start, store, at, host=host, what="the champion's adapter")
    return spec.model_copy(
        update={
            "base_model": str(base),
            "dataset_folder": dataset,
            "start_adapter": start,
            "curves": folder.path / "curves",
            "accelerator_lock": folder.path / "accelerator.lock",
        }
    )


def _reach_base(plan: Plan, store: ObjectStore, scratch: Path, *, host: str) -> Path:
    """The base model, copied once per host however many workers want it at the same time."""
    at = scratch / "bases" / plan.base.fingerprint
    if is_same(plan.base):
        return plan.base.folder
    with exclusive(at.with_suffix(".lock")):
        return at if at.exists() else _fetch(plan.base, store, at, host=host, what="the base model")


def _reach(given: Input, store: ObjectStore, at: Path, *, host: str, what: str) -> Path:
    return given.folder if is_same(given) else _fetch(given, store, at, host=host, what=what)


def _fetch(given: Input, store: ObjectStore, at: Path, *, host: str, what: str) -> Path:
    if given.stored is None:
        raise unseen(given, host=host, what=what)
    arriving = at.with_name(f"{at.name}.arriving")
    shutil.rmtree(arriving, ignore_errors=True)
    if not store.get(given.stored, arriving):
        raise NotFound(f"{what} ({given.stored}) is not in the artifact store {store.url}.")
    arriving.rename(at)
    return at
