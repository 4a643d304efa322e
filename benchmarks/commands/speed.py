"""Where time goes, and what has become faster or slower."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.commands.options import BundleOption, DataOption
from bundle.manifest import BundleError
from trainer.audio.folders import DataError
from trainer.bundles.newest import newest_bundle
from trainer.terminal import errors_said

PageOption = Annotated[Path, typer.Option("--out", help="The page to write into.")]
JsonOption = Annotated[Path | None, typer.Option("--json", help="Write the figures here.")]
PERFORMANCE = Path("docs/performance.md")


def request(
    data: DataOption,
    bundle: BundleOption = None,
    out: PageOption = PERFORMANCE,
    json_path: JsonOption = None,
) -> None:
    """Where the processor time of POST /embed goes, for 10 s of WAV, MP3 and Opus (about a minute).

    Example: `python -m benchmarks request --data data`
    """
    from benchmarks.performance.request import request_page
    from benchmarks.performance.serving import ServiceFailedError

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError, ServiceFailedError):
        request_page(bundle or newest_bundle(), data, out, json_path, typer.echo)
    console.print(f"written to {out}")


def arithmetic(
    bundles: Annotated[list[Path], typer.Argument(help="Bundle folders; the first is compared with.")],
    data: DataOption,
    out: PageOption = PERFORMANCE,
    json_path: JsonOption = None,
) -> None:
    """Where the arithmetic of voice encoders goes, and what each takes (about a minute).

    Example: `python -m benchmarks arithmetic models/autodecompose/1.1.0 models/autodecompose/2.1.0`
    """
    from benchmarks.performance.arithmetic import arithmetic_page

    console = Console(stderr=True)
    with errors_said(console, BundleError, DataError):
        arithmetic_page(bundles, data, out, json_path, typer.echo)
    console.print(f"written to {out}")


def compare(
    old: Annotated[Path, typer.Argument(help="JSON of an earlier run.")],
    new: Annotated[Path, typer.Argument(help="JSON of a later run of the same verb, on the same machine.")],
    worse_than: Annotated[
        float | None,
        typer.Option(min=1.0, help="Exit with 1 if a figure got worse by more than this factor."),
    ] = None,
) -> None:
    """Two runs side by side, with the ratio of each figure. Verbs write their figures with --json.

    Example: `python -m benchmarks compare OLD NEW --worse-than 1.3`
    """
    from benchmarks.compare import FiguresError
    from benchmarks.compare import compare as compare_files

    with errors_said(Console(stderr=True), FiguresError):
        comparison = compare_files(old, new)
    typer.echo(comparison.markdown())
    worse = [change.name for change in comparison.changes if worse_than and change.worse > worse_than]
    for name in worse:
        typer.echo(f"Worse by more than {worse_than}: {name}", err=True)
    if worse:
        raise typer.Exit(1)
