"""What the running service stands: size, installation, kills, any input, load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.commands.options import BundleOption
from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.bundles.newest import newest_bundle
from trainer.terminal import errors_said


def scale(
    voices: Annotated[list[int] | None, typer.Option(help="Size of a gallery; repeatable.")] = None,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/scale.md"),
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    before: Annotated[
        Path | None, typer.Option(help="Figures of an earlier release, to stand beside.")
    ] = None,
    stores: Annotated[Path | None, typer.Option(help="Keep the filled stores here for the next run.")] = None,
) -> None:
    """Search, start, memory and writes with ten thousand to a million voices (about ten minutes).

    Example: `python -m benchmarks scale --voices 10000 --voices 100000`
    """
    from benchmarks.scale import scale_page

    sizes = voices or [10_000, 100_000, 1_000_000]
    with errors_said(Console(stderr=True), BundleError):
        scale_page(bundle or newest_bundle(), sizes, out, json_path, before, stores, typer.echo)
    typer.echo(f"written to {out}")


def generated(
    url: Annotated[str, typer.Option(help="URL of a running service.")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option(help="Its API key, if it has one.")] = None,
    per_label: Annotated[int, typer.Option(min=1, help="Clips of each label.")] = 50,
    judge: Annotated[
        Path, typer.Option(help="Classifier of real audio, of `trainer reproduce gaae`.")
    ] = Path("runs/gaae-paper/cpu/trained/digits-judge/checkpoint.safetensors"),
    styles: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of speech: clips are also made in the styles of its test recordings."),
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Page that gets the tables, and a picture.")] = None,
) -> None:
    """The share of a running service's clips that a classifier of real audio recognises as their label.

    Example: `python -m benchmarks generated --per-label 50 --styles data/arabic_speech_commands
    --page docs/generator-card.md`
    """
    from benchmarks.generated import generated_report
    from service.client import ClientError

    with errors_said(Console(stderr=True), ClientError, DataError, ValueError):
        typer.echo(
            generated_report(url, key, judge_path=judge, per_label=per_label, styles=styles or (), page=page)
        )


def install(
    python: Annotated[
        list[str] | None,
        typer.Option(help="Interpreter; repeatable. Without it, python3.11, python3.12, python3.13."),
    ] = None,
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/deployment.md"),
) -> None:
    """Does a wheel install and serve from any folder, and how large is that? Downloads the packages.

    Example: `python -m benchmarks install --python python3.13`
    """
    from benchmarks.installation import VERSIONS, InstallationFailed, installation_page

    console = Console(stderr=True)
    with errors_said(console, InstallationFailed):
        installation_page(python or [f"python{version}" for version in VERSIONS], page, console.print)
    console.print(f"written to {page}")


def faults(
    kills: Annotated[int | None, typer.Option(min=1, help="How many of each [50, or as fit].")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="How long at most, for each.")] = None,
    servers: Annotated[
        list[int] | None,
        typer.Option(min=1, help="1: stores in files; 2: replicas on a Redis; repeatable [both]."),
    ] = None,
    models: Annotated[Path, typer.Option(help="Folder of models, two of them for voices.")] = Path("models"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/reliability.md"),
) -> None:
    """Kills server, worker and Redis under load: is anything lost, half, back again, or left on disk?

    Example: `python -m benchmarks faults --kills 500`
    """
    from benchmarks.faults.page import faults_page

    console = Console(stderr=True)
    if kills is None and minutes is None:
        kills = 50
    with errors_said(console, FileNotFoundError):
        clean = [
            faults_page(models, page, console.print, servers=number, kills=kills, minutes=minutes)
            for number in servers or (1, 2)
        ]
    console.print(f"written to {page}")
    if not all(clean):
        raise typer.Exit(1)


def fuzz(
    requests: Annotated[int, typer.Option(min=0, help="Requests made from the OpenAPI document.")] = 20_000,
    recordings: Annotated[int, typer.Option(min=0, help="Damaged audio files.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another one makes others.")] = 0,
    models: Annotated[Path, typer.Option(help="Models folder, or the path of one model.")] = Path(
        "models/autodecompose"
    ),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/reliability.md"),
) -> None:
    """Does anything that a client may send make the service fail? Starts a service with two tenants.

    Example: `python -m benchmarks fuzz --requests 1000 --recordings 1000`
    """
    from benchmarks.fuzz.page import FaultsFound, fuzz_page
    from benchmarks.performance.serving import ServiceFailedError

    console = Console(stderr=True)
    with errors_said(console, FaultsFound, ServiceFailedError):
        fuzz_page(
            models,
            Path("examples"),
            page,
            requests=requests,
            recordings=recordings,
            seed=seed,
            say=console.print,
        )
    console.print(f"written to {page}")


def soak(
    minutes: Annotated[float, typer.Option(min=1.5, help="How long.")] = 60.0,
    models: Annotated[Path, typer.Option(help="Models folder.")] = Path("models"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/reliability.md"),
) -> None:
    """Sends 90 % of what a service can, while a worker runs jobs: memory, handles, threads, p99, 5xx.

    Example: `python -m benchmarks soak --minutes 15`
    """
    from benchmarks.load.page import soak_page
    from benchmarks.performance.serving import ServiceFailedError

    console = Console(stderr=True)
    with errors_said(console, ServiceFailedError):
        soak_page(models, page, console.print, minutes=minutes)
    console.print(f"written to {page}")


def overload(
    seconds: Annotated[float, typer.Option(min=1.0, help="How long.")] = 30.0,
    models: Annotated[Path, typer.Option(help="Models folder.")] = Path("models"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/reliability.md"),
) -> None:
    """Sends three times what a service can: how soon are the others refused, and how long do the served wait?

    Example: `python -m benchmarks overload`
    """
    from benchmarks.load.page import overload_page
    from benchmarks.performance.serving import ServiceFailedError

    console = Console(stderr=True)
    with errors_said(console, ServiceFailedError):
        overload_page(models, page, seconds=seconds)
    console.print(f"written to {page}")
