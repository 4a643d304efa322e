"""API keys: who may do what. Only their hashes are kept.

Keys come from TWOFOLD_API_KEYS, with every scope, and from the file of TWOFOLD_KEYS_FILE. A running service
reads the file again when it changes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from service.tenants import NAME_PATTERN

Scope = Literal["identify", "enrol", "erase", "finetune", "models", "read", "export"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_log = structlog.get_logger(__name__)


class Key(BaseModel):
    """One key, without the key itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    tenant: str = Field(default="", pattern=f"{NAME_PATTERN}|^$")  # empty: the operator
    scopes: tuple[Scope, ...] = SCOPES
    note: str = ""
    created_at: datetime

    @property
    def key_id(self) -> str:
        """Names the key in lists and logs; says nothing about the key."""
        return self.sha256[:12]

    def may(self, scopes: Sequence[Scope]) -> bool:
        """Whether the key has one of these scopes."""
        return any(scope in self.scopes for scope in scopes)


_KEYS = TypeAdapter(tuple[Key, ...])


class KeysFileError(Exception):
    """The file of keys cannot be used. The message says why."""


def digest(key: str) -> str:
    """The hash of a key. Keys are long and random, so that a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key(scopes: Sequence[Scope], *, tenant: str = "", note: str = "") -> tuple[str, Key]:
    """A new random key, to be shown once, and what is kept of it. Raises ValueError for a wrong tenant."""
    text = f"tf_{secrets.token_urlsafe(32)}"
    now = datetime.now(UTC)
    return text, Key(sha256=digest(text), tenant=tenant, scopes=tuple(scopes), note=note, created_at=now)


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file. Raises KeysFileError."""
    try:
        return _KEYS.validate_json(path.read_bytes())
    except OSError as error:
        raise KeysFileError(f"{path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise KeysFileError(f"{path} is not a file of keys: {where} {first['msg']}.") from None


def write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Replaces the file as a whole; only its owner can read it. Raises KeysFileError."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.touch(mode=0o600)
        partial.write_bytes(_KEYS.dump_json(tuple(keys), indent=2) + b"\n")
        partial.replace(path)
    except OSError as error:
        raise KeysFileError(f"{path} cannot be written: {error.strerror}.") from None


class KeyRing:
    """The keys of a running service. Belongs to one event loop."""

    def __init__(self, listed: Sequence[str], path: Path | None) -> None:
        """`listed` are keys with every scope. Raises KeysFileError if there is a path and no usable file."""
        now = datetime.now(UTC)
        self._listed = {digest(key): Key(sha256=digest(key), created_at=now) for key in listed}
        self._path = path
        self._stamp = _stamp(path) if path else None
        self._keys = self._listed | ({key.sha256: key for key in read_keys(path)} if path else {})

    @property
    def locked(self) -> bool:
        """Whether a key is needed. A file without keys lets nobody in."""
        return bool(self._listed) or self._path is not None

    @property
    def divided(self) -> bool:
        """Whether any key is a tenant's."""
        self._reload()
        return any(key.tenant for key in self._keys.values())

    def find(self, text: str) -> Key | None:
        """The key with this text. How long it takes depends on its hash alone."""
        self._reload()
        return self._keys.get(digest(text))

    def _reload(self) -> None:
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = self._listed | {key.sha256: key for key in read_keys(self._path)}
        except KeysFileError as error:
            _log.error("keys_not_reloaded", reason=str(error))  # the keys known so far stay
        else:
            _log.info("keys_reloaded", keys=len(self._keys))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does; None while there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
