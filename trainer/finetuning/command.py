"""`trainer finetune`: files and folders → a new version, behind a progress bar."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from trainer.audio.folders import Clip, read_folder
from trainer.finetuning.errors import Canceled
from trainer.finetuning.finetune import finetune
from trainer.finetuning.report import FinetuneReport
from trainer.training.schedule import CheckpointSchedule


def finetune_with_progress(
    bundle: Path, audio: Sequence[Path], out: Path, steps: int, same_voice_seconds: float, console: Console
) -> FinetuneReport:
    """Fine-tunes behind a progress bar. Goes on where an earlier call for the same `out` stopped.

    Raises:
        DataError: a folder holds no audio.
        FinetuneError: see `finetune`.
        KeyboardInterrupt, SystemExit: it was stopped; the same call goes on.
    """
    clips = [clip for path in audio for clip in (read_folder(path) if path.is_dir() else [Clip(path, "")])]
    work_dir = out.with_name(f".finetune-{out.name}")
    with CheckpointSchedule(steps, steps) as schedule, Progress(console=console) as progress:
        task = progress.add_task("fine-tuning" if steps else "adapting", total=steps or None)
        try:
            report = finetune(
                bundle,
                [clip.path for clip in clips],
                out,
                version=out.name,
                steps=steps,
                same_voice_seconds=same_voice_seconds,
                work_dir=work_dir,
                on_step=lambda step, _, loss: progress.update(
                    task, completed=step, description=f"fine-tuning, loss {loss:.3f}"
                ),
                canceled=lambda: schedule.stopped,
                speakers=[clip.speaker for clip in clips],
            )
        except Canceled:
            schedule.leave()
            raise
        shutil.rmtree(work_dir)
    return report
