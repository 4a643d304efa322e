"""The command line: one function a verb. A verb imports its work when it runs, so that `--help` is quick."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.corpora.cli import app as data_app
from trainer.gaae.cli import gaae
from trainer.reproduce.cli import app as reproduce_app
from trainer.scoring.embedding import EncoderName
from trainer.terminal import errors_said

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    help="Builds, measures and exports Twofold's models.",
)
app.add_typer(data_app, name="data")
app.add_typer(reproduce_app, name="reproduce")
app.command()(gaae)


@app.command()
def pretrain(
    data: Annotated[list[Path], typer.Option(help="Folder of speech; repeat for several.")],
    out: Annotated[Path, typer.Option(help="Run folder: checkpoint, log, picture. Begin or go on here.")],
    split: Annotated[str | None, typer.Option(help="Keep only this split of metadata.tsv.")] = None,
    noise: Annotated[
        list[Path] | None, typer.Option(help="Folder of noise to mix in; repeat for several; white if none.")
    ] = None,
    rooms: Annotated[
        Path | None, typer.Option(help="Folder of rooms' impulse responses, for a training with a chain.")
    ] = None,
    aside: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of the named speakers to leave out, for choosing.")
    ] = 0.0,
    start: Annotated[Path | None, typer.Option(help="Run folder whose weights to start from.")] = None,
    content: Annotated[
        Path | None, typer.Option(help="Bundle whose content encoder and decoder to begin with.")
    ] = None,
    model: Annotated[str, typer.Option(help="autodecompose or barlow_twins.")] = "autodecompose",
    preset: Annotated[
        str | None,
        typer.Option(
            help="autodecompose: fast, voice, clusters, content, paper, very_large; "
            "barlow_twins: small, paper."
        ),
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, a setting to change; repeat for several.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes that cut batches; by default 4 on a GPU, none on a processor."),
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder for decoded audio.")] = Path("runs/cache"),
) -> None:
    """Trains a model without labels. Stop it with Ctrl-C; the same command goes on.

    Examples:

    `python -m trainer pretrain --data data/librispeech --split train --out runs/libri`

    `python -m trainer pretrain --data my_recordings --out runs/mine --set epochs=3 --set bt_weight=0`

    `python -m trainer pretrain --model barlow_twins --data data/librispeech --split train --out runs/bt`
    """
    from trainer.models import MODELS
    from trainer.pretrain import pretrain as run_pretraining
    from trainer.training.material import Material
    from trainer.training.run_folder import RunFolder
    from trainer.training.settings import assignments, override

    console = Console(stderr=True)
    with errors_said(console, DataError, FileNotFoundError, FloatingPointError, ValueError):
        if model not in MODELS:
            raise ValueError(f"There is no model {model!r}: choose {' or '.join(MODELS)}.")
        presets = MODELS[model].presets
        preset = preset or next(iter(presets))
        if preset not in presets:
            raise ValueError(f"{model} has no preset {preset!r}: choose one of {', '.join(presets)}.")
        settings = override(presets[preset], assignments(change or []))
        run_pretraining(
            model,
            settings,
            Material(tuple(data), split, tuple(noise or ()), rooms, aside),
            RunFolder(out),
            cache,
            console,
            start=RunFolder(start) if start else None,
            content=content,
            workers=workers,
        )
    console.print(f"Trained: {out}. Next: python -m trainer export {out} --out models/{model}/VERSION")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Run folder of `pretrain` or `gaae`.")],
    out: Annotated[Path, typer.Option(help="models/NAME/VERSION; must not exist.")],
    every: Annotated[
        int, typer.Option(min=1, help="Fit whitening and thresholds on every n-th recording only.")
    ] = 1,
) -> None:
    """Makes a bundle of a run: ONNX files, whitening and score calibration. Checks it against torch.

    Example: `python -m trainer export runs/libri --out models/autodecompose/2.1.0`
    """
    from trainer.bundles.write import ExportError
    from trainer.gaae.export import export_gaae
    from trainer.gaae.run import TrainedGaae
    from trainer.pretrain import export_run
    from trainer.training.run_folder import RunFolder

    console = Console(stderr=True)
    with errors_said(console, DataError, ExportError, OSError, ValueError):
        RunFolder(run).require_checkpoint()
        if RunFolder(run).model == "gaae":
            export_gaae(TrainedGaae.load(run), out)
        else:
            export_run(RunFolder(run), out, console, every=every)
    console.print(f"Written: {out}")


@app.command()
def fit_narrow(
    bundle: Annotated[Path, typer.Argument(help="Folder that holds bundle.json, which is changed.")],
    data: Annotated[Path, typer.Option(envvar="TWOFOLD_DATA", help="Folder of the corpora of its card.")],
) -> None:
    """Fits what telephone lines do to a bundle's voices and scores. `export` does so as well.

    Example: `python -m trainer fit-narrow models/autodecompose/2.1.0 --data data`
    """
    from rich.progress import Progress

    from trainer.bundles.narrow import add_narrow
    from trainer.scoring.calibration import ScoringError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, ScoringError), Progress(console=console) as progress:
        add_narrow(bundle, data, progress)
    console.print(f"Written: {bundle}")


@app.command()
def reexport(
    bundle: Annotated[Path, typer.Argument(help="Folder that holds bundle.json, which is changed.")],
    data: Annotated[Path, typer.Option(envvar="TWOFOLD_DATA", help="Folder of the corpora of its card.")],
) -> None:
    """Makes the ONNX files of a bundle anew from its weights, as this release writes them.

    They are faster than those of earlier releases. The version stays, and nothing is written if an output
    changed by more than rounding.

    Example: `python -m trainer reexport models/autodecompose/2.1.0 --data data`
    """
    from trainer.bundles.write import ExportError
    from trainer.exported.reexport import reexport as write_again
    from trainer.finetuning.errors import FinetuneError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, ExportError, FinetuneError):
        differences = write_again(bundle, data)
    for name, difference in differences.items():
        console.print(f"{name}: outputs as before, within {difference:.1g}")
    console.print(f"Written: {bundle}")


@app.command()
def quantise(
    bundle: Annotated[Path, typer.Argument(help="Folder that holds bundle.json.")],
    out: Annotated[Path, typer.Argument(help="models/NAME/VERSION of the copy; must not exist.")],
    data: Annotated[Path, typer.Option(envvar="TWOFOLD_DATA", help="Folder of the corpora of its card.")],
) -> None:
    """Makes a copy of a bundle with the convolutions of its voice encoder in 8 bits. Measure it before use.

    Example: `python -m trainer quantise models/autodecompose/2.1.0 runs/int8/autodecompose/2.1.0-int8`
    """
    from trainer.exported.quantise import quantise as write_quantised
    from trainer.finetuning.errors import FinetuneError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, FileExistsError, FinetuneError):
        write_quantised(bundle, out, data)
    console.print(f"Written: {out}")


@app.command()
def finetune(
    bundle: Annotated[Path, typer.Argument(help="Parent: folder that holds bundle.json.")],
    audio: Annotated[list[Path], typer.Argument(help="Audio files, or folders of them.")],
    out: Annotated[Path, typer.Option(help="models/NAME/VERSION of the new version; must not exist.")],
    steps: Annotated[int, typer.Option(min=0, help="Training steps first; they need torch.")] = 0,
    same_voice_seconds: Annotated[
        float, typer.Option(min=0, help="Crops this near are of one voice; 0: all crops of a recording are.")
    ] = 0.0,
) -> None:
    """Adapts a bundle to unlabelled audio. Stop it with Ctrl-C; the same command goes on.

    If a folder names speakers, the report says how well they are identified. Nothing is fitted to the names.

    Examples:

    `python -m trainer finetune models/autodecompose/2.1.0 my_recordings --out models/autodecompose/2.1.1`

    `python -m trainer finetune BUNDLE call.wav --same-voice-seconds 2 --out models/autodecompose/1.0.2`
    """
    from trainer.finetuning.command import finetune_with_progress
    from trainer.finetuning.errors import FinetuneError

    console = Console(stderr=True)
    with errors_said(console, DataError, FinetuneError):
        if out.exists():
            raise FinetuneError(f"{out} exists, and a version is never written twice: choose another --out.")
        report = finetune_with_progress(bundle, audio, out, steps, same_voice_seconds, console)
    for line in report.skipped:
        console.print(f"[yellow]skipped[/yellow] {line}")
    console.print(f"{report.verdict.replace('_', ' ').capitalize()}. {report.reason}")
    console.print(f"Written: {out}")


@app.command()
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Folder that holds bundle.json.")],
    data: Annotated[Path, typer.Option(help="Folder of labelled speech: metadata.tsv, or SPEAKER/FILE.")],
    split: Annotated[str | None, typer.Option(help="Keep only this split of metadata.tsv.")] = None,
    speakers: Annotated[int, typer.Option(min=2, help="Speakers of the few-shot part.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Seed that draws speakers and labelled crops.")] = 0,
    encoder: Annotated[EncoderName, typer.Option(help="Which encoder to measure.")] = EncoderName.VOICE,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    record: Annotated[bool, typer.Option(help="Also write the figures into bundle.json.")] = False,
) -> None:
    """Measures a bundle, ONNX only: few-shot F1, equal error rate, minDCF, Cllr.

    The few-shot part draws `--speakers` of the folder's speakers. Verification takes every pair of utterances
    of the folder, or of `--split`.

    Examples:

    `python -m trainer evaluate models/autodecompose/2.1.0 --data data/librispeech --split test`

    `python -m trainer evaluate models/autodecompose/2.1.0 --data my_recordings --json out.json`
    """
    from trainer.evaluate import evaluate as measure_bundle
    from trainer.evaluate import figures_table, record_metrics

    errors = Console(stderr=True)
    with errors_said(errors, BundleError, DataError):
        figures = measure_bundle(
            bundle, data, split=split, speakers=speakers, seed=seed, encoder=encoder, console=errors
        )
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")
    if record:
        record_metrics(bundle, figures)
    for line in figures["skipped"]:
        errors.print(f"[yellow]skipped[/yellow] {line}")
    Console().print(figures_table(figures))
