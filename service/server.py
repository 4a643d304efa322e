"""Runs the application in Uvicorn."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits

from service.api.sockets import MAX_MESSAGE_BYTES
from service.app import create_app
from service.connections import guarded
from service.jobs.supervisor import WorkerProcess
from service.logs import configure_logging
from service.settings import Settings
from service.stores.folder_lock import folder_lock


class _Server(uvicorn.Server):
    """Prints where it listens and a command to try. Tells event streams when to end."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            print(f"Twofold listens on {url} (documentation: {url}/docs). Try:", flush=True)
            print(f"  curl -F audio=@recording.wav {url}/embed", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.runtime.closing.set()
        await super().shutdown(sockets)


def uvicorn_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How the service listens, and how long it waits for clients."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,  # `configure_logging` has done it
        access_log=False,  # RequestContext logs requests, without paths
        http=guarded(client_timeout_s=settings.client_timeout_s, max_connections=settings.max_connections),
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # sound hardly shrinks, and a small message could unpack to a large one
        # A client whose sound waits has its answers to pings wait, too. Streams have timeouts of their own.
        ws_ping_interval=None,
        root_path=settings.root_path,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,  # never from FORWARDED_ALLOW_IPS or the loopback by itself
        server_header=False,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )


def run(settings: Settings, *, worker: bool = False) -> None:
    """Serves until SIGTERM or SIGINT, then answers the open requests and returns.

    `worker` also runs a worker process. Raises FolderTaken before anything is loaded.
    """
    configure_logging(settings.log_level)
    if not settings.redis_url:
        # Here for the sake of the message. The application takes the lock itself.
        with folder_lock(settings.state_dir):
            pass
    app = create_app(settings)
    # Uvicorn raises the signal again when it is done. That must not end the process before the worker's turn.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    worker_process = WorkerProcess() if worker else contextlib.nullcontext()
    # numpy's products here are small: more threads would not help, and onnxruntime needs the cores.
    with worker_process, threadpool_limits(limits=1, user_api="blas"), contextlib.suppress(KeyboardInterrupt):
        _Server(app, uvicorn_config(app, settings)).run()
