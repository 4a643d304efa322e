"""One server on one state folder: two would answer from memory about voices that the other has erased."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from service.errors import FolderTaken

_HOLDER = "server.json"


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Holds the folder until the block ends, or the process does. Raises FolderTaken, which names the holder.

    The lock is on the folder itself, so that a full disk or one that cannot be written to does not matter.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTaken(
                f"The state folder {folder} is in use by another server{_holder(folder)}. Stop that server, "
                "give this one another TWOFOLD_STATE_DIR, or share voices by TWOFOLD_REDIS_URL."
            ) from None
        with suppress(OSError):  # only the message of another server would miss it
            (folder / _HOLDER).write_text(
                json.dumps(
                    {
                        "pid": os.getpid(),
                        "host": socket.gethostname(),
                        "since": datetime.now(UTC).isoformat(timespec="seconds"),
                    }
                )
            )
        yield
    finally:
        os.close(handle)


def holder(folder: Path) -> str | None:
    """Who holds the folder, as text to append; None: nobody. Takes the lock for a moment."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(folder)
    finally:
        os.close(handle)
    return None


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / _HOLDER).read_text())
        return f": process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
