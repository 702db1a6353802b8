"""A request on its way to an engine: what it has met so far, and whether another may be tried."""

from collections.abc import Sequence
from dataclasses import dataclass

from records.errors import EngineError, EngineRefused, EngineUnavailable
from serving.replica import Replica

_CLIENTS_FAULT = (400, 413, 422)
_NOT_FOUND = 404


@dataclass(slots=True)
class Attempt:
    """One request; its time is one, however many engines are tried."""

    version: str
    affinity: str
    deadline: float
    tried: tuple[Replica, ...] = ()
    _was_unknown: bool = False

    def seconds_left(self, now: float) -> float:
        """How long an engine may take.

        Raises:
            EngineUnavailable: no time is left.
        """
        if now >= self.deadline:
            raise EngineUnavailable("No engine has answered in time.")
        return self.deadline - now

    def able(self, replicas: Sequence[Replica]) -> Sequence[Replica]:
        """Those that were not tried."""
        if not self.tried:
            return replicas
        return [replica for replica in replicas if replica not in self.tried]

    def failed(self, error: EngineError, replica: Replica) -> None:
        """Note that an engine gave no byte of an answer.

        Raises:
            EngineRefused: the request is at fault, so that no other engine would help.
        """
        if not isinstance(error, EngineRefused):
            replica.failed()
        elif error.status in _CLIENTS_FAULT:
            raise error
        elif error.status == _NOT_FOUND and not self._was_unknown:
            # It is well but has lost the version. That is loaded again, which is waited for once.
            self._was_unknown = True
            replica.forget(self.version)
            replica.hurry.set()
            return
        self.tried = (*self.tried, replica)
