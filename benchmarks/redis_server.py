"""A real redis-server with an append-only file, which tests and benchmarks stop and start again."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

START_LIMIT_S = 30.0


class RedisServer:
    """One server on a loopback port and a folder that stay the same over restarts."""

    def __init__(self, binary: Path, folder: Path, options: Sequence[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._binary = binary
        self._options = options
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers, on a folder that is tidied up as deploy/ does it."""
        for left in (*self.folder.glob("temp-*.aof"), *self.folder.glob("temp-*.rdb")):
            left.unlink()
        here = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self.folder)]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen([self._binary, *here, *self._options], stdout=log, stderr=log)
        deadline = time.monotonic() + START_LIMIT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with Redis.from_url(self.url) as client:
                    client.ping()
                return
            except RedisConnectionError:
                time.sleep(0.05)
        raise AssertionError(f"redis-server did not start: {(self.folder / 'log.txt').read_text()}")

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started, and neither stopped nor killed since."""
        return self._process is not None

    def stop(self) -> None:
        """SIGTERM, as an orderly restart of a machine sends it."""
        self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(subprocess.Popen.kill)

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None:
            how(self._process)
            self._process.wait(START_LIMIT_S)
            self._process = None
