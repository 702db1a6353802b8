"""Leaving a long query at once: a second thread looks whether the work is still wanted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.5
_AGAIN_SECONDS = 0.05
"""Between queries there is nothing to interrupt: the next one is, when it has begun."""


@contextmanager
def interrupted(interrupt: Callable[[], None], *, check: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` as soon as `check` raises, until the block has ended; then raise that.

    `interrupt` ends a running query of the block's, and does nothing where none runs.
    """
    ended = threading.Event()
    reasons: list[BaseException] = []

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            try:
                check()
            except BaseException as reason:  # noqa: BLE001 - raised below, in its own thread
                reasons.append(reason)
                break
        while reasons and not ended.wait(_AGAIN_SECONDS):
            interrupt()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    except Exception:
        if reasons:
            raise reasons[0] from None  # the query's own error only says that it was interrupted
        raise
    finally:
        ended.set()
        watching.join()
    if reasons:
        raise reasons[0]
