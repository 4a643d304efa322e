"""Why a service would not start with its settings, in plain words."""

from __future__ import annotations

from pydantic import ValidationError

from service.keys import KeysFileError, read_keys
from service.packages import installed
from service.settings import Settings, is_loopback


def explained(error: ValidationError) -> list[str]:
    """A line for each setting with a wrong value."""
    lines = []
    for problem in error.errors():
        where = "".join(f"TWOFOLD_{str(part).upper()}: " for part in problem["loc"][:1])
        lines.append(f"{where}{problem['msg']}")
    return lines


def obstacles(settings: Settings) -> list[str]:
    """A file is not what it should be, or others could reach the service without keys."""
    lines = []
    if settings.audit_log is not None and not settings.audit_log.parent.is_dir():
        lines.append(f"TWOFOLD_AUDIT_LOG: there is no folder {settings.audit_log.parent}.")
    if settings.traces_url and not installed("opentelemetry.exporter"):
        lines.append("TWOFOLD_TRACES_URL needs the extra `traces`: pip install 'twofold[traces]'")
    if settings.keys_file is not None:
        try:
            read_keys(settings.keys_file)
        except KeysFileError as error:
            lines.append(f"TWOFOLD_KEYS_FILE: {error}")
    if not (settings.locked or settings.insecure or is_loopback(settings.host)):
        lines.append(
            f"{settings.host or 'every address'} can be reached from other machines, and the service "
            "has no keys. Set TWOFOLD_API_KEYS (`openssl rand -hex 16` makes a key), or listen on 127.0.0.1. "
            "TWOFOLD_INSECURE=1 starts it all the same."
        )
    return lines
