"""`trainer reproduce`: one verb a page of figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.bundles.newest import newest_bundle
from trainer.finetuning.errors import FinetuneError
from trainer.terminal import errors_said

app = typer.Typer(no_args_is_help=True, help="Makes the figures of a paper anew, with its page.")

BundleArgument = Annotated[
    Path | None,
    typer.Option("--bundle", help="The shipped model; by default the newest under models/autodecompose."),
]
DataArgument = Annotated[Path, typer.Option("--data", envvar="TWOFOLD_DATA", help="Folder of the corpora.")]


@app.command()
def barlow_twins(
    data: DataArgument,
    runs: Annotated[Path, typer.Option(help="Trainings and finished figures.")] = Path("runs/barlow_twins"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/barlow_twins.md"),
    only: Annotated[str, typer.Option(help="Parts, with commas: table2,table3,fig3,figs45.")] = "",
    scale: Annotated[str, typer.Option(help="cpu: two cores; paper: 50 epochs of ResNet-50, a GPU.")] = "cpu",
    planned: Annotated[
        bool, typer.Option("--plan", help="Print what would be trained, and a GPU's hours.")
    ] = False,
    librispeech_epochs: Annotated[
        int | None, typer.Option(min=1, help="Of the long training, if there is none yet; 50.")
    ] = None,
    speechocean_epochs: Annotated[
        int | None, typer.Option(min=1, help="Of the long training, if there is none yet; 5 at cpu.")
    ] = None,
    sweep_epochs: Annotated[
        int | None, typer.Option(min=1, help="Of each short training, 46 steps an epoch; 1 at cpu.")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Trainings a box of Figs 4 and 5; 3 at cpu.")
    ] = None,
    supervised_steps: Annotated[
        int | None, typer.Option(min=1, help="Training steps of each supervised network; 60 at cpu.")
    ] = None,
    most_supervised_steps: Annotated[
        int | None, typer.Option(min=1, help="Of those that are trained to convergence; 1920 at cpu.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where decoded audio is kept.")] = Path("runs/cache"),
) -> None:
    """Tables 2, 3 and Figs 3 to 5 of Barlow Twins for speech. Stop it with Ctrl-C; the same command goes on.

    Example: `python -m trainer reproduce barlow-twins --data data --only table2,fig3`
    """
    from trainer.reproduce.barlow_twins.command import PARTS, reproduce_barlow_twins
    from trainer.reproduce.barlow_twins.hours import planned as hours
    from trainer.reproduce.barlow_twins.plan import SCALES, Plan

    parts = only.split(",") if only else list(PARTS)
    if not set(parts) <= set(PARTS):
        raise typer.BadParameter(f"--only takes {', '.join(PARTS)}, not {only}.")
    console = Console(stderr=True)
    given = {
        "librispeech_epochs": librispeech_epochs,
        "speechocean_epochs": speechocean_epochs,
        "sweep_epochs": sweep_epochs,
        "repeats": repeats,
        "supervised_steps": supervised_steps,
        "most_supervised_steps": most_supervised_steps,
    }
    if scale not in SCALES:
        raise typer.BadParameter(f"--scale is {' or '.join(SCALES)}, not {scale}.")
    chosen = SCALES[scale] | {name: value for name, value in given.items() if value is not None}
    if scale != "cpu":
        runs = runs / scale
    plan = Plan(data=data, runs=runs, page=page, cache=cache, console=console, **chosen)
    with errors_said(console, BundleError, DataError, FinetuneError):
        if planned:
            typer.echo(hours(plan))
        else:
            reproduce_barlow_twins(plan, parts)


@app.command()
def syntone(
    scale: Annotated[str, typer.Option(help="cpu: 3 epochs; paper: 10.")] = "cpu",
    planned: Annotated[
        bool, typer.Option("--plan", help="Print what would be trained, and a GPU's hours.")
    ] = False,
    runs: Annotated[int, typer.Option(min=1, help="Trainings of each model.")] = 10,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs, in place of those of the settings.")
    ] = None,
    amplitudes: Annotated[int, typer.Option(min=2, help="Levels; the paper's 20.")] = 20,
    frequencies: Annotated[int, typer.Option(min=2, help="Levels; the paper's 400.")] = 400,
    work: Annotated[
        Path, typer.Option(help="Checkpoints and figures of each training; goes on here.")
    ] = Path("runs/syntone"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/syntone.md"),
    only: Annotated[list[str] | None, typer.Option(help="table1 or theorem; repeat for several.")] = None,
) -> None:
    """Which factors of synthetic tones do VAEs and Autodecompose disentangle?

    Stop it with Ctrl-C; the same command goes on.

    Example: `python -m trainer reproduce syntone --runs 3`
    """
    from trainer.reproduce.syntone.hours import planned as hours
    from trainer.reproduce.syntone.page import reproduce_syntone
    from trainer.reproduce.syntone.trainings import SCALES, SynToneRuns
    from trainer.syntone.dataset import SynTone

    console = Console(stderr=True)
    with errors_said(console, DataError, ValueError):
        if scale not in SCALES:
            raise ValueError(f"--scale is {' or '.join(SCALES)}, not {scale!r}.")
        folder = work if scale == "cpu" else work / scale
        grid = SynTone(amplitudes, frequencies)
        trainings = SynToneRuns(folder=folder, console=console, grid=grid, epochs=epochs or SCALES[scale])
        if planned:
            typer.echo(hours(trainings, runs))
        else:
            reproduce_syntone(trainings, page, runs, only or ())


@app.command()
def autodecompose(
    data: DataArgument,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="fig456, fig7, table2, table3, overfitting, vectors, independence, fig10, words or maps; "
            "repeatable."
        ),
    ] = None,
    scale: Annotated[str, typer.Option(help="cpu: two hours of one core; paper: 500 epochs.")] = "cpu",
    planned: Annotated[
        bool, typer.Option("--plan", help="Print what would be trained, and a GPU's hours.")
    ] = False,
    bundle: BundleArgument = None,
    out: Annotated[Path, typer.Option(help="Trained models and rows.")] = Path("runs/autodecompose-paper"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/autodecompose.md"),
) -> None:
    """The Autodecompose paper with our corpora. Stop it with Ctrl-C; the same command goes on.

    Example: `python -m trainer reproduce autodecompose --data data --only table2`
    """
    from trainer.peers.resemblyzer import PeerMissingError
    from trainer.reproduce.autodecompose import SCALES, reproduce_autodecompose
    from trainer.reproduce.autodecompose.alignment import AlignerMissingError
    from trainer.reproduce.autodecompose.hours import planned as hours
    from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns

    console = Console(stderr=True)
    errors = (AlignerMissingError, BundleError, DataError, FinetuneError, PeerMissingError, ValueError)
    with errors_said(console, *errors):
        if scale not in SCALES:
            raise ValueError(f"--scale is {' or '.join(SCALES)}, not {scale!r}.")
        runs = AutodecomposeRuns(folder=out / scale, console=console, data=data, scale=SCALES[scale])
        if planned:
            typer.echo(hours(runs))
        else:
            reproduce_autodecompose(runs, page, only or (), bundle or newest_bundle())


@app.command()
def gaae(
    data: DataArgument,
    only: Annotated[
        list[str] | None, typer.Option(help="A part, such as table1; repeat for several.")
    ] = None,
    scale: Annotated[str, typer.Option(help="cpu: an evening on two cores; paper: a GPU; toy.")] = "cpu",
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be trained, and for how long.")
    ] = False,
    digits: Annotated[str, typer.Option(help="Its folder in --data.")] = "arabic_speech_commands",
    instruments: Annotated[str, typer.Option(help="Its folder in --data.")] = "instruments",
    gender: Annotated[str, typer.Option(help="Its folder in --data.")] = "speechocean762",
    out: Annotated[Path, typer.Option(help="Trained models and rows.")] = Path("runs/gaae-paper"),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/gaae.md"),
) -> None:
    """The GAAE paper with our corpora. Stop it with Ctrl-C; the same command goes on.

    Examples:

    `python -m trainer reproduce gaae --data data --plan`

    `python -m trainer reproduce gaae --data data --only table1 --only table7`
    """
    from trainer.reproduce.gaae.audio_fid import newest_generator
    from trainer.reproduce.gaae.page import chosen_parts, planned, reproduce_gaae
    from trainer.reproduce.gaae.scale import SCALES
    from trainer.reproduce.gaae.trainings import GaaeRuns

    console = Console(stderr=True)
    with errors_said(console, DataError, FloatingPointError, ValueError):
        if scale not in SCALES:
            raise ValueError(f"--scale is one of {', '.join(SCALES)}, not {scale!r}.")
        parts = chosen_parts(only or ())
        corpora = {"digits": digits, "instruments": instruments, "gender": gender}
        runs = GaaeRuns(
            folder=out / scale,
            console=console,
            data=data,
            corpora=corpora,
            scale=SCALES[scale],
            shipped=newest_generator(),
        )
        if plan:
            typer.echo(planned(runs, parts))
        else:
            reproduce_gaae(runs, page, parts)
