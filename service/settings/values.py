"""What the value of a setting may hold: lists, keys and addresses."""

from __future__ import annotations

import ipaddress
import re

from pydantic import SecretStr


def listed(value: SecretStr | str) -> tuple[str, ...]:
    """The parts of a value with commas, none of them empty."""
    text = value if isinstance(value, str) else value.get_secret_value()
    return tuple(part.strip() for part in text.split(",") if part.strip())


def fits_in_header(key: str) -> bool:
    """Whether a key can be sent in a header."""
    return re.fullmatch(r"[!-~]+", key) is not None


def is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address: 127.0.0.0/8, ::1, or `localhost`."""
    if is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host.rstrip(".").lower() == "localhost"
