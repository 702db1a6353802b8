"""Reaching a Ray cluster, or making one of this machine; what stands against it, as a sentence.

Ray itself waits minutes for an address where nobody is, and ends the process: so it is knocked
there first.
"""

import contextlib
import os
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from records.errors import ConfigurationError, UnderstudyError

NAMESPACE = "understudy"
_KNOCK_SECONDS, _PAUSE_SECONDS = 5.0, 0.5
_CONNECT_SECONDS = 120.0
_CLIENT = "ray://"
_GRACE_SECONDS = 10
"""A cluster that is asked from outside ends our work so long after we were killed."""
_OBJECT_STORE_BYTES = 256 << 20
"""Nothing large goes through it; Ray would set a third of the memory aside."""
_LET_IN = (
    "One that wants a token answers nobody without it: set RAY_AUTH_MODE=token and "
    "RAY_AUTH_TOKEN_PATH for Understudy's worker as on the cluster's nodes."
)
_PARTS = ("records", "evaluation", "tuning")
_REPOSITORY = Path(__file__).resolve().parents[2]


@contextmanager
def connected(address: str, *, wait_seconds: float = 0) -> Iterator[None]:
    """Be connected with the cluster at `address`; "" makes one of this machine.

    An address where nobody is is knocked at for `wait_seconds` in all.

    Raises:
        ConfigurationError: it can't be used.
    """
    if find_spec("ray") is None:
        raise ConfigurationError(
            "UNDERSTUDY_BACKEND=ray wants Ray: pip install 'understudy[ray]', or set it to local."
        )
    if address not in ("", "auto"):
        knock(address, wait_seconds=wait_seconds)
    for name, value in _environment(address).items():
        os.environ.setdefault(name, value)  # before Ray is imported
    import ray
    from ray.exceptions import RayError

    try:
        with _within(_CONNECT_SECONDS, address):
            ray.init(**_options(address))
    except (RayError, RuntimeError, ConnectionError, OSError, ValueError) as error:
        raise sentence(error, address) from error
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # the cluster may be gone
            ray.shutdown()


@contextmanager
def _within(seconds: float, address: str) -> Iterator[None]:
    """See that a cluster whose head is half gone doesn't hold us for ever; in the main thread."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"{address} didn't take us in within {seconds:.0f} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def knock(address: str, *, wait_seconds: float) -> None:
    """See that somebody listens there.

    Raises:
        ConfigurationError: nobody does.
    """
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
            return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise ConfigurationError(
                    f"No Ray cluster answers at UNDERSTUDY_RAY_ADDRESS={address} ({error}). Start "
                    "its head (`ray start --head`), or set the address of one that runs."
                ) from error
        time.sleep(min(_PAUSE_SECONDS, max(0.0, deadline - time.monotonic())))


def sentence(error: Exception, address: str) -> UnderstudyError:
    """Why a cluster that is there can't be used."""
    told = " ".join(str(error).split())
    if "ersion mismatch" in told or "ersions" in told:
        return ConfigurationError(
            f"The Ray cluster at {address} runs other versions than this machine: {told} Install "
            "the same Ray and the same Python (to the last figure) on both."
        )
    if address.startswith(_CLIENT):
        return ConfigurationError(
            f"The Ray cluster at {address} can't be used: {told}. Its head must have `ray[client]` "
            f"installed. {_LET_IN}"
        )
    return ConfigurationError(
        f"The Ray cluster at {address or 'this machine'} can't be used: {told}. HOST:6379 works on "
        "the cluster's own nodes alone (`ray start --address=HOST:6379 --num-cpus=0` makes this "
        f"machine one); from elsewhere set ray://HOST:10001. {_LET_IN}"
    )


def _environment(address: str) -> dict[str, str]:
    """What Ray reads before it begins; what the user has set goes before."""
    chosen = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_CLIENT_RECONNECT_GRACE_PERIOD": str(_GRACE_SECONDS),
    }
    if address:
        return chosen
    # A cluster of our own lets nobody else in; Ray would keep a token in the home folder, which
    # then changes how every later cluster of this user starts.
    return chosen | {"RAY_AUTH_MODE": "token", "RAY_AUTH_LET_IN": secrets.token_hex(32)}


def _options(address: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "namespace": NAMESPACE,
        "log_to_driver": False,  # Ray's own is loud; what matters comes through the foreman
        "runtime_env": {
            # Hosts need the libraries; our own code comes from here, so that it is the same.
            "py_modules": [str(_REPOSITORY / part) for part in _PARTS],
            "excludes": ["**/__pycache__/**"],
            "env_vars": {"OMP_WAIT_POLICY": "PASSIVE", "RAY_USAGE_STATS_ENABLED": "0"},
        },
    }
    if address:
        return options | {"address": address}
    return options | {
        "address": "local",
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
    }
