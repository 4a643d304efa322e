"""The verbs `recordings` and `erasures`: what a voiceprint is made of, and what is still being erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.verbs import render
from service.verbs.files import write
from service.verbs.terminal import Json, Key, Service, SpeakerId, Url, show


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verbs to a command line."""

    @app.command()
    def recordings(
        speaker_id: SpeakerId,
        number: Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="Only this one.")] = None,
        out: Annotated[
            Path | None, typer.Option(dir_okay=False, help="Write its retained audio to a file, Ogg Opus.")
        ] = None,
        remove: Annotated[bool, typer.Option("--remove", help="Erase it. Cannot be undone.")] = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Lists the recordings of a speaker. With a number, writes that one to a file, or erases it."""
        if (number is None) != (out is None and not remove):
            raise typer.BadParameter(
                "Give a number with --out or --remove. Without a number, all are listed."
            )
        with service(url, key) as client:
            if number is None:
                show(client.recordings(speaker_id), as_json, render.recordings)
                return
            if out is not None:
                write(out, client.recording(speaker_id, number))
            if remove:
                client.remove_recording(speaker_id, number)

    @app.command()
    def erasures(url: Url = None, key: Key = None, as_json: Json = False) -> None:
        """Lists erasures that are still being worked off, and why."""
        with service(url, key) as client:
            show(client.erasures(), as_json, render.erasures)
