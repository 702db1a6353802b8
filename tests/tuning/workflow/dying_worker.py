"""`understudy worker` with a stand-in trainer, which dies by kill -9 where it is told to.

DIE_AT in the environment: `end of STEP` (its work is done, and nobody knows) or `stage STAGE` (in
the middle of it). Each worker dies once; without DIE_AT it lives.
"""

import os
import signal
import sys
from typing import Any

from tuning.main import worker
from tuning.workflow.retraining import Retraining
from tuning.workflow.telling import Telling
from tuning.workflow.worker import Worker

STANDIN = (sys.executable, "-m", "tests.tuning.standin_trainer")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(step: str) -> None:
    real = Retraining.attempt

    def attempt(self: Retraining, name: str, *arguments: Any) -> Any:
        result = real(self, name, *arguments)
        if name == step:
            die()
        return result

    Retraining.attempt = attempt  # type: ignore[method-assign]


def die_in(stage: str) -> None:
    real = Telling.tell

    def tell(self: Telling, job_id: str, told: str, *arguments: Any) -> None:
        real(self, job_id, told, *arguments)
        if str(told) == stage:
            die()

    Telling.tell = tell  # type: ignore[method-assign]


def main() -> None:
    assert Worker.__init__.__kwdefaults__ is not None
    Worker.__init__.__kwdefaults__["trainer"] = STANDIN
    told = os.environ.get("DIE_AT", "")
    if told.startswith("end of "):
        die_after(told.removeprefix("end of "))
    if told.startswith("stage "):
        die_in(told.removeprefix("stage "))
    worker(standalone_mode=False, args=[])


if __name__ == "__main__":
    main()
