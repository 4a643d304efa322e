"""All findings, in the order in which a service would meet them."""

from __future__ import annotations

from collections.abc import Iterator

from service.doctor.findings import Finding
from service.doctor.installation import installation
from service.doctor.place import address, files, read_settings
from service.doctor.stores import stored


def examine() -> Iterator[Finding]:
    """Looks at packages, settings, files and stores. Reads only."""
    yield from installation()
    settings, findings = read_settings()
    yield from findings
    if settings is None:
        return
    yield from files(settings)
    yield from stored(settings)
    yield from address(settings)
