"""The artifact store: datasets, adapters and reports, in a folder or behind any fsspec URL.

What is published is complete or absent, and never changed afterwards.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Self

from records.errors import ConfigurationError, NotFound, StorageFull, StorageUnavailable
from records.ids import new_id
from records.settings import Settings

_COMPLETE = ".complete"
"""Stands beside a remote folder once all of it has been written."""


class Artifacts:
    """Folders by relative path, such as `adapters/support-3f9c2a71d0e4`."""

    def __init__(self, url: str, *, cache: Path) -> None:
        """Use the folder or fsspec URL `url`; remote folders are copied to `cache` when read."""
        self._remote = "://" in url and not url.startswith("file://")
        self.url = url.removeprefix("file://")
        self.cache = cache if self._remote else Path(self.url).absolute()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The store that settings name."""
        return cls(settings.artifacts, cache=settings.home / "cache")

    def publish(self, folder: Path, path: str) -> Path:
        """Move a finished local folder into the store; one that is there already stays.

        Raises:
            StorageFull, StorageUnavailable: it could not be written; nothing half-written is seen.
        """
        target = self.cache / path
        try:
            if not target.exists():
                self._move(folder, target)
            if self._remote:
                self._upload(target, path)
        except OSError as error:
            if error.errno == 28:
                raise StorageFull(f"No space is left for {path} in {self.url}.") from error
            raise StorageUnavailable(f"{path} cannot be written to {self.url}: {error}.") from error
        return target

    def fetch(self, path: str) -> Path:
        """The local folder of a published artifact.

        Raises:
            NotFound: nothing was published there.
            StorageUnavailable: the store cannot be read.
        """
        target = self.cache / path
        if not target.exists() and self._remote:
            try:
                self._download(path, target)
            except OSError as error:
                raise StorageUnavailable(f"{path} cannot be read from {self.url}: {error}.") from (
                    error
                )
        if not target.exists():
            raise NotFound(f"{path} is not in the artifact store {self.url}.")
        return target

    def _move(self, folder: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        arriving = target.parent / f".{new_id('arriving')}"
        try:
            shutil.copytree(folder, arriving)
            for file in arriving.rglob("*"):
                if file.is_file():
                    _flush(file)
            try:
                arriving.rename(target)
            except OSError:
                if not target.exists():
                    raise
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    def _upload(self, folder: Path, path: str) -> None:
        filesystem, root = self._filesystem()
        filesystem.put(f"{folder}/", f"{root}/{path}/", recursive=True)
        filesystem.touch(f"{root}/{path}{_COMPLETE}")  # last: what lacks it is not read

    def _download(self, path: str, target: Path) -> None:
        filesystem, root = self._filesystem()
        if not filesystem.exists(f"{root}/{path}{_COMPLETE}"):
            return
        arriving = target.parent / f".{new_id('arriving')}"
        filesystem.get(f"{root}/{path}/", f"{arriving}/", recursive=True)
        arriving.rename(target)

    def _filesystem(self) -> tuple[Any, str]:
        import fsspec

        try:
            filesystem, root = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise ConfigurationError(
                f"UNDERSTUDY_ARTIFACTS_URL={self.url!r} cannot be used: {error}."
            ) from error
        return filesystem, root


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def content_hash(folder: Path, names: tuple[str, ...] | None = None) -> str:
    """SHA-256 over the names and bytes of a folder's files (of `names` only, where given).

    The digest (64 hexadecimal digits) depends on neither order, time nor place.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(folder).as_posix()
        if names is not None and name not in names:
            continue
        with file.open("rb") as stream:
            inner = hashlib.file_digest(stream, "sha256").digest()
        digest.update(name.encode() + b"\0" + inner)
    return digest.hexdigest()
