"""Label-free fine-tuning: a bundle and some audio → the next version of the bundle, with a report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bundle.manifest import MANIFEST
from trainer.finetuning.adapt import AdaptSettings, OnStep, adapt
from trainer.finetuning.audio import JobAudio, read_job
from trainer.finetuning.errors import Canceled
from trainer.finetuning.measures import compare, held_out_losses, job_crops
from trainer.finetuning.parent import Parent
from trainer.finetuning.report import FinetuneReport, Measures, judge
from trainer.finetuning.version import NewVersion, write_version
from trainer.scoring.space_map import FittedMap, fit_space_map
from trainer.scoring.whitening import carry_whitening


def finetune(
    parent: Path,
    audio: Sequence[Path],
    out: Path,
    *,
    version: str,
    steps: int = 50,
    same_voice_seconds: float = 0.0,
    work_dir: Path,
    on_step: OnStep,
    canceled: Callable[[], bool],
    speakers: Sequence[str] | None = None,
) -> FinetuneReport:
    """Trains the parent on with its own objective, on unlabelled audio, and writes the next version.

    A second call with the same `out` returns the first one's report.

    Args:
        parent: bundle folder with weights.safetensors.
        out: `models/<name>/<version>`; written whole or not at all.
        same_voice_seconds: two crops count as one voice only this near; 0: anywhere in a recording.
        work_dir: gets checkpoints; a call that finds some goes on from there. The caller deletes it.
        on_step: called after each step with (step, steps, loss).
        canceled: asked before each step and between the parts.
        speakers: who speaks in each file, "" where unknown; only the report uses it, training never does.

    Raises:
        FinetuneError: the audio or the parent cannot be used.
        Canceled: `canceled()` turned true; nothing was written to `out`.
    """
    if out.exists():
        return read_report(out)
    if out.name != version:
        raise ValueError(f"{out} has to end in the version, {version}.")
    work_dir.mkdir(parents=True, exist_ok=True)
    settings = AdaptSettings(steps=steps, same_voice_seconds=same_voice_seconds)
    parts = _Parts(canceled)
    with parts.timed("read"):
        job = read_job(audio, speakers)
    with parts.timed("load"):
        old = Parent.load(parent)
        trained = old.copy()
    with parts.timed("train"):
        adapt(trained.objective, job.training, settings, work_dir, on_step=on_step, canceled=canceled)
    with parts.timed("evaluate"):
        comparison = _compare(old, trained, job, same_voice_seconds)
    verdict, reason = judge(comparison.measures)
    report = FinetuneReport(
        verdict,
        reason,
        comparison.measures,
        recordings=len(set(audio)) - len(job.skipped),
        seconds=round(job.seconds, 2),
        steps=steps,
        map_error=comparison.space_map.error,
        skipped=job.skipped,
        took_s=dict(parts.took_s),
    )
    with parts.timed("export"):
        new_version = NewVersion(
            parent=old,
            model=comparison.new,
            speech=job.held_out,
            settings=settings,
            report=report,
            space_map=comparison.space_map,
        )
        write_version(new_version, out)
    return report


def read_report(folder: Path) -> FinetuneReport:
    """The report that a fine-tuned version carries."""
    return FinetuneReport.from_json(json.loads((folder / MANIFEST).read_text())["metrics"]["finetune"])


class _Parts:
    """The parts of a job, each timed. A canceled job ends before the next one."""

    def __init__(self, canceled: Callable[[], bool]) -> None:
        self._canceled = canceled
        self.took_s: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        if self._canceled():
            raise Canceled(f"Canceled before part '{name}'.")
        started = time.monotonic()
        yield
        self.took_s[name] = round(time.monotonic() - started, 2)


@dataclass(frozen=True)
class _Comparison:
    new: Parent  # the trained model with a whitening of its own
    space_map: FittedMap  # from the parent's embeddings to the new ones
    measures: Measures


def _compare(old: Parent, trained: Parent, job: JobAudio, same_voice_seconds: float) -> _Comparison:
    """Fits whitening and map on crops that were trained on; measures on the others."""
    crops = job_crops(job, same_voice_seconds)
    fitted, held = ~crops.held_out, crops.held_out
    pooled_old, pooled_new = crops.pooled(old.objective), crops.pooled(trained.objective)
    whitening = carry_whitening(
        old.whitening, pooled_old[fitted], pooled_new[fitted], crops.stretches[fitted]
    )
    before, after = old.whitening(pooled_old), whitening(pooled_new)  # (crops, dim), unit length
    losses = (
        held_out_losses(old.objective, job.held_out, same_voice_seconds),
        held_out_losses(trained.objective, job.held_out, same_voice_seconds),
    )
    return _Comparison(
        new=replace(trained, whitening=whitening),
        space_map=fit_space_map(before[fitted], after[fitted], before[held], after[held], old.mean),
        measures=compare(crops, before, after, losses, old.mean),
    )
