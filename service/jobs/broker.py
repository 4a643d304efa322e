"""The embedded queue's transport: messages are files in a folder, and no server is needed.

kombu's own filesystem transport writes a message in place, where a reader can find half of it, and takes it by
way of the system's temporary folder, where two readers on two disks can both get it. Here both are a rename.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):  # type: ignore[misc]  # kombu is untyped
    """`data_folder_in` and `data_folder_out` are one folder, which has to exist."""

    # Every exchange has the one queue it is declared with; no need to share that through files.
    _queue_bind = virtual.Channel._queue_bind
    get_table = virtual.Channel.get_table

    def _put(self, queue: str, payload: Any, **_: Any) -> None:
        folder = Path(self.data_folder_out)
        message = folder / f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        partial = message.with_suffix(".partial")
        partial.write_text(dumps(payload))
        partial.replace(message)

    def _get(self, queue: str) -> Any:
        for message in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            taken = message.with_suffix(f".{uuid.uuid4().hex}.taken")
            try:
                message.replace(taken)
            except FileNotFoundError:  # another worker was faster
                continue
            payload = loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty


class Transport(filesystem.Transport):  # type: ignore[misc]
    """Named in `broker_transport`."""

    Channel = Channel
