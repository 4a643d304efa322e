"""The command line of the benchmarks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.performance.machine import Machine, describe
from benchmarks.performance.table import Row, markdown
from trainer.audio.folders import DataError
from trainer.terminal import errors_said

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

DataOption = Annotated[Path, typer.Option("--data", envvar="TWOFOLD_DATA", help="Folder of the corpora.")]
BundleOption = Annotated[
    Path | None, typer.Option(help="Bundle folder; without it, the newest under models/autodecompose.")
]

PERFORMANCE = """# Performance

Measured on {date} with `{command}` on {machine.cores} cores of {machine.cpu}, {machine.memory_gib:.0f} GiB,
{machine.software}. Load average before the run: {machine.load:.1f} (0 is a machine that does nothing else).

{table}
- *Real-time factor* is computing time over audio time.
- The embedding rows take 1.024 s crops of speech from waveform to embedding, median call; the peer runs on
  the same crops and as many threads. *Of fp32 product* is a share of the rate in the row above them.
- *In process* is the service's own decoding, speech detection and embedding without HTTP, one file a thread.
- *POST /finetune*: what bounds it is in its note, in seconds; the job also writes and checks the ONNX files.
- *Generation*: one clip of a second at a time, median; the whole is from label to WAV, without HTTP.
- *POST /embed*: each client sends its next file when it has an answer. Clients and service share the cores.
"""


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    bundle: BundleOption = None,
    generator: Annotated[
        Path | None, typer.Option(help="Folder of a gaae bundle; without it, the newest under models.")
    ] = None,
    data: Annotated[
        Path,
        typer.Option(envvar="TWOFOLD_DATA", help="Speech: a corpus folder, or one that holds librispeech/."),
    ] = Path("data"),
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/performance.md"),
) -> None:
    """Speed of the embedding and of the service, in one table (about two minutes).

    Examples:

    `TWOFOLD_DATA=../data python -m benchmarks`

    `python -m benchmarks peer --data ../data/librispeech --split test`
    """
    if context.invoked_subcommand is not None:
        return
    from benchmarks.performance.embedding import embedding_speed
    from benchmarks.performance.finetuning import finetuning_time
    from benchmarks.performance.generation import generation_speed, newest_generator
    from benchmarks.performance.material import WAV_S, speech
    from benchmarks.performance.serving import serving_speed
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console()
    machine = describe()
    folder = bundle or newest_bundle(Path("models/autodecompose"))
    try:
        crops, wavs = speech(data / "librispeech" if (data / "librispeech").is_dir() else data)
    except DataError as error:
        console.print(f"[red]{error}[/red] Set TWOFOLD_DATA or give --data.")
        raise typer.Exit(1) from error
    rows: list[Row] = []
    with errors_said(console, PeerMissingError):
        for measured in (
            embedding_speed(folder, crops),
            serving_speed(folder, wavs, WAV_S),
            finetuning_time(folder, wavs[0], WAV_S),
            generation_speed(generator or newest_generator(Path("models"))),
        ):
            for row in measured:
                rows.append(row)
                console.print(" · ".join(cell for cell in row.cells() if cell != "–"), highlight=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(rows, machine))
    console.print(f"written to {out}")


@app.command()
def peer(
    data: Annotated[Path, typer.Option(help="Folder of labelled speech.")],
    split: Annotated[str | None, typer.Option(help="Keep only this split of metadata.tsv.")] = None,
    speakers: Annotated[int, typer.Option(min=2, help="Speakers of the few-shot part.")] = 30,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Resemblyzer's figures on a folder, by the functions that `trainer evaluate` uses."""
    from benchmarks.voice.peer import compare
    from trainer.cli import figures_table

    figures = compare(data, split=split, speakers=speakers, seed=seed, console=Console(stderr=True))
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")
    table = figures_table(figures)
    table.add_row("EER, plain cosine", f"{figures['eer_plain']:.3f} %", "no centring")
    table.add_row(
        "EER, its own windows", f"{figures['eer_own_windows']:.3f} %", "1.6 s windows, plain cosine"
    )
    Console().print(table)


@app.command()
def voice(
    data: DataOption,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/results/voice.md"),
) -> None:
    """Every figure of the voice encoder beside the peer's, on held-out speakers (about ten minutes).

    Example: `TWOFOLD_DATA=../data python -m benchmarks voice`
    """
    from benchmarks.voice.page import voice_page

    console = Console()
    text = voice_page(
        bundle or newest_bundle(Path("models/autodecompose")),
        data,
        console,
        date=str(datetime.now(UTC).date()),
        command="python -m benchmarks voice",
        machine=describe(),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    console.print(f"written to {out}")


@app.command()
def decisions(
    data: DataOption,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/decisions.md"),
    card: Annotated[Path, typer.Option(help="Gets the figures by group.")] = Path("docs/model-card.md"),
    peer: Annotated[bool, typer.Option(help="Measure Resemblyzer beside ours.")] = True,
) -> None:
    """How far decisions can be trusted, by condition and group of speakers (about ten minutes of one core).

    Example: `TWOFOLD_DATA=../data python -m benchmarks decisions`
    """
    from benchmarks.decisions import decisions_page
    from bundle.manifest import BundleError
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console(stderr=True)
    folder = bundle or newest_bundle(Path("models/autodecompose"))
    with errors_said(console, BundleError, DataError, PeerMissingError):
        decisions_page(folder, data, out, card, with_peer=peer, say=console.print)
    console.print(f"written to {out}")


@app.command()
def encoders(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of `trainer pretrain`.")],
    data: DataOption,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/encoder.md"),
) -> None:
    """Trainings of Autodecompose beside each other, on train speakers set aside (two minutes each).

    Example: `TWOFOLD_DATA=../data python -m benchmarks encoders runs/encoder/*`
    """
    from benchmarks.encoders import encoders_page

    console = Console(stderr=True)
    with errors_said(console, DataError, FileNotFoundError, ValueError):
        encoders_page(runs, data, out, console.print)
    console.print(f"written to {out}")


@app.command()
def generated(
    url: Annotated[str, typer.Option(help="Of a running service.")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option(help="Its API key, if it has one.")] = None,
    per_label: Annotated[int, typer.Option(min=1, help="Clips of each label.")] = 50,
    judge: Annotated[
        Path, typer.Option(help="Classifier of real audio, of `trainer reproduce gaae`.")
    ] = Path("runs/gaae-paper/cpu/trained/digits-judge/checkpoint.safetensors"),
    styles: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of speech: clips are also made in the styles of test recordings of it."),
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Page that gets the tables, and a picture.")] = None,
) -> None:
    """The share of a running service's clips that a classifier of real audio recognises as their label.

    Example: `python -m benchmarks generated --per-label 50 --styles data/arabic_speech_commands
    --page docs/generator-card.md`
    """
    from benchmarks.generated import (
        ask,
        ask_in_styles,
        draw_clips,
        judged,
        report,
        report_styles,
        style_recordings,
    )
    from service.client.http import ClientError, ServiceClient
    from trainer.pages.blocks import write_block
    from trainer.reproduce.gaae.judge import Judge

    console, folders = Console(stderr=True), styles or []
    with errors_said(console, ClientError, DataError, ValueError):
        if not judge.is_file():
            raise ValueError(
                f"{judge} is not there: `python -m trainer reproduce gaae --only judges` trains it."
            )
        with ServiceClient(url, key) as client:
            model = client.get("/generate/labels")["model"]
            clips = ask(client, per_label)
            styled = {
                folder.name: ask_in_styles(client, style_recordings(folder, per_label)) for folder in folders
            }
        heard_by = Judge.load(judge)
        taken = judged(clips, heard_by)
        text = report(taken)
        if styled:
            by_source = {name: judged(found, heard_by) for name, found in styled.items()}
            text += f"\n\n{report_styles({'none, drawn by seed': taken} | by_source)}"
    typer.echo(text)
    if page is not None:
        picture = page.with_suffix(".png")
        draw_clips(clips, heard_by, picture)
        command = " ".join(
            [f"python -m benchmarks generated --per-label {per_label}"]
            + [f"--styles data/{folder.name}" for folder in folders]
        )
        how = f"`{command}`, {datetime.now(UTC).date()}: clips of"
        shown = f"![Clips of every label]({picture.name})"
        write_block(page, "benchmarks generated", f"{how} {model} over HTTP.\n\n{text}\n\n{shown}")


@app.command()
def finetune(
    data: DataOption,
    bundle: BundleOption = None,
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/finetune.md"),
) -> None:
    """Does fine-tuning help, what is forgotten, how long does it take?

    Example: `python -m benchmarks finetune --data data`
    """
    from benchmarks.updates.finetune import finetune_page
    from bundle.manifest import BundleError
    from trainer.finetuning.errors import FinetuneError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, FinetuneError):
        finetune_page(bundle or newest_bundle(Path("models/autodecompose")), data, page, console.print)


@app.command()
def model_updates(
    data: DataOption,
    bundle: BundleOption = None,
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/model-updates.md"),
) -> None:
    """What becomes of enrolled voices when a fine-tuned model takes over?

    Example: `python -m benchmarks model-updates --data data`
    """
    from benchmarks.updates.switch import model_updates_page
    from bundle.manifest import BundleError
    from trainer.finetuning.errors import FinetuneError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, FinetuneError):
        model_updates_page(bundle or newest_bundle(Path("models/autodecompose")), data, page, console.print)


@app.command()
def representations(
    data: DataOption,
    bundle: BundleOption = None,
    barlow_twins: Annotated[Path, typer.Option(help="Run folder or bundle of Barlow Twins.")] = Path(
        "runs/barlow_twins/speechocean762"
    ),
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/representations.md"),
    cache: Annotated[Path, typer.Option(help="Where decoded audio is kept.")] = Path("runs/cache"),
) -> None:
    """What does each encoder know of who and what? Barlow Twins and raw features beside it.

    Example: `python -m benchmarks representations --data data`
    """
    from benchmarks.representations.command import representations_page
    from bundle.manifest import BundleError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError):
        representations_page(
            bundle or newest_bundle(Path("models/autodecompose")),
            barlow_twins,
            data,
            page,
            cache,
            console.print,
        )


def newest_bundle(models: Path) -> Path:
    """The bundle folder of the highest version."""
    found = [path.parent for path in models.glob("*/bundle.json")]
    if not found:
        raise typer.BadParameter(f"no bundle under {models}", param_hint="--bundle")
    return max(found, key=lambda path: [int(part) for part in path.name.split(".") if part.isdigit()])


def page(rows: list[Row], machine: Machine) -> str:
    """docs/performance.md."""
    return PERFORMANCE.format(
        date=datetime.now(UTC).date(), command="make bench", machine=machine, table=markdown(rows)
    )
