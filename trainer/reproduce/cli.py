"""`trainer reproduce`: one verb a page of figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trainer.bundle import BundleError
from trainer.data import DataError
from trainer.errors import FinetuneError

app = typer.Typer(no_args_is_help=True, help="Makes the published figures anew.")

BundleArgument = Annotated[Path, typer.Option("--bundle", help="Model to start from.")]
DataArgument = Annotated[Path, typer.Option("--data", envvar="TWOFOLD_DATA", help="Folder of the corpora.")]
SHIPPED = Path("models/autodecompose/1.0.0")


@app.command()
def finetune(
    data: DataArgument,
    bundle: BundleArgument = SHIPPED,
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/finetune.md"),
) -> None:
    """Does fine-tuning help, what is forgotten, how long does it take?

    Example: `python -m trainer reproduce finetune --data data`
    """
    from trainer.reproduce.finetune import reproduce_finetune

    console = Console(stderr=True)
    with _errors_said(console):
        reproduce_finetune(bundle, data, page, console.print)


@app.command()
def model_updates(
    data: DataArgument,
    bundle: BundleArgument = SHIPPED,
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/model-updates.md"),
) -> None:
    """What becomes of enrolled voices when a fine-tuned model takes over?

    Example: `python -m trainer reproduce model-updates --data data`
    """
    from trainer.reproduce.model_updates import reproduce_model_updates

    console = Console(stderr=True)
    with _errors_said(console):
        reproduce_model_updates(bundle, data, page, console.print)


@app.command()
def syntone(
    runs: Annotated[int, typer.Option(min=1, help="Trainings of each model.")] = 10,
    epochs: Annotated[int | None, typer.Option(min=1, help="In place of the settings'.")] = None,
    amplitudes: Annotated[int, typer.Option(min=2, help="Levels; the paper's 20.")] = 20,
    frequencies: Annotated[int, typer.Option(min=2, help="Levels; the paper's 400.")] = 400,
    work: Annotated[
        Path, typer.Option(help="Checkpoints and figures of each training; goes on here.")
    ] = Path("runs/syntone"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/syntone.md"),
) -> None:
    """Which factors of synthetic tones do VAEs and Autodecompose disentangle?

    Stop it with Ctrl-C; the same command goes on.

    Example: `python -m trainer reproduce syntone --runs 3`
    """
    from trainer.reproduce.syntone import reproduce_syntone
    from trainer.syntone.dataset import SynTone

    console = Console(stderr=True)
    with _errors_said(console):
        grid = SynTone(amplitudes, frequencies)
        reproduce_syntone(page, work, console.print, runs=runs, epochs=epochs, grid=grid)


@app.command()
def representations(
    data: DataArgument,
    bundle: BundleArgument = SHIPPED,
    barlow_twins: Annotated[Path, typer.Option(help="Run folder or bundle of Barlow Twins.")] = Path(
        "runs/barlow_twins/speechocean762"
    ),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/representations.md"),
    cache: Annotated[Path, typer.Option(help="Where decoded audio is kept.")] = Path("runs/cache"),
) -> None:
    """What does each encoder know of who and what? Barlow Twins and raw features beside it.

    Example: `python -m trainer reproduce representations --data data`
    """
    from trainer.reproduce.representations.command import reproduce_representations

    console = Console(stderr=True)
    with _errors_said(console):
        reproduce_representations(bundle, barlow_twins, data, page, cache, console.print)


@contextmanager
def _errors_said(console: Console) -> Iterator[None]:
    try:
        yield
    except (BundleError, DataError, FinetuneError) as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
