"""Planning a training: what goes into the store, and what is forgotten there when it ends."""

from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.errors import ConfigurationError, StorageDamaged, UnderstudyError
from tests.tuning.ray.planned import a_folder, a_plan
from tuning.ray.planning import forget, make_plan, open_store, stored_path
from tuning.ray.settings import RaySettings
from tuning.ray.train import bring_home
from tuning.training.job_folder import JobFolder


def a_job(home: Path, dataset: Path, **changes: object) -> JobFolder:
    spec = a_plan(home / "made").spec
    folder = JobFolder(home / "jobs" / "job_1")
    folder.write_spec(spec.model_copy(update={"dataset_folder": dataset, **changes}))
    return folder


def test_behind_a_url_what_hosts_need_is_put_there_once(tmp_path: Path) -> None:
    settings = RaySettings(home=tmp_path, artifacts_url="memory://planning", ray_workers=3)
    published = a_folder(tmp_path / "cache" / "datasets" / "ds-1", train="rows")
    plan = make_plan(a_job(tmp_path, published), settings)
    assert plan.workers == 3
    assert plan.key == "trainings/job_1"
    assert plan.base.stored == f"bases/{'1' * 64}"
    assert plan.dataset.stored == "datasets/ds-1"
    remote = Artifacts.of(settings).remote
    assert remote is not None
    assert set(remote.contents(plan.base.stored)) == {"config", "weights"}
    assert remote.holds("datasets/ds-1")


def test_a_searchs_own_subset_is_put_beside_its_trial_and_goes_with_it(tmp_path: Path) -> None:
    settings = RaySettings(home=tmp_path, artifacts_url="memory://subset")
    folder = a_job(tmp_path, a_folder(tmp_path / "elsewhere", train="rows"))
    plan = make_plan(folder, settings)
    assert plan.dataset.stored == "trainings/job_1/dataset"
    artifacts = Artifacts.of(settings)
    forget(artifacts, folder.path, jobs=tmp_path / "jobs")
    assert artifacts.remote is not None
    assert not artifacts.remote.holds("trainings/job_1/dataset")
    assert artifacts.remote.holds(str(plan.base.stored))


def test_in_a_folder_store_nothing_is_copied(tmp_path: Path) -> None:
    settings = RaySettings(home=tmp_path)
    plan = make_plan(a_job(tmp_path, a_folder(tmp_path / "d", train="rows")), settings)
    assert plan.base.stored is None
    assert plan.dataset.stored is None
    assert not (tmp_path / "artifacts").exists()


def test_a_base_model_that_is_not_here_is_a_sentence(tmp_path: Path) -> None:
    folder = a_job(tmp_path, a_folder(tmp_path / "d", train="rows"), base_model="some/where")
    with pytest.raises(ConfigurationError, match="some/where is not on this machine"):
        make_plan(folder, RaySettings(home=tmp_path))


def test_trials_lie_below_their_job(tmp_path: Path) -> None:
    trial = tmp_path / "job_1" / "trials" / "3"
    assert stored_path(tmp_path, trial) == "trainings/job_1/trials/3"
    assert stored_path(tmp_path / "jobs", Path("/somewhere/x")) == "trainings/x"


def test_forgetting_waits_for_no_store(tmp_path: Path) -> None:
    class Away(Artifacts):
        def erase(self, path: str) -> None:
            raise ConfigurationError("nobody there")

    forget(Away(str(tmp_path), cache=tmp_path), tmp_path / "job_1", jobs=tmp_path)


def test_an_adapter_that_arrives_otherwise_than_it_was_trained_is_refused(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    folder = JobFolder(a_folder(tmp_path / "job"))
    with pytest.raises(StorageDamaged, match="did not arrive"):
        bring_home(folder, plan, digest="d" * 64)
    store = open_store(plan.store_url, endpoint="")
    store.put(a_folder(tmp_path / "adapter", weights="w"), f"{plan.key}/adapter")
    with pytest.raises(UnderstudyError, match="did not arrive"):
        bring_home(folder, plan, digest="d" * 64)
    assert not folder.adapter.exists()
