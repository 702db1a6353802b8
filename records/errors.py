"""The error tree, named by cause.

Every error that a person may see derives from `UnderstudyError`; its text is one sentence that
says what happened and, where there is a remedy, what to do. No HTTP status or Slack text lives
here: each edge (HTTP, Slack, command line) translates once.

    UnderstudyError
    ├── InvalidInput            the caller sent something that cannot be used
    ├── NotFound                a name or id that does not exist
    ├── Conflict                the state of things forbids it (already taken, promoted, ...)
    ├── Unauthorized            no key, or a wrong one
    ├── Forbidden               known, but not allowed
    ├── RateLimited             more requests than a key's or a customer's share
    ├── Overloaded              more requests at once than can be served
    ├── ConfigurationError      settings or an assistant's file need mending
    ├── EngineError             the model engine ...
    │   ├── EngineUnavailable       cannot be reached, or answered 5xx
    │   ├── EngineRefused           answered 4xx: the request cannot be served as it is
    │   └── EngineInterrupted       stopped in the middle of an answer
    ├── AdapterError            an adapter must not be served
    │   ├── AdapterUnservable       the engine could not serve it (rank, modules, shapes, base)
    │   ├── AdapterTampered         its files differ from its name
    │   └── AdapterNotApplied       loaded, but its effect cannot be measured
    ├── StorageError            records or artifacts cannot be written or read
    │   ├── StorageFull             no space
    │   ├── StorageDamaged          something is not what was written
    │   └── StorageUnavailable      locked, gone, or refused
    ├── EmptyDataset            nothing approved to train on
    ├── LeakedCases             test cases found in training data
    └── TrainingFailed          the trainer's process ended without an adapter
"""

from collections.abc import Mapping


class UnderstudyError(Exception):
    """Base of all errors that are shown to a person as one sentence."""


class InvalidInput(UnderstudyError):
    """The caller sent something that cannot be used; `field` names where."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(UnderstudyError):
    """A name or id that does not exist."""


class Conflict(UnderstudyError):
    """The state of things forbids it."""


class Unauthorized(UnderstudyError):
    """No key, or a wrong one."""


class Forbidden(UnderstudyError):
    """The caller is known but not allowed to do this."""


class RateLimited(UnderstudyError):
    """More requests than a key's or a customer's share; told with when to come again."""

    def __init__(
        self, message: str, *, retry_after_seconds: float, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers or {}
        """What a client is told of its limits, by name."""


class Overloaded(UnderstudyError):
    """More requests at once than can be served; nothing was begun."""


class ConfigurationError(UnderstudyError):
    """Settings or an assistant's file need mending."""


class EngineError(UnderstudyError):
    """The model engine could not do what was asked."""


class EngineUnavailable(EngineError):
    """The engine cannot be reached, timed out, or answered 5xx."""


class EngineRefused(EngineError):
    """The engine answered 4xx; `status` is its HTTP status."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class EngineInterrupted(EngineError):
    """The engine stopped in the middle of an answer."""


class AdapterError(UnderstudyError):
    """An adapter must not be served."""


class AdapterUnservable(AdapterError):
    """The engine could not serve this adapter."""


class AdapterTampered(AdapterError):
    """The adapter's files differ from what its name promises."""


class AdapterNotApplied(AdapterError):
    """The adapter is loaded but its effect on the engine's answers cannot be measured."""


class StorageError(UnderstudyError):
    """Records or artifacts cannot be written or read."""


class StorageFull(StorageError):
    """No space is left."""


class StorageDamaged(StorageError):
    """What is stored is not what was written."""


class StorageUnavailable(StorageError):
    """The store is locked, gone, or refuses."""


class EmptyDataset(UnderstudyError):
    """Nothing approved to train on."""


class LeakedCases(UnderstudyError):
    """Frozen test cases were found in training data."""


class TrainingFailed(UnderstudyError):
    """The trainer's process ended without an adapter."""
