"""Artifacts behind S3 (moto's server on loopback): the whole loop, and what a cut-off leaves."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from records.artifacts import Artifacts
from records.errors import (
    ConfigurationError,
    NotFound,
    StorageDamaged,
    StorageFull,
    StorageUnavailable,
)
from tests.conftest import free_port
from tests.records.test_artifacts import a_folder

pytestmark = pytest.mark.slow
URL = "s3://understudy-test/some/prefix"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server that speaks S3, with one bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        _credentials(patch)
        client = boto3.client("s3", endpoint_url=address)
        client.create_bucket(Bucket="understudy-test")
        client.close()
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    _credentials(monkeypatch)


def _credentials(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("AWS_ACCESS_KEY_ID", "key")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def store(endpoint: str, cache: Path) -> Artifacts:
    return Artifacts(URL, cache=cache, endpoint=endpoint)


def test_what_one_machine_publishes_another_fetches_and_either_erases(
    endpoint: str, tmp_path: Path
) -> None:
    here, there = store(endpoint, tmp_path / "here"), store(endpoint, tmp_path / "there")
    folder = a_folder(tmp_path / "one", weights="w" * 100_000, config="{}")
    (folder / "more").mkdir()
    (folder / "more" / "deep").write_text("deep")
    here.publish(folder, "things/x")
    fetched = there.fetch("things/x")
    assert (fetched / "weights").read_text() == "w" * 100_000
    assert (fetched / "more" / "deep").read_text() == "deep"
    there.erase("things/x")
    there.erase("things/x")
    for shelf in (there, store(endpoint, tmp_path / "third")):
        with pytest.raises(NotFound):
            shelf.fetch("things/x")
    assert here.drop_erased("things") == ["things/x"]
    with pytest.raises(NotFound):
        here.fetch("things/x")


def test_the_first_to_publish_is_what_everybody_has(endpoint: str, tmp_path: Path) -> None:
    store(endpoint, tmp_path / "a").publish(a_folder(tmp_path / "1", data="first"), "things/y")
    later = store(endpoint, tmp_path / "b").publish(
        a_folder(tmp_path / "2", data="2nd"), "things/y"
    )
    assert (later / "data").read_text() == "first"


def test_what_one_machine_amends_another_has_once_it_looks_again(
    endpoint: str, tmp_path: Path
) -> None:
    here, there = store(endpoint, tmp_path / "here"), store(endpoint, tmp_path / "there")
    here.publish(a_folder(tmp_path / "one", weights="w", manifest="a name"), "things/amended")
    folder = there.fetch("things/amended")
    in_use = (folder / "weights").open()
    here.amend("things/amended", {"manifest": b"no name"})
    there.refresh("things/amended")
    assert (folder / "manifest").read_text() == "no name"
    assert in_use.read() == "w"
    in_use.close()
    third = store(endpoint, tmp_path / "third").fetch("things/amended")
    assert (third / "manifest").read_text() == "no name"
    there.refresh("things/never fetched")


def test_an_upload_that_was_killed_is_not_seen_and_the_next_one_mends_it(
    endpoint: str, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path / "one", first="1", second="2" * 100_000)
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_IN_UPLOAD, URL, endpoint, str(folder), str(tmp_path / "k")],
        env=os.environ,
        check=False,
    )
    assert killed.returncode == -9
    elsewhere = store(endpoint, tmp_path / "elsewhere")
    with pytest.raises(NotFound):
        elsewhere.fetch("things/killed")
    again = store(endpoint, tmp_path / "k")
    again.publish(folder, "things/killed")
    assert (elsewhere.fetch("things/killed") / "second").read_text() == "2" * 100_000


_KILLED_IN_UPLOAD = """
import os, signal, sys
from pathlib import Path
from records.artifacts import Artifacts
url, endpoint, folder, cache = sys.argv[1:]
shelf = Artifacts(url, cache=Path(cache), endpoint=endpoint)
files, _ = shelf.remote._open()
put = files.put_file
def put_and_die(local, remote):
    put(local, remote)
    os.kill(os.getpid(), signal.SIGKILL)
files.put_file = put_and_die
shelf.publish(Path(folder), "things/killed")
"""


def test_what_differs_from_its_note_is_refused_and_leaves_nothing_behind(
    endpoint: str, tmp_path: Path
) -> None:
    here = store(endpoint, tmp_path / "here")
    here.publish(a_folder(tmp_path / "one", data="right"), "things/changed")
    assert here.remote is not None
    files, root = here.remote._open()
    files.pipe_file(f"{root}/things/changed/data", b"wrong")
    there = store(endpoint, tmp_path / "there")
    with pytest.raises(StorageDamaged, match="changed/data"):
        there.fetch("things/changed")
    files.rm_file(f"{root}/things/changed/data")
    with pytest.raises(StorageDamaged, match="changed/data"):
        there.fetch("things/changed")
    assert list((tmp_path / "there" / "things").iterdir()) == []


def test_a_store_that_is_away_or_not_there_is_a_sentence(endpoint: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "one", data="x")
    away = Artifacts(URL, cache=tmp_path / "a", endpoint=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(StorageUnavailable, match="things/x cannot be looked for"):
        away.publish(folder, "things/x")
    nowhere = Artifacts("s3://no-such-bucket/x", cache=tmp_path / "b", endpoint=endpoint)
    with pytest.raises(ConfigurationError, match="bucket"):
        nowhere.publish(folder, "things/x")


def test_missing_credentials_name_the_variables(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
        store(endpoint, tmp_path / "c").fetch("things/x")


def test_a_full_disk_at_either_end_is_said_so(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_folder(tmp_path / "one", data="x")
    store(endpoint, tmp_path / "here").publish(folder, "things/full")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(StorageFull, match="no space is left"):
        store(endpoint, tmp_path / "b").publish(folder, "things/other")
    there = store(endpoint, tmp_path / "there")
    assert there.remote is not None
    monkeypatch.setattr(there.remote._open()[0], "get_file", full)
    with pytest.raises(StorageFull, match="no space is left"):
        there.fetch("things/full")
