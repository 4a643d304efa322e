"""The verb `finetune`: starts a job or watches one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.client.http import ClientError, ServiceClient
from service.client.terminal import NO, AudioFiles, Json, Key, Url, show

Service = Callable[[str | None, str | None], AbstractContextManager[ServiceClient]]


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verb to a command line. `service(url, key)` opens a client."""

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
                started = client.send(
                    "/finetune",
                    files,
                    speaker_ids=",".join(speaker) if speaker else None,
                    steps=steps,
                    same_voice_seconds=same_voice_seconds,
                    activate="if_better" if activate else "never",
                )
                job = str(started["job_id"])
            path = f"/finetune/{quote(job, safe='')}"
            answer = _follow(client, path) if follow else client.get(path)
        show(answer, as_json, render)
        if answer["state"] in ("failed", "canceled"):
            raise typer.Exit(NO)


def render(job: Any, console: Console) -> None:
    """A job, for people."""
    steps = f", {job['step']} of {job['steps']} steps" if job["steps"] else ""
    console.print(f"job {job['job_id']}: {job['state']}{steps}")
    if job["error"]:
        console.print(escape(job["error"]))
    if job["report"]:
        console.print(f"{job['report']['verdict'].replace('_', ' ')}: {escape(job['report']['reason'])}")
    if job["activation"]:
        console.print(escape(job["activation"]["reason"]))
    elif job["version"]:
        console.print(f"python -m service models --activate {job['version']}")


def _follow(client: ServiceClient, path: str) -> Any:
    """Waits for the end of a job, with a progress bar on stderr. Returns the job."""
    job: Any = None
    why = "The service closed the connection, but the job continues."
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("queued", total=None, detail="")
        for name, data in client.events(f"{path}/events"):
            if name == "end":
                why = data["detail"]
                continue
            job = data
            progress.update(
                task,
                description=job["state"],
                total=job["steps"] or None,
                completed=job["step"],
                detail=_detail(job),
            )
    if job is None or job["finished_at"] is None:
        raise ClientError(f"{why} Watch it with --job {path.rpartition('/')[2]} --follow.")
    return job


def _detail(job: Any) -> str:
    parts = []
    if job["loss"] is not None:
        parts.append(f"loss {job['loss']:.4g}")
    if job["eta_s"] is not None:
        parts.append(f"{job['eta_s']:.0f} s left")
    return ", ".join(parts)
