"""Uvicorn around the application."""

from __future__ import annotations

import contextlib
import socket

import uvicorn
from threadpoolctl import threadpool_limits

from service.app import create_app
from service.logs import configure_logging
from service.settings import Settings


class _Server(uvicorn.Server):
    """Says where it listens, in words a newcomer can paste."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            print(f"Twofold listens on {url} (documentation: {url}/docs). Try:", flush=True)
            print(f"  curl -F audio=@recording.wav {url}/embed", flush=True)


def run(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then answers what is in flight and returns."""
    configure_logging(settings.log_level)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,  # ours
        access_log=False,  # RequestContext logs requests, without paths
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )
    # numpy's products here are small: spreading one over cores costs more than it brings, and takes those
    # cores from onnxruntime.
    with threadpool_limits(limits=1, user_api="blas"), contextlib.suppress(KeyboardInterrupt):
        _Server(config).run()
