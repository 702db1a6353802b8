"""A host reaches a training's inputs: where they lie, from the store, or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from records.errors import ConfigurationError, NotFound
from tests.tuning.ray.planned import a_folder, a_plan, an_input
from tuning.ray.host import bring_in, scratch_of, working_folder
from tuning.ray.plan import Plan
from tuning.ray.planning import open_store
from tuning.training.job_folder import JobFolder, Spec


def reach(plan: Plan, folder: Path) -> Spec:
    store = open_store(plan.store_url, endpoint="")
    working = JobFolder(a_folder(folder))
    return bring_in(plan, store, working, scratch=scratch_of(plan), host="gpu-7")


def test_folders_that_the_host_sees_too_are_used_where_they_lie(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    spec = reach(plan, tmp_path / "working")
    assert spec.base_model == plan.spec.base_model
    assert spec.dataset_folder == plan.spec.dataset_folder
    assert list((tmp_path / "working").iterdir()) == []


@pytest.mark.parametrize("what", ["base", "dataset", "start"])
def test_without_a_store_or_a_shared_folder_the_host_says_what_it_lacks(
    tmp_path: Path, what: str
) -> None:
    elsewhere = an_input(a_folder(tmp_path / "elsewhere", x="y"))
    plan = a_plan(tmp_path, **{what: elsewhere})
    (tmp_path / "elsewhere" / "x").write_text("other")
    with pytest.raises(ConfigurationError, match=r"gpu-7.*elsewhere.*UNDERSTUDY_ARTIFACTS_URL"):
        reach(plan, tmp_path / "working")


def test_from_a_store_each_input_arrives_and_the_base_model_stays(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    store = open_store(plan.store_url, endpoint="")
    changes = {}
    for name, path in (("base", "bases/1"), ("dataset", "datasets/ds-1")):
        folder = getattr(plan, name).folder
        store.put(folder, path)
        given = an_input(folder, stored=path)
        changes[name] = given.model_copy(update={"folder": tmp_path / "not-here" / name})
    spec = reach(plan.model_copy(update=changes), tmp_path / "working")
    assert (Path(spec.base_model) / "weights").read_text() == "w" * 100
    assert spec.dataset_folder == tmp_path / "working" / "dataset"
    assert (spec.dataset_folder / "train").read_text() == "rows"
    store.erase("bases/1")
    again = reach(plan.model_copy(update=changes), tmp_path / "again")
    assert again.base_model == spec.base_model
    store.erase("datasets/ds-1")
    with pytest.raises(NotFound, match="the dataset"):
        reach(plan.model_copy(update=changes), tmp_path / "third")


def test_working_folders_of_killed_workers_go_and_those_of_others_stay(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tuning.ray.host import working_folder\n"
        "with working_folder(Path(sys.argv[1]), 'killed') as folder:\n"
        "    (folder.path / 'words').write_text('of customers')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert len(list((tmp_path / "trainings").iterdir())) == 1
    with (
        working_folder(tmp_path, "first") as first,
        working_folder(tmp_path, "second") as second,
    ):
        assert {first.path, second.path} == set((tmp_path / "trainings").iterdir())
        assert str(os.getpid()) in first.path.name
    assert list((tmp_path / "trainings").iterdir()) == []
