"""Whether the service can listen on an address, in plain words if it cannot."""

from __future__ import annotations

import errno
import socket


class CannotListen(Exception):
    """The address cannot be listened on. The message says why and what to do."""


def require_address(host: str, port: int) -> None:
    """Raises CannotListen. Here for the sake of the message: uvicorn binds the address itself."""
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in addresses:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise CannotListen(_why(error, host, port)) from None


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use, perhaps by another Twofold. `--port 0` takes a free one."
    if error.errno == errno.EACCES:
        return f"Only the administrator may listen on port {port}. Give `--port` a number from 1024 on."
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"This machine has no address {host}. `--host 127.0.0.1` serves this machine alone."
    return f"{host} port {port} cannot be listened on: {error.strerror or error}."
