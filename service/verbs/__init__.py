"""The verbs of the command line that talk to a running service, or look at what is here.

Their exit status is 0 for yes, 1 for no (no match, not accepted, a failed job), 2 for an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from service.client import Client
from service.settings import Settings
from service.verbs import (
    calibrate,
    doctor,
    gallery,
    generate,
    jobs,
    listen,
    models,
    recognition,
    recordings,
    voices,
)
from service.verbs.terminal import default_url, trouble


def register(app: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    """Adds the verbs to a command line. `load_settings` reads the TWOFOLD_* variables."""

    @contextmanager
    def service(url: str | None, key: str | None) -> Iterator[Client]:
        settings = load_settings()
        key = key or next(iter(settings.keys), None)
        with trouble(), Client(url or default_url(settings), key) as client:
            yield client

    voices.register(app, service)
    recordings.register(app, service)
    recognition.register(app, service, load_settings)
    calibrate.register(app, service)
    listen.register(app, load_settings)
    gallery.register(app, service)
    jobs.register(app, service)
    models.register(app, service)
    generate.register(app, service)
    doctor.register(app)


__all__ = ["register"]
