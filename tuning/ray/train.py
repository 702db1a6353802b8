"""Train on a Ray cluster: `python -m tuning.ray.train JOB_FOLDER`; to its worker a trainer.

It stands beside `tuning.training.train` and does the same to the job's folder: progress, an error
or an adapter. It computes nothing itself. When it ends, by whatever, so does its work there.
"""

import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from records import errors
from records.artifacts import Artifacts, content_hash
from records.errors import ConfigurationError, StorageDamaged, TrainingFailed, UnderstudyError
from records.offline import go_offline
from tuning.ray.connection import NAMESPACE, connected
from tuning.ray.plan import Plan
from tuning.ray.planning import forget, make_plan, open_store
from tuning.ray.settings import RaySettings
from tuning.training.job_folder import END_WITH_STDIN, JobFolder, storage_error
from tuning.training.locks import exclusive
from tuning.workflow.stages import Stage

_LOOK_SECONDS = 0.25
_ANSWER_SECONDS = 60.0
_LEAVING_SECONDS = 1.5
"""The worker waits two seconds before it kills us."""
_MOST_LOST, _PAUSE_SECONDS = 5, 5.0
_LOST = "--lost"
"""Once for each time."""
_ON_HEAD = {"node:__internal_head__": 0.001}
_log = logging.getLogger(__name__)


def main() -> None:
    """Train what the folder's specification says; its errors are written there for the worker."""
    go_offline()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    folder = JobFolder(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=_leave).start())
    if END_WITH_STDIN in sys.argv[2:]:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        with exclusive(folder.lock):
            folder.clear_error()
            if not folder.adapter.exists():
                train(folder, RaySettings.load())
    except UnderstudyError as error:
        folder.write_error(error)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the process's edge: the worker gets a sentence
        _log.exception("training failed")
        told = f"Training on Ray failed: {type(error).__name__}: {error}"
        folder.write_error(storage_error(error) or TrainingFailed(told))
        sys.exit(1)


def _end_with_stdin() -> None:
    """The worker holds our standard input open; its end, even by kill -9, is ours."""
    os.read(0, 1)
    _leave()


def _leave() -> None:
    """End the work on the cluster now, then this process, whatever the cluster says."""
    threading.Timer(_LEAVING_SECONDS, lambda: os._exit(1)).start()
    with contextlib.suppress(Exception):
        import ray

        ray.shutdown()  # what belongs to us on the cluster ends with it
    os._exit(1)


def train(folder: JobFolder, settings: RaySettings) -> Path:
    """Train on the cluster that settings name; the adapter lies in the job's folder then.

    Raises:
        ConfigurationError: the cluster, the store or an input can't be used.
        TrainingFailed, AdapterUnservable, StorageError: why there is no adapter.
    """
    artifacts = Artifacts.of(settings)
    plan = make_plan(folder, settings)
    folder.append_progress({"stage": Stage.CLUSTER})
    with _accelerator(plan, settings), _cluster(folder, settings):
        outcome = _run(folder, plan)
    if "digest" not in outcome:
        kind: type[UnderstudyError] = getattr(errors, outcome["kind"], TrainingFailed)
        raise kind(outcome["message"])
    bring_home(folder, plan, digest=outcome["digest"])
    forget(artifacts, folder.path, jobs=settings.home / "jobs")
    return folder.adapter


@contextmanager
def _accelerator(plan: Plan, settings: RaySettings) -> Iterator[None]:
    """This machine's accelerator, where it is the cluster; others share theirs out themselves."""
    if settings.ray_address:
        yield
        return
    with exclusive(plan.spec.accelerator_lock):
        yield


@contextmanager
def _cluster(folder: JobFolder, settings: RaySettings) -> Iterator[None]:
    """The cluster; one that was lost is waited for until it takes us in again."""
    wait_seconds = settings.ray_wait_seconds if _lost() else 0
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(connected(settings.ray_address, wait_seconds=wait_seconds))
        except ConfigurationError as error:
            if not _lost():
                raise
            _log.warning("%s", error)
            time.sleep(_PAUSE_SECONDS)
            _begin_anew(folder)
        yield


def _run(folder: JobFolder, plan: Plan) -> Mapping[str, Any]:
    """Train, telling news as they come; begins anew where the cluster, or its head, is lost."""
    import ray
    from ray.exceptions import RayError, RayTaskError, RuntimeEnvSetupError

    from tuning.ray.foreman import Foreman

    try:
        _end_former(plan.name)
        lines, _ = folder.read_progress()
        spent = max((line.get("elapsed_seconds") or 0.0 for line in lines), default=0.0)
        foreman = (
            ray.remote(Foreman)
            .options(name=plan.name, num_cpus=0, resources=_ON_HEAD, max_concurrency=32)
            .remote(plan, elapsed_seconds=spent)
        )
        running = foreman.run.remote(foreman)
        while True:
            done, _ = ray.wait([running], timeout=_LOOK_SECONDS)
            lines, said = ray.get(foreman.news.remote(), timeout=_ANSWER_SECONDS)
            for line in lines:
                folder.append_progress(line)
            for text in said:
                _log.info("%s", text)
            if done:
                found: dict[str, Any] = ray.get(running)
                return found
    except (RayTaskError, RuntimeEnvSetupError):
        raise
    except (RayError, ConnectionError) as error:
        _log.warning("the cluster was lost: %s", error)
        _begin_anew(folder)


def _lost() -> int:
    """How often the cluster was lost before this process took the place of another."""
    return sum(argument == _LOST for argument in sys.argv)


def _begin_anew(folder: JobFolder) -> NoReturn:
    """Take our own place: Ray's client does not forget a cluster that is gone, but waits for it.

    Raises:
        TrainingFailed: the cluster is lost too often.
    """
    if _lost() >= _MOST_LOST:
        raise TrainingFailed(
            f"The Ray cluster was lost {_lost() + 1} times in training. The checkpoints are in the "
            "artifact store until the job ends; see why its head restarts, and retrain."
        )
    folder.append_progress({"stage": Stage.CLUSTER_LOST})
    command = [sys.executable, "-m", __spec__.name, *sys.argv[1:], _LOST]
    os.execv(sys.executable, command)  # noqa: S606 - this very command


def _end_former(name: str) -> None:
    """See that what was killed a moment ago doesn't go on beside us, writing where we write."""
    import ray

    while True:
        try:
            ray.kill(ray.get_actor(name, namespace=NAMESPACE))
        except ValueError:
            return
        time.sleep(_LOOK_SECONDS)


def bring_home(folder: JobFolder, plan: Plan, *, digest: str) -> None:
    """Fetch the finished adapter, and curves; it appears whole, byte for byte, or not at all.

    Raises:
        StorageDamaged: what arrived is not what was trained.
        StorageUnavailable, StorageFull: it can't be fetched.
    """
    store = open_store(plan.store_url, endpoint=plan.store_endpoint)
    shutil.rmtree(folder.arriving, ignore_errors=True)
    there = store.get(f"{plan.key}/adapter", folder.arriving)
    if not there or content_hash(folder.arriving) != digest:
        raise StorageDamaged(
            f"The adapter that was trained on the cluster did not arrive as it was ({plan.key} in "
            f"{store.url}): retrain."
        )
    if plan.spec.curves is not None:
        store.get(f"{plan.key}/curves", plan.spec.curves)
    folder.arriving.rename(folder.adapter)


if __name__ == "__main__":
    main()
