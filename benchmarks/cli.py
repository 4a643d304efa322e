"""The command line of the benchmarks. A verb parses its options, calls its page and says what was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.bundles.newest import newest_bundle
from trainer.finetuning.errors import FinetuneError
from trainer.terminal import errors_said

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

DataOption = Annotated[Path, typer.Option("--data", envvar="TWOFOLD_DATA", help="Folder of the corpora.")]
BundleOption = Annotated[
    Path | None, typer.Option(help="Bundle folder; by default the newest under models/autodecompose.")
]


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    bundle: BundleOption = None,
    generator: Annotated[
        Path | None, typer.Option(help="Folder of a gaae bundle; by default the newest under models.")
    ] = None,
    data: Annotated[
        Path,
        typer.Option(envvar="TWOFOLD_DATA", help="Speech: a corpus folder, or one that holds librispeech/."),
    ] = Path("data"),
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/performance.md"),
) -> None:
    """Speed of the embedding, the service, fine-tuning and generation, in one table (about two minutes).

    Examples:

    `TWOFOLD_DATA=../data python -m benchmarks`

    `python -m benchmarks peer --data ../data/librispeech --split test`
    """
    if context.invoked_subcommand is not None:
        return
    from benchmarks.performance.page import performance_page
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console()
    with errors_said(console, BundleError, DataError, PeerMissingError):
        performance_page(bundle or newest_bundle(), generator, data, out, console.print)
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
    from benchmarks.voice.peer import compare, peer_table
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console(stderr=True)
    with errors_said(console, DataError, PeerMissingError):
        figures = compare(data, split=split, speakers=speakers, seed=seed, console=console)
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")
    Console().print(peer_table(figures))


@app.command()
def voice(
    data: DataOption,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/results/voice.md"),
) -> None:
    """How well voices are told apart, beside two floors and the peer (about fifteen minutes).

    Example: `TWOFOLD_DATA=../data python -m benchmarks voice`
    """
    from benchmarks.voice.page import voice_page
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console()
    with errors_said(console, BundleError, DataError, PeerMissingError):
        voice_page(bundle or newest_bundle(), data, out, console)
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
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, PeerMissingError):
        decisions_page(bundle or newest_bundle(), data, out, card, with_peer=peer, say=console.print)
    console.print(f"written to {out}")


@app.command()
def conditions(
    data: DataOption,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(help="Bundle folder; repeat for several. Without it, the newest of autodecompose."),
    ] = None,
    originals: Annotated[
        Path | None, typer.Option(help="Folder of corpora as they were recorded: WAV or FLAC.")
    ] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", help="Only this corpus; repeatable.")] = None,
    condition: Annotated[list[str] | None, typer.Option(help="Only this condition; repeatable.")] = None,
    stored: Annotated[Path, typer.Option(help="Where finished figures are kept.")] = Path("runs/conditions"),
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/conditions.md"),
    peer: Annotated[bool, typer.Option(help="Measure Resemblyzer beside ours.")] = True,
) -> None:
    """Error rates by condition, beside floors that learnt nothing and the peer (about twenty minutes).

    Examples:

    `TWOFOLD_DATA=../data python -m benchmarks conditions`

    `python -m benchmarks conditions --data ../data --set librispeech --condition "8 kHz"`
    """
    from benchmarks.conditions import conditions_page
    from benchmarks.conditions.codecs import CodecError
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console(stderr=True)
    folders = bundle or [newest_bundle(Path("models/autodecompose"))]
    with errors_said(console, BundleError, CodecError, DataError, PeerMissingError, ValueError):
        conditions_page(
            folders,
            data,
            out,
            stored,
            originals=originals,
            sets=sets or [],
            conditions=condition or [],
            with_peer=peer,
            say=console.print,
        )
    console.print(f"written to {out}")


@app.command()
def diarization(
    data: DataOption,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/diarization.md"),
    split: Annotated[str, typer.Option(help="Whose: train to choose, test to report.")] = "test",
) -> None:
    """Who spoke when in conversations made of test speakers, beside two floors (about three minutes).

    Example: `TWOFOLD_DATA=../data python -m benchmarks diarization`
    """
    from benchmarks.diarization.page import diarization_page

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError):
        diarization_page(bundle or newest_bundle(), data, out, split, console.print)
    console.print(f"written to {out}")


@app.command()
def degradation(
    data: DataOption,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(help="Bundle folder; repeat for several. Without it, the newest of autodecompose."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/degradation.md"),
) -> None:
    """The same recordings through forty treatments, decoded and judged as the service does (two minutes).

    Example: `TWOFOLD_DATA=../data python -m benchmarks degradation`
    """
    from benchmarks.conditions.codecs import CodecError
    from benchmarks.degradation import degradation_page

    console = Console(stderr=True)
    folders = bundle or [newest_bundle(Path("models/autodecompose"))]
    with errors_said(console, BundleError, CodecError, DataError):
        degradation_page(folders, data, out, console.print)
    console.print(f"written to {out}")


@app.command()
def enrolments(
    data: DataOption,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/enrolments.md"),
    train: Annotated[
        bool, typer.Option("--train", help="To choose by: train speakers set aside, said, no page.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Without floor and peer, in a third of the time.")
    ] = False,
    prototypes: Annotated[
        bool,
        typer.Option("--prototypes", help="One mean or several prototypes, on train speakers set aside."),
    ] = False,
) -> None:
    """Whether two voices, a stranger, a copy, noise and too little speech are noticed (four minutes).

    Example: `TWOFOLD_DATA=../data python -m benchmarks enrolments`
    """
    from benchmarks.conditions.codecs import CodecError
    from benchmarks.enrolments import enrolments_page, prototypes_block
    from trainer.peers.resemblyzer import PeerMissingError

    console = Console(stderr=True)
    folder = bundle or newest_bundle(Path("models/autodecompose"))
    with errors_said(console, BundleError, CodecError, DataError, PeerMissingError):
        if prototypes:
            prototypes_block(folder, data, out)
            return
        enrolments_page(
            folder,
            data,
            None if train else out,
            "train" if train else "test",
            console.print,
            alone=alone or train,
        )
    if not train:
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


@app.command()
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

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, FinetuneError):
        finetune_page(bundle or newest_bundle(), data, page, console.print)
    console.print(f"written to {page}")


@app.command()
def finetune_steps(
    data: DataOption,
    bundle: BundleOption = None,
    page: Annotated[Path, typer.Option(help="Page to write into.")] = Path("docs/results/finetune.md"),
) -> None:
    """What do training steps add to an adaptation? Tried on speakers of train splits (about two minutes).

    Example: `python -m benchmarks finetune-steps --data data`
    """
    from benchmarks.updates.steps import steps_page

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, FinetuneError):
        steps_page(bundle or newest_bundle(), data, page, console.print)
    console.print(f"written to {page}")


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

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, FinetuneError):
        model_updates_page(bundle or newest_bundle(), data, page, console.print)
    console.print(f"written to {page}")


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
    """What does each encoder tell of who speaks and of what is said? Barlow Twins and raw features beside it.

    Example: `python -m benchmarks representations --data data`
    """
    from benchmarks.representations.page import representations_page

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError):
        representations_page(bundle or newest_bundle(), barlow_twins, data, page, cache, console.print)
    console.print(f"written to {page}")


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
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
