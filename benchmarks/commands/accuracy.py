"""What the models are worth: pages under docs/results, and those about adaptation and diarization."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.commands.options import BundleOption, DataOption
from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.bundles.newest import newest_bundle
from trainer.finetuning.errors import FinetuneError
from trainer.terminal import errors_said


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


def enrolments(
    data: DataOption,
    bundle: BundleOption = None,
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/enrolments.md"),
    train: Annotated[
        bool, typer.Option("--train", help="To choose thresholds by: on train speakers who were set aside.")
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
        enrolments_page(folder, data, out, console.print, train=train, alone=alone)
    console.print(f"written to {out}")


def encoders(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of `trainer pretrain`.")],
    data: DataOption,
    stored: Annotated[Path, typer.Option(help="Where finished figures are kept.")] = Path("runs/encoders"),
    out: Annotated[Path, typer.Option(help="The page to write into.")] = Path("docs/results/encoder.md"),
) -> None:
    """Trainings of Autodecompose beside each other, on train speakers set aside (four minutes each).

    Example: `TWOFOLD_DATA=../data python -m benchmarks encoders runs/encoder/*`
    """
    from benchmarks.encoders import encoders_page

    console = Console(stderr=True)
    with errors_said(console, DataError, FileNotFoundError, ValueError):
        encoders_page(runs, data, out, stored, console.print)
    console.print(f"written to {out}")


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
