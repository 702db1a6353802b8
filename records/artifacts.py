"""The artifact store: datasets, adapters and reports, in a folder or behind any fsspec URL.

What is published is complete or absent, and never changed afterwards, but to erase words.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from records.errors import NotFound, StorageFull, StorageUnavailable
from records.ids import new_id
from records.object_store import FULL_ERRNOS, ObjectStore
from records.settings import Settings


class Artifacts:
    """Folders by relative path, such as `adapters/support-3f9c2a71d0e4`."""

    def __init__(self, url: str, *, cache: Path, endpoint: str = "") -> None:
        """Use the folder or fsspec URL `url`; remote folders are copied to `cache` when read.

        `endpoint` is the address of the store's server where it isn't the cloud's own.
        """
        remote = "://" in url and not url.startswith("file://")
        self.url = url.removeprefix("file://")
        self.remote = ObjectStore(url, endpoint=endpoint) if remote else None
        self.cache = cache if remote else Path(self.url).absolute()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The store that settings name."""
        return cls(
            settings.artifacts,
            cache=settings.home / "cache",
            endpoint=settings.artifacts_endpoint,
        )

    def publish(self, folder: Path, path: str) -> Path:
        """Copy a finished local folder into the store; one that is there already stays.

        Raises:
            StorageFull, StorageUnavailable: it could not be written; nothing half-written is seen.
            ConfigurationError: the store refuses us.
        """
        if self.remote is not None and self.remote.holds(path):
            return self.fetch(path)  # what is there is what everybody has
        target = self.cache / path
        with self._translated(f"{path} cannot be written to {self.url}"):
            if not target.exists():
                self._copy(folder, target)
        if self.remote is not None:
            self.remote.put(target, path)
        return target

    def fetch(self, path: str) -> Path:
        """The local folder of a published artifact.

        Raises:
            NotFound: nothing was published there.
            StorageUnavailable, StorageDamaged, ConfigurationError: the store cannot be read.
        """
        target = self.cache / path
        if not target.exists() and self.remote is not None:
            self._download(self.remote, path, target)
        if not target.exists():
            raise NotFound(f"{path} is not in the artifact store {self.url}.")
        return target

    def erase(self, path: str) -> None:
        """Remove a published folder for good; what is not there is not missed.

        Raises:
            StorageUnavailable, ConfigurationError: it may still be there.
        """
        if self.remote is not None:
            self.remote.erase(path)
        self._drop(path)

    def amend(self, path: str, files: Mapping[str, bytes]) -> None:
        """Put other content in place of a published folder's files, where words must be erased.

        Everywhere else first, here last: who is cut off finds the old content here, and does it
        again.

        Raises:
            NotFound: nothing was published there.
            StorageFull, StorageUnavailable, ConfigurationError: some may still be as they were.
        """
        target = self.fetch(path)
        arriving = target.parent / f".{new_id('arriving')}"
        with self._translated(f"{path} cannot be written to {self.url}"):
            try:
                shutil.copytree(target, arriving, ignore=shutil.ignore_patterns(*files))
                for name, content in files.items():
                    (arriving / name).write_bytes(content)
                    _flush(arriving / name)
                if self.remote is not None:
                    self.remote.put(arriving, path)
                for name in files:
                    (arriving / name).replace(target / name)
                _flush(target)
            finally:
                shutil.rmtree(arriving, ignore_errors=True)

    def refresh(self, path: str) -> None:
        """Bring the copy here to what the store has now: another machine amended it.

        File by file: an engine may have the folder in use, and dies where it is gone.

        Raises:
            StorageUnavailable, StorageDamaged, ConfigurationError: the store cannot be read.
        """
        target = self.cache / path
        if self.remote is None or not target.exists():
            return
        arriving = target.parent / f".{new_id('arriving')}"
        with self._translated(f"{path} cannot be copied to {self.cache}"):
            try:
                if self.remote.get(path, arriving):
                    for file in sorted(p for p in arriving.rglob("*") if p.is_file()):
                        file.replace(target / file.relative_to(arriving))
            finally:
                shutil.rmtree(arriving, ignore_errors=True)

    def drop_erased(self, prefix: str) -> list[str]:
        """Remove local copies below `prefix` that the store has no more; returns their paths.

        Another machine may have erased them. Copies that were never whole elsewhere go too: their
        makers publish them again.
        """
        folder = self.cache / prefix
        if self.remote is None or not folder.is_dir():
            return []
        kept = [f"{prefix}/{p.name}" for p in sorted(folder.iterdir()) if not _is_passing(p)]
        gone = [path for path in kept if not self.remote.holds(path)]
        for path in gone:
            self._drop(path)
        return gone

    def _drop(self, path: str) -> None:
        target = self.cache / path
        with self._translated(f"{path} cannot be removed from {self.cache}"):
            if target.exists():
                leaving = target.parent / f".{new_id('leaving')}"
                target.rename(leaving)  # at once: nobody reads half of it
                shutil.rmtree(leaving)

    def _copy(self, folder: Path, target: Path) -> None:
        with self._arriving(target) as arriving:
            shutil.copytree(folder, arriving)

    def _download(self, remote: ObjectStore, path: str, target: Path) -> None:
        with (
            self._translated(f"{path} cannot be copied to {self.cache}"),
            self._arriving(target) as arriving,
        ):
            remote.get(path, arriving)

    @contextmanager
    def _arriving(self, target: Path) -> Iterator[Path]:
        """A name for a folder that becomes `target` when the block ends and it is there."""
        target.parent.mkdir(parents=True, exist_ok=True)
        arriving = target.parent / f".{new_id('arriving')}"
        try:
            yield arriving
            if arriving.exists():
                for file in arriving.rglob("*"):
                    _flush(file)
                _flush(arriving)
                _rename(arriving, target)
                _flush(target.parent)
        finally:
            shutil.rmtree(arriving, ignore_errors=True)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in FULL_ERRNOS:
                raise StorageFull(f"{what}: no space is left. Free some, then retry.") from error
            raise StorageUnavailable(f"{what}: {error}.") from error


def _is_passing(path: Path) -> bool:
    """Whether a folder only arrives or leaves."""
    return path.name.startswith(".")


def _rename(arriving: Path, target: Path) -> None:
    try:
        arriving.rename(target)
    except OSError:
        if not target.exists():  # else somebody was first with the same
            raise


def _flush(file: Path) -> None:
    """See a file, or a folder's list of names, on the disk itself."""
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
