"""The transport of the embedded queue: messages are files in a folder, and no server is needed.

kombu has a filesystem transport, but it writes a message in place, where a reader can find half of it. It
also moves messages through the system's temporary folder: on another disk, two readers can get the same
message. Here writing and taking are each one rename.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.transport import virtual

_log = structlog.get_logger(__name__)


class Channel(virtual.Channel):
    """Supports direct exchanges only. The transport option `folder` names an existing folder."""

    @property
    def _folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        file = self._folder / f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(message))
        partial.replace(file)

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002  never waits
        for file in sorted(self._folder.glob(f"*.{queue}.msg")):
            taken = file.with_suffix(f".{uuid.uuid4().hex}.taken")
            try:
                file.replace(taken)
            except FileNotFoundError:  # another worker was faster
                continue
            try:
                message = json.loads(taken.read_text())
                self.Message(message, channel=self)  # type: ignore[no-untyped-call]  # raises what it trips over
            except Exception as error:  # noqa: BLE001  a message must not end the worker, whatever is in it
                aside = taken.with_suffix(".unreadable")
                taken.replace(aside)
                _log.error("message_set_aside", file=aside.name, error=type(error).__name__)
                continue
            taken.unlink()
            return message
        raise Empty


class Transport(virtual.Transport):
    """The transport that Celery's `broker_transport` names."""

    Channel = Channel
    driver_type = driver_name = "folder"
