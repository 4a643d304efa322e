"""A full disk: how it is recognised, and what is said of it."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from service.errors import DiskFull

_OS_CODES = (errno.ENOSPC, errno.EDQUOT)
# The second: the index of a write-ahead log cannot be made.
_SQLITE_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
_LEAST_FREE_BYTES = 2**20  # an enrolment with a retained recording may need as much
_RETRY_AFTER_S = 30


def is_full(error: BaseException) -> bool:
    """Whether a disk, or a quota on it, is full."""
    if isinstance(error, OSError):
        return error.errno in _OS_CODES
    return getattr(error, "sqlite_errorcode", None) in _SQLITE_CODES


def disk_full() -> DiskFull:
    """The error of a write that did not fit."""
    return DiskFull(
        "Disk full: nothing can be stored in TWOFOLD_STATE_DIR. Nothing was changed, and what only reads "
        "goes on. Free some space; the service then stores again by itself.",
        retry_after_s=_RETRY_AFTER_S,
    )


def require_space(folder: Path) -> None:
    """Raises DiskFull if less than a mebibyte is free where `folder` is."""
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise disk_full()
