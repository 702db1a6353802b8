"""The foreman: begins again after losses, and not after what no beginning mends."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.tuning.ray.planned import a_plan
from tuning.ray.foreman import Foreman


class WorkerGroupStartupTimeoutError(Exception):
    """As Ray Train names it."""


class NotStarted(Exception):
    controller_failure = WorkerGroupStartupTimeoutError()


LOST = RuntimeError("Traceback ...\nConnection reset by peer")
Attempt = Callable[["Scripted"], Exception | None]


class Scripted(Foreman):
    """A foreman whose attempts go as they are told to; the last one goes on for ever."""

    def __init__(self, folder: Path, attempts: Sequence[Attempt], *, room: int = 99) -> None:
        super().__init__(a_plan(folder, workers=4, losses=5), elapsed_seconds=7.0)
        self.attempts, self.room, self.sizes = list(attempts), room, list[int]()

    def _attempt(self, me: Any) -> Exception | None:
        self.sizes.append(self._workers)
        attempt = self.attempts.pop(0) if len(self.attempts) > 1 else self.attempts[0]
        return attempt(self)

    def _room(self) -> int:
        return self.room


def finishes(foreman: Foreman) -> None:
    foreman.conclude({"digest": "d"})


def loses(foreman: Foreman) -> Exception:
    return LOST


def loses_after_a_checkpoint(foreman: Foreman) -> Exception:
    foreman.kept(foreman._step + 4)
    return LOST


def refuses(foreman: Foreman) -> Exception:
    foreman.conclude({"kind": "TrainingFailed", "message": "The loss is nan"})
    return LOST


def does_not_start(foreman: Foreman) -> Exception:
    return NotStarted()


def test_after_a_loss_it_begins_again_with_all_workers_and_tells(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [loses_after_a_checkpoint, loses, finishes])
    assert foreman.run(None) == {"digest": "d"}
    assert foreman.sizes == [4, 4, 4]
    news, said = foreman.news()
    assert [line["stage"] for line in news] == ["going on without a lost worker"] * 2
    assert "Connection reset by peer" in said[0]
    assert foreman.news() == ([], [])


def test_what_a_worker_refuses_is_not_tried_again(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [refuses, finishes])
    assert foreman.run(None)["message"] == "The loss is nan"
    assert foreman.sizes == [4]


def test_failures_without_progress_between_them_are_no_losses(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [loses_after_a_checkpoint, loses])
    told = foreman.run(None)
    assert told["kind"] == "TrainingFailed"
    assert "Connection reset by peer" in told["message"]
    assert len(foreman.sizes) == 4


def test_losses_are_survived_only_as_often_as_is_set(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [loses_after_a_checkpoint])
    assert "6 times" in foreman.run(None)["message"]


def test_a_cluster_with_less_room_is_trained_on_with_fewer(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [does_not_start, finishes], room=2)
    assert foreman.run(None) == {"digest": "d"}
    assert foreman.sizes == [4, 2]
    (line,), _ = foreman.news()
    assert line == {"workers": 2, "stage": "waiting for the cluster"}


def test_waiting_for_room_is_no_loss_and_all_are_tried_again(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [*[does_not_start] * 9, finishes])
    assert foreman.run(None) == {"digest": "d"}
    assert foreman.sizes == [4, 3, 2, 1, 4, 3, 2, 1, 4, 3]


def test_time_spent_is_known_to_whoever_goes_on(tmp_path: Path) -> None:
    foreman = Scripted(tmp_path, [finishes])
    assert foreman.elapsed() == 7.0
    foreman.tell({"stage": "training", "elapsed_seconds": 12.5})
    foreman.tell({"stage": "saving"})
    assert foreman.elapsed() == 12.5
