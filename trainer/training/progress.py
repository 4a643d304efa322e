"""Progress bars of trainings and of the reading before them, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trainer.audio.cache import ClipCache, build_cache
from trainer.audio.folders import Clip
from trainer.training.loop import Report


@contextmanager
def training_progress(console: Console) -> Iterator[Report]:
    """A bar for a training. The training calls the yielded function after each step."""
    with progress_bar(console) as progress:
        task = progress.add_task("training", losses="")

        def report(step: int, steps: int, losses: dict[str, float]) -> None:
            text = "  ".join(f"{name.removesuffix('_loss')} {value:.4g}" for name, value in losses.items())
            progress.update(task, completed=step, total=steps, losses=text)

        yield report


def build_speech_cache(clips: Sequence[Clip], cache_dir: Path, console: Console, title: str) -> ClipCache:
    """`build_cache` behind a progress bar; files that cannot be read are named on the console."""
    with progress_bar(console) as progress:
        task = progress.add_task(title, total=len(clips), losses="")
        return build_cache(
            clips,
            cache_dir,
            warn=lambda text: console.print(f"[yellow]{text}[/yellow]"),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def progress_bar(console: Console) -> Progress:
    """A bar with counts and time left. Give each task a field `losses`, "" if there is none."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
        console=console,
    )
