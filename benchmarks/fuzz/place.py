"""A service to send to: two tenants and the operator, in a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.performance.serving import running_service
from service.keys import new_key, write_keys

TENANTS = ("acme", "beta", "")
#: Recordings are short, so that thousands pass in minutes.
SETTINGS: dict[str, Any] = {
    "min_speech_enrol_s": 0.5,
    "min_speech_identify_s": 0.5,
    "min_speech_finetune_s": 0.5,
    "min_speech_embed_s": 0.3,
}


@dataclass(frozen=True)
class Place:
    """Where the service listens, and a key for each tenant."""

    url: str
    keys: dict[str, str]


def make_keys(path: Path) -> dict[str, str]:
    """Writes a file of keys, one for each tenant. Returns them by tenant."""
    made = {
        tenant: new_key(("identify", "enrol", "erase", "finetune", "read", "export"), tenant=tenant)
        for tenant in TENANTS
    }
    write_keys(path, [key for _, key in made.values()])
    return {tenant: text for tenant, (text, _) in made.items()}


@contextmanager
def place(models_dir: Path) -> Iterator[Place]:
    """Starts the service; ends it when the block does. Raises ServiceFailedError."""
    with TemporaryDirectory() as folder:
        keys_file = Path(folder) / "keys"
        keys = make_keys(keys_file)
        with running_service(models_dir, keys_file=keys_file, **SETTINGS) as service:
            yield Place(service.url, keys)
