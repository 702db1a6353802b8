"""Plans: what a worker wants, what is the same folder elsewhere, how many begin next."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.ray.planned import a_folder, a_plan, an_input
from tuning.ray.plan import fingerprint, is_same, sizes


def test_workers_that_share_a_gpu_gather_by_gloo_and_others_by_nccl(tmp_path: Path) -> None:
    assert a_plan(tmp_path, gpus=1.0).gathers_by == "nccl"
    assert a_plan(tmp_path, gpus=0.5).gathers_by == "gloo"
    assert a_plan(tmp_path, gpus=0.0).gathers_by == "gloo"


def test_a_worker_wants_gpus_only_where_it_is_to_have_some(tmp_path: Path) -> None:
    assert a_plan(tmp_path, resources={"fast_disk": 1.0}).wants == {"CPU": 2.0, "fast_disk": 1.0}
    assert a_plan(tmp_path, gpus=0.5).wants == {"CPU": 2.0, "GPU": 0.5}


def test_a_folder_is_the_same_by_names_sizes_and_small_files_content(tmp_path: Path) -> None:
    one = a_folder(tmp_path / "one", a="x", b="y")
    assert fingerprint(one) == fingerprint(a_folder(tmp_path / "two", b="y", a="x"))
    given_one = an_input(one)
    assert is_same(given_one)
    for name, content in (("a", "z"), ("a", "xx"), ("c", "")):
        (one / name).write_text(content)
        assert not is_same(given_one)
        (one / "c").unlink(missing_ok=True)
        (one / "a").write_text("x")
    assert not is_same(given_one.model_copy(update={"folder": tmp_path / "nowhere"}))


@given(st.integers(1, 64), st.integers(0, 100))
def test_fewer_workers_are_tried_until_one_and_then_all_again(workers: int, room: int) -> None:
    tried = [workers]
    while len(tried) == 1 or tried[-1] != workers:
        tried.append(sizes(workers, tried=tried[-1], room=room))
        assert len(tried) <= workers + 1
    going_down = tried[:-1]
    assert going_down == sorted(set(going_down), reverse=True)
    assert going_down[-1] == 1
    assert all(number <= max(1, room) for number in going_down[1:])
