"""The verb `models`."""

from __future__ import annotations

from typing import Annotated

import typer

from service.verbs import render
from service.verbs.terminal import Json, Key, Service, Url, show


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verb to a command line."""

    @app.command()
    def models(
        activate: Annotated[str | None, typer.Option(help="Switch to this version.")] = None,
        remove: Annotated[str | None, typer.Option(help="Remove this fine-tuned version.")] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Lists model versions and marks the one that serves. With --activate, switches to a version."""
        with service(url, key) as client:
            if remove is not None:
                client.remove_model(remove)
            if activate is not None:
                show(client.activate(activate), as_json, render.activation)
            else:
                show(client.models(), as_json, render.models)
