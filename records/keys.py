"""API keys: shown once, kept as SHA-256."""

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from records import audit
from records.errors import InvalidInput
from records.ids import utc_now
from records.settings import make_folder
from records.states import KeyScope
from records.tables import ApiKey

_LONGEST_NAME = 64
"""As long as an actor's name in the audit, where a key stands for who used it."""
_HIGHEST_LIMIT = 2_147_483_647
"""As much as the column holds."""


def hashed(key: str) -> str:
    """What is kept of a key. Keys are 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def create(
    session: Session,
    *,
    name: str,
    scope: KeyScope,
    actor: str,
    requests_per_minute: int | None = None,
    concurrent_requests: int | None = None,
) -> str:
    """Make a key and return it; it cannot be read again.

    Its own limits stand in place of the gateway's settings; 0 is no limit.

    Raises:
        InvalidInput: a name that the audit cannot hold, or a limit below 0.
    """
    limits = {
        "requests_per_minute": requests_per_minute,
        "concurrent_requests": concurrent_requests,
    }
    for field, limit in limits.items():
        if limit is not None and not 0 <= limit <= _HIGHEST_LIMIT:
            raise InvalidInput(f"{field} must be 0 (no limit) to {_HIGHEST_LIMIT}.", field=field)
    if not 0 < len(name) <= _LONGEST_NAME or "\x00" in name:
        raise InvalidInput(f"A key's name has 1 to {_LONGEST_NAME} characters.", field="name")
    key = f"us-{secrets.token_urlsafe(32)}"
    row = ApiKey(name=name, key_hash=hashed(key), scope=scope, **limits)
    session.add(row)
    session.flush()
    told = {field: limit for field, limit in limits.items() if limit is not None}
    audit.note(
        session, actor=actor, action="create_key", subject=row.id, name=name, scope=scope, **told
    )
    return key


def find(session: Session, key: str) -> ApiKey | None:
    """What is kept of a key; None where it is unknown or revoked."""
    return find_hashed(session, hashed(key))


def find_hashed(session: Session, key_hash: str) -> ApiKey | None:
    """As `find`, for what `hashed` made of a key."""
    return session.scalar(
        select(ApiKey).where(ApiKey.key_hash == key_hash, ApiKey.revoked_at.is_(None))
    )


def revoke(session: Session, key_id: str, *, actor: str) -> bool:
    """End a key; False where there is no such key in use."""
    row = session.get(ApiKey, key_id)
    if row is None or row.revoked_at is not None:
        return False
    row.revoked_at = utc_now()
    audit.note(session, actor=actor, action="revoke_key", subject=key_id)
    return True


def same(given: str, wanted: str) -> bool:
    """Compare two keys in constant time."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def local_key(home: Path, name: str = "admin") -> str:
    """The key that this machine's own processes share, made at first use, readable by us alone."""
    path = home / f"{name}.key"
    if not path.exists():
        make_folder(home)
        fresh = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"us-{secrets.token_urlsafe(32)}")
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # the first process wins; the others read its key
        fresh.unlink()
    return path.read_text().strip()
