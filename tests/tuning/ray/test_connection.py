"""What stands against a cluster is a sentence, and soon."""

import socket
import threading
import time

import pytest

from records.errors import ConfigurationError
from tests.conftest import free_port
from tuning.ray.connection import connected, knock, sentence

_MISMATCH = (
    "Version mismatch: The cluster was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    "This process on node 10.0.0.1 was started with:\n    Ray: 2.59.0\n    Python: 3.11.7\n"
)


@pytest.mark.parametrize("form", ["ray://127.0.0.1:{}", "127.0.0.1:{}"])
def test_an_address_where_nobody_is_is_named_at_once(form: str) -> None:
    address, began = form.format(free_port()), time.monotonic()
    nobody = pytest.raises(ConfigurationError, match=f"UNDERSTUDY_RAY_ADDRESS={address}")
    with nobody, connected(address):
        pass
    assert time.monotonic() - began < 2


def test_a_cluster_that_comes_back_is_waited_for() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        threading.Timer(0.05, listening.listen).start()
        knock(f"127.0.0.1:{listening.getsockname()[1]}", wait_seconds=10)
    with pytest.raises(ConfigurationError, match="No Ray cluster answers"):
        knock(f"127.0.0.1:{free_port()}", wait_seconds=0.01)


def test_other_versions_are_shown_with_what_to_do() -> None:
    told = str(sentence(RuntimeError(_MISMATCH), "ray://head:10001"))
    assert "Ray: 2.60.0" in told
    assert "Ray: 2.59.0" in told
    assert "\n" not in told
    assert "Install the same Ray and the same Python" in told


def test_a_machine_that_is_no_node_is_told_of_the_other_way() -> None:
    told = str(sentence(RuntimeError("no raylet here"), "head:6379"))
    assert "ray start --address" in told
    assert "ray://HOST:10001" in told
    assert "ray[client]" in str(sentence(ConnectionError("timeout"), "ray://head:10001"))
