"""E6: an address that cannot be listened on is said in plain words, before anything is loaded."""

from __future__ import annotations

import socket

import pytest
from typer.testing import CliRunner

from service.address import CannotListen, require_address
from service.cli import app


def test_e6_a_busy_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        done = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert (done.exit_code, done.stdout) == (1, "")
    said = f"error: Port {port} is in use, perhaps by another Twofold. `--port 0` takes a free one."
    assert done.stderr.splitlines() == [said]


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.invalid"])
def test_e6_an_address_of_another_machine(host: str) -> None:
    with pytest.raises(CannotListen, match=rf"no address {host}\. `--host 127\.0\.0\.1`"):
        require_address(host, 0)


@pytest.mark.parametrize("host", ["", "127.0.0.1", "localhost"])
def test_e6_an_address_of_this_machine(host: str) -> None:
    require_address(host, 0)
