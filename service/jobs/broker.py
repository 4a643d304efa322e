"""The embedded queue's transport: messages are files in a folder, and no server is needed.

kombu's own filesystem transport writes a message in place, where a reader can find half of it, and takes it
by way of the system's temporary folder: on another disk, two readers can both get it. Here both are a rename.
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
    """Direct exchanges only. The transport option `folder` names a folder that exists."""

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
    """Named in `broker_transport`."""

    Channel = Channel
    driver_type = driver_name = "folder"
