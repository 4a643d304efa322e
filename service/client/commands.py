"""The client verbs. Exit status as grep has it: 0 yes, 1 no (no match, not accepted), 2 trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from service.client import finetune, generate, render
from service.client.http import ServiceClient, ServiceUnreachable, default_url, speaker_path
from service.client.terminal import (
    NO,
    AudioFile,
    AudioFiles,
    Json,
    Key,
    SpeakerId,
    TargetFpr,
    Threshold,
    Url,
    show,
    trouble,
)
from service.settings import Settings


def register(app: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    """Adds the client verbs to a command line. `load_settings` reads TWOFOLD_*."""

    @contextmanager
    def service(url: str | None, key: str | None) -> Iterator[ServiceClient]:
        settings = load_settings()
        key = key or next(iter(settings.keys), None)
        with trouble(), ServiceClient(url or default_url(settings), key) as client:
            yield client

    @app.command()
    def embed(
        files: AudioFiles,
        segments: Annotated[bool, typer.Option(help="Also embed every 1.024 s of speech.")] = False,
        local: Annotated[bool, typer.Option("--local", help="Do not ask a service.")] = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Voice embedding of each file. Where no service runs, the model is loaded into this process."""
        answer = None
        if not local:
            with service(url, key) as client:
                try:
                    answer = client.send("/embed", files, segments=segments)
                except ServiceUnreachable:
                    if url:  # that very service was asked for
                        raise
                    typer.echo("No service is running: computing here.", err=True)
        if answer is None:
            from service.client.local import embed_locally  # brings the model runtime along

            with trouble():
                answer = embed_locally(files, load_settings(), segments=segments)
        show(answer, as_json, render.embeddings)

    @app.command()
    def enrol(
        speaker_id: SpeakerId,
        files: AudioFiles,
        name: Annotated[str | None, typer.Option(help="Name to show.")] = None,
        metadata: Annotated[str | None, typer.Option(help="A JSON object to keep.")] = None,
        retain_audio: Annotated[bool, typer.Option(help="Keep the audio for later models.")] = False,
        add: Annotated[bool, typer.Option("--add", help="Add to a speaker who is enrolled.")] = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Enrols a voice from 5 s of speech or more, or adds to it."""
        if add and (name is not None or metadata is not None):
            raise typer.BadParameter("--add takes no --name and no --metadata: these are set at enrolment.")
        with service(url, key) as client:
            if add:
                path = f"{speaker_path(speaker_id)}/audio"
                answer = client.send(path, files, retain_audio=retain_audio)
            else:
                answer = client.send(
                    "/speakers",
                    files,
                    speaker_id=speaker_id,
                    name=name,
                    metadata=metadata,
                    retain_audio=retain_audio,
                )
        show(answer, as_json, render.enrolment)

    @app.command()
    def identify(
        file: AudioFile,
        top_k: Annotated[int | None, typer.Option(help="Most candidates to list.")] = None,
        threshold: Threshold = None,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Who is it? Exit status 1 when it is nobody enrolled."""
        with service(url, key) as client:
            answer = client.send("/identify", [file], top_k=top_k, threshold=threshold, target_fpr=target_fpr)
        show(answer, as_json, render.identification)
        if answer["match"] is None:
            raise typer.Exit(NO)

    @app.command()
    def verify(
        speaker_id: SpeakerId,
        file: AudioFile,
        threshold: Threshold = None,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Is it this speaker? Exit status 1 when it is not."""
        with service(url, key) as client:
            answer = client.send(
                "/verify", [file], speaker_id=speaker_id, threshold=threshold, target_fpr=target_fpr
            )
        show(answer, as_json, render.verification)
        if not answer["accepted"]:
            raise typer.Exit(NO)

    @app.command()
    def speakers(url: Url = None, key: Key = None, as_json: Json = False) -> None:
        """Lists everybody enrolled."""
        listed: list[Any] = []
        with service(url, key) as client:
            cursor = None
            while True:
                page = client.get("/speakers", limit=1000, cursor=cursor)
                listed += page["speakers"]
                cursor = page["next_cursor"]
                if cursor is None:
                    break
        show(listed, as_json, render.speakers)

    @app.command()
    def delete(speaker_id: SpeakerId, url: Url = None, key: Key = None) -> None:
        """Erases a speaker, retained audio included. Cannot be undone."""
        with service(url, key) as client:
            client.delete(speaker_path(speaker_id))

    @app.command()
    def models(
        activate: Annotated[str | None, typer.Option(help="Switch to this version first.")] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Lists model versions and which one serves; with --activate, switches."""
        with service(url, key) as client:
            if activate is not None:
                show(client.post(f"/models/{activate}/activate"), as_json, render.activation)
            else:
                show(client.get("/models"), as_json, render.models)

    finetune.register(app, service)
    generate.register(app, service)
