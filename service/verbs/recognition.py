"""The verbs that listen: `embed`, `content`, `identify`, `verify`, `diarize`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from service.client import Client, ClientError, ServiceRefused, ServiceUnreachable
from service.client.answers import Diarized, LongDiarizeAnswer
from service.diarization import Turn, rttm
from service.settings import Settings
from service.verbs import render
from service.verbs.files import write
from service.verbs.terminal import (
    NO,
    AudioFile,
    AudioFiles,
    Collections,
    Json,
    Key,
    Service,
    SpeakerId,
    TargetFpr,
    Threshold,
    Url,
    show,
    trouble,
)


def register(app: typer.Typer, service: Service, load_settings: Callable[[], Settings]) -> None:
    """Adds the verbs to a command line. `load_settings` reads the TWOFOLD_* variables."""

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
                    answer = client.embed(*files, segments=segments)
                except ServiceUnreachable:
                    if url:  # the user named a service
                        raise
                    typer.echo("No service is running: computing here.", err=True)
        if answer is None:
            from service.verbs.local import embed_locally  # imports onnxruntime

            with trouble():
                answer = embed_locally(files, load_settings(), segments=segments)
        show(answer, as_json, render.embeddings)

    @app.command()
    def content(
        file: AudioFile,
        out: Annotated[
            Path | None,
            typer.Option(dir_okay=False, help="File to write, for numpy.load: (frames, numbers)."),
        ] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells what is said, as a vector for each 16 ms. With --out, writes them to a file."""
        with service(url, key) as client:
            if out is not None:
                write(out, client.content_npy(file))
            else:
                show(client.content(file), as_json, render.content)

    @app.command()
    def identify(
        file: AudioFile,
        collection: Collections = None,
        top_k: Annotated[int | None, typer.Option(help="Most candidates to list.")] = None,
        threshold: Threshold = None,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells who speaks. Exit status 1 if it is nobody enrolled."""
        with service(url, key) as client:
            answer = client.identify(
                file, collection=collection or (), top_k=top_k, threshold=threshold, target_fpr=target_fpr
            )
        show(answer, as_json, render.identification)
        if answer.match is None:
            raise typer.Exit(NO)

    @app.command()
    def verify(
        speaker_id: SpeakerId,
        file: AudioFile,
        collection: Collections = None,
        threshold: Threshold = None,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells whether it is this speaker. Exit status 1 if it is not."""
        with service(url, key) as client:
            answer = client.verify(
                speaker_id, file, collection=collection or (), threshold=threshold, target_fpr=target_fpr
            )
        show(answer, as_json, render.verification)
        if not answer.accepted:
            raise typer.Exit(NO)

    @app.command()
    def diarize(
        file: AudioFile,
        collection: Collections = None,
        num_speakers: Annotated[int | None, typer.Option(help="Number of voices, if it is known.")] = None,
        background: Annotated[
            bool, typer.Option("--background", help="For a recording of hours. Shows how far it is.")
        ] = False,
        as_rttm: Annotated[bool, typer.Option("--rttm", help="Print RTTM, for other programs.")] = False,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells who speaks when in a recording of several people."""
        hints: dict[str, Any] = {
            "collection": collection or (),
            "num_speakers": num_speakers,
            "target_fpr": target_fpr,
        }
        with service(url, key) as client:
            if background:
                answer = _diarized_in_background(client, file, hints)
            else:
                try:
                    answer = client.diarize(file, **hints)
                except ServiceRefused as error:
                    if error.code != "too_large":
                        raise
                    raise ClientError(f"{error} --background takes recordings of hours.") from None
        if as_rttm:
            turns = [Turn(s.start_s, s.end_s, s.label) for s in answer.segments]
            typer.echo(rttm(turns, file.stem), nl=False)
        else:
            show(answer, as_json, render.diarization)


def _diarized_in_background(client: Client, file: Path, hints: dict[str, Any]) -> Diarized:
    """Waits for the answer, with a progress bar on stderr. Raises ClientError where it fails."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=Console(stderr=True)
    )
    with bar:
        task = bar.add_task("sending", total=None)

        def advance(job: LongDiarizeAnswer) -> None:
            total = None if job.progress is None else 1.0
            bar.update(task, description=job.state, total=total, completed=job.progress or 0.0)

        job = client.diarize_in_background(file, progress=advance, **hints)
    typer.echo(
        f"This was job {job.job_id}: `twofold enrol ID --from-job {job.job_id} --label LABEL`.", err=True
    )
    if job.diarization is None:
        raise ClientError(job.error or f"The diarization is {job.state}.")
    return job.diarization
