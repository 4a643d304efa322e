"""`python -m trainer gaae`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from trainer.audio.folders import DataError
from trainer.terminal import errors_said


def gaae(
    labelled: Annotated[Path, typer.Option(help="Folder whose metadata.tsv has the label column.")],
    out: Annotated[Path, typer.Option(help="Run folder: checkpoint, log, pictures. Begin or go on here.")],
    unlabelled: Annotated[
        list[Path] | None, typer.Option(help="Folder of audio; repeat for several. The labelled one if none.")
    ] = None,
    label_column: Annotated[str, typer.Option(help="Column of metadata.tsv with the classes.")] = "word",
    label: Annotated[
        list[str] | None, typer.Option(help="A class; repeat. The digits zero to nine if none.")
    ] = None,
    share: Annotated[
        float, typer.Option(min=0, max=100, help="Percent of each class whose labels are used.")
    ] = 5.0,
    pool: Annotated[
        str, typer.Option(help="Unlabelled clips. all: every one; classes: only those of the classes.")
    ] = "all",
    split: Annotated[
        str, typer.Option(help="Split of metadata.tsv to train on; all for every clip.")
    ] = "train",
    second: Annotated[
        str, typer.Option(help="Part of longer audio: random (another second each time) or first.")
    ] = "random",
    preset: Annotated[str, typer.Option(help="small, tapered or paper.")] = "small",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, a setting to change; repeat for several.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder for decoded audio.")] = Path("runs/cache"),
) -> None:
    """Trains GAAE on much audio and few labels: it generates audio by label.

    Stop it with Ctrl-C; the same command goes on.

    Examples:

    `python -m trainer gaae --labelled data/arabic_speech_commands --out runs/gaae`

    `python -m trainer gaae --labelled data/speechocean762 --label-column gender --label f --label m
    --unlabelled data/arabic_speech_commands --unlabelled data/speechocean762 --out runs/gaae_gender`
    """
    from trainer.corpora.speechcommands import DIGITS
    from trainer.gaae.data import Guidance
    from trainer.gaae.run import train_gaae
    from trainer.gaae.settings import PRESETS
    from trainer.training.settings import assignments, override

    console = Console(stderr=True)
    with errors_said(console, DataError, FloatingPointError, ValueError):
        for name, value, known in (
            ("preset", preset, tuple(PRESETS)),
            ("second", second, ("random", "first")),
            ("pool", pool, ("all", "classes")),
        ):
            if value not in known:
                raise ValueError(f"--{name} is one of {', '.join(known)}, not {value!r}.")
        if label is None and label_column != "word":
            raise ValueError(f"Name the classes of {label_column}: --label A --label B.")
        guidance = Guidance(
            labelled=labelled.resolve(),
            label_column=label_column,
            labels=tuple(label or DIGITS),
            share=share,
            unlabelled=tuple(folder.resolve() for folder in unlabelled or [labelled]),
            pool=pool,
            split=None if split == "all" else split,
            second=second,
        )
        settings = override(PRESETS[preset], assignments(change or []))
        train_gaae(settings, guidance, out, cache, console)
    console.print(f"Trained: {out}. Next: python -m trainer export {out} --out models/gaae/VERSION")
