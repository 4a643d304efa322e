"""The processes that are killed: servers, a worker, Redis."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from benchmarks.redis_server import RedisServer

#: Imported once by a process from which servers and workers are forked: they start in a tenth of the time.
_PRELOADED = ["service.server", "service.jobs.worker", "service.jobs.run", "trainer.finetuning.stepped"]
_LIMIT_S = 180.0
_POLL_S = 0.05
#: `always`, as in the compose file: what Redis has answered is on the disk.
_REDIS = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
_KEPT = {
    "HOST": "127.0.0.1",
    "MIN_SPEECH_ENROL_S": "1",
    "MIN_SPEECH_IDENTIFY_S": "1",
    "MIN_SPEECH_FINETUNE_S": "1",
    "FINETUNE_LEASE_S": "5",
    "FINETUNE_ATTEMPTS": "100",
    "FINETUNE_QUEUE": "100",
    "FINETUNE_THREADS": "1",
    "INFERENCE_THREADS": "1",
    "LOG_LEVEL": "warning",
}


class Site:
    """One state folder with its servers, a worker and, with several servers, a Redis."""

    def __init__(self, folder: Path, models_dir: Path, *, servers: int, **settings: object) -> None:
        """Starts nothing. Several servers share a Redis."""
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir(parents=True)
        self.redis = _redis(folder / "redis") if servers > 1 else None
        given = _KEPT | {
            "STATE_DIR": str(self.state),
            "MODELS_DIR": str(models_dir.resolve()),
            "REDIS_URL": self.redis.url if self.redis else "",
        }
        self.settings = given | {name.upper(): str(value) for name, value in settings.items()}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._ports = [_free_port() for _ in range(servers)]
        self._running: dict[str, BaseProcess] = {}
        self.http = httpx.Client(timeout=_LIMIT_S, trust_env=False)  # each new one reads certificates again

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._ports]

    @property
    def victims(self) -> list[str]:
        """The names of all processes."""
        return [*self._servers, "worker", *(["redis"] if self.redis else [])]

    @property
    def _servers(self) -> list[str]:
        return [f"server {number}" for number in range(len(self._ports))]

    def start(self) -> None:
        """Starts what does not run."""
        if self.redis and not self.redis.running:
            self.redis.start()
        for name, port in zip(self._servers, self._ports, strict=True):
            self._start(name, _serve, self.settings | {"PORT": str(port)})
        self._start("worker", _work, self.settings)

    def wait_ready(self) -> None:
        """Waits until every server says that it is ready. Raises TimeoutError, or if one ends by itself."""
        deadline = time.monotonic() + _LIMIT_S
        for name, url in zip(self._servers, self.urls, strict=True):
            while not self._ready(url):
                if time.monotonic() > deadline or not self._running[name].is_alive():
                    raise TimeoutError(f"{name} is not ready: {self.log(name).read_text()[-2000:]}")
                time.sleep(_POLL_S)

    def kill(self, name: str) -> None:
        """SIGKILL."""
        if name == "redis":
            assert self.redis is not None
            self.redis.kill()
        else:
            process = self._running.pop(name)
            process.kill()
            process.join()

    def stop(self) -> None:
        """SIGTERM to all; Redis last."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.join(_LIMIT_S)
        self._running.clear()
        if self.redis:
            self.redis.stop()
        self.http.close()

    def pid(self, name: str) -> int:
        """Of a process that runs."""
        pid = self._running[name].pid
        assert pid is not None
        return pid

    def log(self, name: str) -> Path:
        """What a process wrote."""
        return self.folder / f"{name.replace(' ', '-')}.log"

    def _ready(self, url: str) -> bool:
        try:
            return self.http.get(f"{url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def _start(self, name: str, target: Callable[..., None], settings: Mapping[str, str]) -> None:
        process = self._running.get(name)
        if process is None or not process.is_alive():
            process = self._context.Process(target=target, args=(settings, self.log(name)), name=name)
            process.start()
            self._running[name] = process


def _serve(settings: Mapping[str, str], log: Path) -> None:
    _prepare(settings, log)
    from service.server import run
    from service.settings import Settings

    run(Settings())


def _work(settings: Mapping[str, str], log: Path) -> None:
    _prepare(settings, log)
    from service.jobs.worker import run_worker
    from service.settings import Settings

    run_worker(Settings())


def _prepare(settings: Mapping[str, str], log: Path) -> None:
    """Makes a forked process what `python -m service` would be."""
    for name in [name for name in os.environ if name.startswith("TWOFOLD_")]:
        del os.environ[name]
    os.environ |= {f"TWOFOLD_{name}": value for name, value in settings.items()}
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, sys.stdout.fileno())
    os.dup2(out, sys.stderr.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _redis(folder: Path) -> RedisServer:
    binary = shutil.which("redis-server")
    if binary is None:
        raise FileNotFoundError("redis-server is not installed (apt-get install redis-server)")
    folder.mkdir(parents=True)
    return RedisServer(Path(binary), folder, _REDIS)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
