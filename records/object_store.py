"""Folders in a store behind fsspec (S3, GCS, …): whole, or not there at all.

A folder is its objects and, beside it, a note that is written last and names them with their
digests. What lacks a note is not read; what differs from its note is refused. Credentials are those
that the store's own library finds (for S3 the usual AWS variables).
"""

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from records.errors import (
    ConfigurationError,
    StorageDamaged,
    StorageFull,
    StorageUnavailable,
    UnderstudyError,
)

FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""No space, a file larger than it may be, a quota that is used up."""
_NOTE = ".complete"
_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError")
_S3 = {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}}
"""botocore's, in seconds: a store that is gone must not hold anybody for minutes."""


class ObjectStore:
    """Published folders by relative path. Nothing is asked before the first use."""

    def __init__(self, url: str, *, endpoint: str = "") -> None:
        """Use the fsspec URL `url`; `endpoint` is the server's where it isn't the cloud's own."""
        self.url, self._endpoint = url, endpoint
        self._opened: tuple[Any, str] | None = None

    def holds(self, path: str) -> bool:
        """Whether all of a folder was put there.

        Raises:
            StorageUnavailable, ConfigurationError: the store cannot be asked.
        """
        with self._translated(f"{path} cannot be looked for in {self.url}"):
            files, root = self._open()
            return bool(files.exists(f"{root}/{path}{_NOTE}"))

    def put(self, folder: Path, path: str) -> None:
        """Copy a folder's files there; only when all have arrived can it be read.

        Raises:
            StorageFull, StorageUnavailable, ConfigurationError: it is not there.
        """
        with self._translated(f"{path} cannot be written to {self.url}"):
            files, root = self._open()
            names = sorted(
                p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
            )
            for name in names:
                files.put_file(str(folder / name), f"{root}/{path}/{name}")
            note = {"files": {name: _digest(folder / name) for name in names}}
            files.pipe_file(f"{root}/{path}{_NOTE}", json.dumps(note).encode())

    def get(self, path: str, target: Path) -> bool:
        """Copy a folder to `target`, which must be empty or absent; False where there is none.

        Raises:
            StorageDamaged: it is not what was put there.
            StorageUnavailable, StorageFull, ConfigurationError: it cannot be read now.
        """
        with self._translated(f"{path} cannot be read from {self.url}"):
            files, root = self._open()
            if not files.exists(f"{root}/{path}{_NOTE}"):
                return False
            note = json.loads(files.cat_file(f"{root}/{path}{_NOTE}"))
            for name, digest in note["files"].items():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                try:
                    files.get_file(f"{root}/{path}/{name}", str(target / name))
                except FileNotFoundError as error:
                    raise self._damaged(f"{path}/{name}") from error
                if _digest(target / name) != digest:
                    raise self._damaged(f"{path}/{name}")
            return True

    def contents(self, path: str) -> dict[str, str]:
        """The files of a folder and their digests; none where there is no such folder.

        Raises:
            StorageUnavailable, ConfigurationError: the store cannot be asked.
        """
        with self._translated(f"{path} cannot be looked for in {self.url}"):
            files, root = self._open()
            if not files.exists(f"{root}/{path}{_NOTE}"):
                return {}
            found: dict[str, str] = json.loads(files.cat_file(f"{root}/{path}{_NOTE}"))["files"]
            return found

    def erase(self, path: str) -> None:
        """Remove a folder: its note first, so that a half-erased one is read by nobody.

        A bucket that keeps old versions of objects keeps them: its own rules must end those.

        Raises:
            StorageUnavailable, ConfigurationError: it may still be there.
        """
        with self._translated(f"{path} cannot be removed from {self.url}"):
            files, root = self._open()
            if files.exists(f"{root}/{path}{_NOTE}"):
                files.rm_file(f"{root}/{path}{_NOTE}")
            if files.exists(f"{root}/{path}"):
                files.rm(f"{root}/{path}", recursive=True)

    def _damaged(self, name: str) -> StorageDamaged:
        return StorageDamaged(
            f"{name} in {self.url} is not what was written there: restore it from a backup."
        )

    def _open(self) -> tuple[Any, str]:
        if self._opened is None:
            import fsspec

            try:
                self._opened = fsspec.core.url_to_fs(self.url, **self._options())
            except (ImportError, ValueError) as error:
                raise ConfigurationError(
                    f"UNDERSTUDY_ARTIFACTS_URL={self.url!r} cannot be used: {error}. S3 needs "
                    "`pip install 'understudy[s3]'`, GCS `pip install 'understudy[gcs]'`."
                ) from error
        return self._opened

    def _options(self) -> dict[str, Any]:
        # What is remembered would hide what other machines write, and other credentials.
        options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
        if self._endpoint:
            options["endpoint_url"] = self._endpoint
        if self.url.startswith("file://"):
            options["auto_mkdir"] = True
        if self.url.startswith(("s3://", "s3a://")):
            options["config_kwargs"] = _S3
        return options

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turn a library's errors into ours; each store's library has its own."""
        try:
            yield
        except UnderstudyError:
            raise
        except Exception as error:  # an edge: botocore's and Google's share no base
            raise _translation(error, what) from error


def _translation(error: Exception, what: str) -> UnderstudyError:
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
        return StorageFull(f"{what}: no space is left on this machine.")
    if isinstance(error, PermissionError) or kind in _CREDENTIALS:
        return ConfigurationError(
            f"{what}: access was denied ({error}). Set the credentials that the store wants (for "
            "S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), with the right to read and write."
        )
    if isinstance(error, FileNotFoundError):
        return ConfigurationError(
            f"{what}: {error}. See that the bucket in UNDERSTUDY_ARTIFACTS_URL is there."
        )
    return StorageUnavailable(f"{what} ({kind}: {error}).")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
