"""The verbs `finetune` and `jobs`: start a job, list, watch and cancel jobs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.client import Client, ClientError, JobAnswer, ServiceRefused
from service.verbs import render
from service.verbs.terminal import NO, AudioFiles, Json, Key, Service, Url, show


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verbs to a command line."""

    @app.command()
    def finetune(
        files: AudioFiles = [],  # noqa: B006  typer copies it
        speaker: Annotated[
            list[str] | None, typer.Option(help="Also use this speaker's retained audio; repeatable.")
        ] = None,
        steps: Annotated[int | None, typer.Option(help="Training steps before the adaptation [0].")] = None,
        same_voice_seconds: Annotated[
            float | None,
            typer.Option(help="Two crops count as one voice if at most this many seconds apart; 0: always."),
        ] = None,
        activate: Annotated[
            bool, typer.Option("--activate", help="Switch to the new version if it is better.")
        ] = False,
        follow: Annotated[bool, typer.Option("--follow", help="Wait until the job is over.")] = False,
        job: Annotated[str | None, typer.Option(help="Watch this job instead of starting one.")] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Fine-tunes the model on recordings, without labels. Exit status 1 if the job fails."""
        if (job is None) == (not files and not speaker):
            raise typer.BadParameter("Give files or --speaker to start a job, or --job to watch one.")
        with service(url, key) as client:
            if job is None:
                job = client.finetune(
                    *files,
                    speaker_ids=speaker,
                    steps=steps,
                    same_voice_seconds=same_voice_seconds,
                    activate="if_better" if activate else "never",
                ).job_id
            answer = _follow(client, job) if follow else client.job(job)
        show(answer, as_json, render.job)
        if answer.state in ("failed", "canceled"):
            raise typer.Exit(NO)

    @app.command()
    def jobs(
        job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Only this job.")] = None,
        follow: Annotated[bool, typer.Option("--follow", help="Wait until the job is over.")] = False,
        cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the job.")] = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Lists fine-tuning jobs, newest first. With a job's id, shows, follows or cancels that one."""
        if job is None and (follow or cancel):
            raise typer.BadParameter("Which job? `twofold jobs` lists them.")
        with service(url, key) as client:
            if job is None:
                show(list(client.jobs()), as_json, render.jobs)
                return
            if cancel:
                client.cancel(job)
            answer = _follow(client, job) if follow else client.job(job)
        show(answer, as_json, render.job)
        if answer.state == "failed":
            raise typer.Exit(NO)


def _follow(client: Client, job_id: str) -> JobAnswer:
    """Waits for the end of a job, with a progress bar on stderr."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("queued", total=None, detail="")

        def update(job: JobAnswer) -> None:
            progress.update(
                task,
                description=job.state,
                total=job.steps or None,
                completed=job.step,
                detail=_detail(job),
            )

        try:
            return client.wait(job_id, update)
        except ServiceRefused:
            raise
        except ClientError as error:
            raise ClientError(f"{error} Watch it with `twofold jobs {job_id} --follow`.") from None


def _detail(job: JobAnswer) -> str:
    parts = []
    if job.loss is not None:
        parts.append(f"loss {job.loss:.4g}")
    if job.eta_s is not None:
        parts.append(f"{job.eta_s:.0f} s left")
    return ", ".join(parts)
