"""The verbs `calibrate` and `thresholds`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from service.client.folders import people_of
from service.verbs import render
from service.verbs.terminal import Json, Key, Service, TargetFpr, Url, show


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verbs to a command line."""

    @app.command()
    def calibrate(
        folder: Annotated[
            Path,
            typer.Argument(exists=True, file_okay=False, help="Has a folder of recordings for each person."),
        ],
        target_fpr: TargetFpr = None,
        collection: Annotated[
            str | None, typer.Option(help="Store a threshold that decides about this collection from now on.")
        ] = None,
        store: Annotated[
            Literal["chosen", "equal"] | None,
            typer.Option(help="With --collection: which one [chosen]."),
        ] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells what thresholds do on your own recordings. None of them is stored."""
        with service(url, key) as client:
            answer = client.calibrate(
                people_of(folder), target_fpr=target_fpr, collection=collection, store=store
            )
        show(answer, as_json, render.calibration)

    @app.command()
    def thresholds(
        remove: Annotated[
            str | None,
            typer.Option(metavar="COLLECTION", help="Remove its threshold: the model's own decides again."),
        ] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Lists the thresholds that `calibrate` stored for collections, or removes one."""
        with service(url, key) as client:
            if remove is not None:
                client.remove_threshold(remove)
            else:
                show(client.thresholds(), as_json, render.thresholds)
