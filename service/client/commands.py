"""The client verbs. Their exit status is 0 for yes, 1 for no (no match, not accepted), 2 for an error."""

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
from service.diarization import Turn, rttm
from service.settings import Settings


def register(app: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    """Adds the client verbs to a command line. `load_settings` reads the TWOFOLD_* variables."""

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
        local: Annotated[bool, typer.Option("--local", help="Compute here, without a service.")] = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Prints the voice embedding of each file. Without a running service, computes it in this process."""
        answer = None
        if not local:
            with service(url, key) as client:
                try:
                    answer = client.send("/embed", files, segments=segments)
                except ServiceUnreachable:
                    if url:  # the user named a service
                        raise
                    typer.echo("No service is running: computing here.", err=True)
        if answer is None:
            from service.client.local import embed_locally  # imports onnxruntime

            with trouble():
                answer = embed_locally(files, load_settings(), segments=segments)
        show(answer, as_json, render.embeddings)

    @app.command()
    def enrol(
        speaker_id: SpeakerId,
        files: AudioFiles,
        name: Annotated[str | None, typer.Option(help="Name to show.")] = None,
        metadata: Annotated[str | None, typer.Option(help="A JSON object to store.")] = None,
        retain_audio: Annotated[bool, typer.Option(help="Keep the audio for later models.")] = False,
        add: Annotated[bool, typer.Option("--add", help="Add to an enrolled speaker.")] = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Enrols a voice from at least 5 s of speech. With --add, adds recordings to an enrolled voice."""
        if add and (name is not None or metadata is not None):
            raise typer.BadParameter("--name and --metadata are set at enrolment: leave them out with --add.")
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
        """Tells who speaks. Exit status 1 if it is nobody enrolled."""
        with service(url, key) as client:
            answer = client.send("/identify", [file], top_k=top_k, threshold=threshold, target_fpr=target_fpr)
        show(answer, as_json, render.identification)
        if answer["match"] is None:
            raise typer.Exit(NO)

    @app.command()
    def diarize(
        file: AudioFile,
        num_speakers: Annotated[int | None, typer.Option(help="Number of voices, if it is known.")] = None,
        as_rttm: Annotated[bool, typer.Option("--rttm", help="Print RTTM, for other programs.")] = False,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells who speaks when in a recording of several people."""
        with service(url, key) as client:
            answer = client.send("/diarize", [file], num_speakers=num_speakers, target_fpr=target_fpr)
        if as_rttm:
            turns = [Turn(s["start_s"], s["end_s"], s["label"]) for s in answer["segments"]]
            typer.echo(rttm(turns, file.stem), nl=False)
        else:
            show(answer, as_json, render.diarization)

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
        """Tells whether it is this speaker. Exit status 1 if it is not."""
        with service(url, key) as client:
            answer = client.send(
                "/verify", [file], speaker_id=speaker_id, threshold=threshold, target_fpr=target_fpr
            )
        show(answer, as_json, render.verification)
        if not answer["accepted"]:
            raise typer.Exit(NO)

    @app.command()
    def speakers(url: Url = None, key: Key = None, as_json: Json = False) -> None:
        """Lists all enrolled speakers."""
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
        """Erases a speaker and the retained audio. Cannot be undone."""
        with service(url, key) as client:
            client.delete(speaker_path(speaker_id))

    @app.command()
    def models(
        activate: Annotated[str | None, typer.Option(help="Switch to this version.")] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Lists model versions and marks the one that serves. With --activate, switches to a version."""
        with service(url, key) as client:
            if activate is not None:
                show(client.post(f"/models/{activate}/activate"), as_json, render.activation)
            else:
                show(client.get("/models"), as_json, render.models)

    finetune.register(app, service)
    generate.register(app, service)
