"""The command line of the benchmarks. A verb parses its options, calls its page and says what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.commands import accuracy, running, speed
from benchmarks.commands.options import BundleOption
from benchmarks.commands.speed import PERFORMANCE, JsonOption, PageOption
from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.bundles.newest import newest_bundle
from trainer.terminal import errors_said

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


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
    out: PageOption = PERFORMANCE,
    json_path: JsonOption = None,
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
        performance_page(bundle or newest_bundle(), generator, data, out, json_path, console.print)
    console.print(f"written to {out}")


for verb in (
    speed.request,
    speed.arithmetic,
    speed.compare,
    accuracy.peer,
    accuracy.voice,
    accuracy.decisions,
    accuracy.conditions,
    accuracy.diarization,
    accuracy.degradation,
    accuracy.enrolments,
    accuracy.encoders,
    accuracy.finetune,
    accuracy.finetune_steps,
    accuracy.model_updates,
    accuracy.representations,
    running.scale,
    running.generated,
    running.install,
    running.faults,
    running.fuzz,
    running.soak,
    running.overload,
):
    app.command()(verb)
