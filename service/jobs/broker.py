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

from kombu.transport import virtual


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
            message = json.loads(taken.read_text())
            taken.unlink()
            return message
        raise Empty


class Transport(virtual.Transport):
    """The transport that Celery's `broker_transport` names."""

    Channel = Channel
    driver_type = driver_name = "folder"
