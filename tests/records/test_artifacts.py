"""What is published is whole, stays as it was, and can be fetched from elsewhere."""

from pathlib import Path

import fsspec
import pytest

from records.artifacts import Artifacts, content_hash
from records.errors import NotFound, StorageUnavailable


def a_folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_what_was_published_is_not_published_again(artifacts: Artifacts, tmp_path: Path) -> None:
    artifacts.publish(a_folder(tmp_path / "one", data="first"), "things/x")
    artifacts.publish(a_folder(tmp_path / "two", data="second"), "things/x")
    assert (artifacts.fetch("things/x") / "data").read_text() == "first"
    assert [p.name for p in (artifacts.cache / "things").iterdir()] == ["x"]


def test_nothing_published_is_said_so(artifacts: Artifacts) -> None:
    with pytest.raises(NotFound, match="things/x is not in the artifact store"):
        artifacts.fetch("things/x")


def test_a_store_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Artifacts(str(tmp_path / "file"), cache=tmp_path / "cache")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        store.publish(a_folder(tmp_path / "one", data="x"), "things/x")


def test_another_machine_reads_what_one_has_written(tmp_path: Path) -> None:
    url = "memory://understudy-test"
    here = Artifacts(url, cache=tmp_path / "here")
    there = Artifacts(url, cache=tmp_path / "there")
    here.publish(a_folder(tmp_path / "one", data="x"), "things/x")
    assert (there.fetch("things/x") / "data").read_text() == "x"


def test_a_folder_whose_upload_was_cut_off_is_not_read(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.makedirs("/understudy-half/things/x", exist_ok=True)
    memory.pipe("/understudy-half/things/x/data", b"half of i")
    store = Artifacts("memory://understudy-half", cache=tmp_path / "cache")
    with pytest.raises(NotFound):
        store.fetch("things/x")


def test_a_hash_depends_on_names_and_bytes_only(tmp_path: Path) -> None:
    one = content_hash(a_folder(tmp_path / "one", a="1", b="2"))
    assert one == content_hash(a_folder(tmp_path / "two", b="2", a="1"))
    assert one != content_hash(a_folder(tmp_path / "three", a="2", b="1"))
