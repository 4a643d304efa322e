"""A worker process that the service starts, and restarts when it dies."""

from __future__ import annotations

import os
import subprocess
import sys

import structlog

from service.jobs.background import Background

_PAUSE_S = 2.0  # before a dead worker is started again
_GRACE_S = 15.0  # time for a stopping worker to store its job's progress
_log = structlog.get_logger(__name__)


class WorkerProcess(Background):
    """Runs `python -m service worker` during the block. The worker reads the TWOFOLD_* settings itself."""

    def __init__(self) -> None:
        super().__init__("worker")

    def _run(self) -> None:
        while not self._ending.is_set():
            process = subprocess.Popen(
                [sys.executable, "-m", "service", "worker", "--parent", str(os.getpid())]
            )
            _log.info("worker_started", pid=process.pid)
            while process.poll() is None and not self._ending.wait(0.2):
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
            self._ending.wait(_PAUSE_S)
