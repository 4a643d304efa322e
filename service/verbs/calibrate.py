"""The verb `calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.client.folders import people_of
from service.verbs import render
from service.verbs.terminal import Json, Key, Service, TargetFpr, Url, show


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verb to a command line."""

    @app.command()
    def calibrate(
        folder: Annotated[
            Path,
            typer.Argument(exists=True, file_okay=False, help="Has a folder of recordings for each person."),
        ],
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells what thresholds do on your own recordings. Nothing of them is stored."""
        with service(url, key) as client:
            answer = client.calibrate(people_of(folder), target_fpr=target_fpr)
        show(answer, as_json, render.calibration)
