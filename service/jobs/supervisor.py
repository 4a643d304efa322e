"""A worker process beside the service, started again whenever it dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import structlog

_PAUSE_S = 2.0  # before a dead worker is started again
_GRACE_S = 15.0  # a worker told to stop stores its job's progress first
_log = structlog.get_logger(__name__)


class WorkerProcess:
    """`python -m service worker` for as long as the block lasts. It reads the settings anew: TWOFOLD_*."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def __enter__(self) -> WorkerProcess:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            process = subprocess.Popen(
                [sys.executable, "-m", "service", "worker", "--parent", str(os.getpid())]
            )
            _log.info("worker_started", pid=process.pid)
            while process.poll() is None and not self._ended.wait(0.2):
                pass
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_GRACE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                return
            _log.warning("worker_died", status=process.returncode)
            self._ended.wait(_PAUSE_S)
