"""The audit log: who asked what about whom, and what was decided. It holds no audio and no embedding.

It is off unless TWOFOLD_AUDIT_LOG names a file. Each line is a JSON object, and lines are only ever added. A
full file is renamed to `<name>.1`, and older ones move on.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)


class AuditLog:
    """Appends to the file. Belongs to one process: each replica needs a file of its own."""

    def __init__(self, path: Path | None, *, max_bytes: int, files: int) -> None:
        """Opens the file, if there is a path. Raises OSError."""
        self._handler: _Handler | None = None
        if path is not None:
            self._handler = _Handler(path, maxBytes=max_bytes, backupCount=files - 1, encoding="utf-8")

    def write(self, action: str, **fields: object) -> None:
        """Adds one line. A disk that refuses it is logged, and does not stop the answer."""
        if self._handler is None:
            return
        line = {"time": datetime.now(UTC).isoformat(), "action": action, **fields}
        record = logging.LogRecord("audit", logging.INFO, "", 0, json.dumps(line), None, None)
        self._handler.handle(record)

    def close(self) -> None:
        """Closes the file."""
        if self._handler is not None:
            self._handler.close()


class _Handler(RotatingFileHandler):
    """Only its owner reads the file, and its failures are logged like others."""

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).touch(mode=0o600)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  as logging has it
        """Says that a line is missing; the line itself may name people."""
        _log.exception("audit_not_written")
