"""Files that verbs write."""

from __future__ import annotations

from pathlib import Path

from service.client import ClientError


def write(path: Path, data: bytes) -> None:
    """Writes all of a file or nothing; a pipe or a device is written directly. Raises ClientError."""
    try:
        _write(path.resolve(), data)
    except OSError as error:
        raise ClientError(f"{path} cannot be written: {error.strerror}.") from error


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # must not be replaced
        path.write_bytes(data)
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
