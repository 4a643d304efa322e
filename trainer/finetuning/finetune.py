"""Label-free fine-tuning: a bundle and some audio → the next version of the bundle, with a report.

First come the steps of a training, where some are asked for; only they need torch. Then the embeddings are
adapted to the recordings.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bundle.adaptation import Adaptation, fit_adaptation, voice_clusters
from bundle.arrays import Float32
from bundle.manifest import MANIFEST, BundleError
from bundle.scoring import Scorer, Scoring
from bundle.space_map import read_adaptation
from bundle.vectors import unit
from trainer.bundles.runner import BundleRunner
from trainer.finetuning.audio import JobAudio, read_job
from trainer.finetuning.crops import JobCrops, embed_crops
from trainer.finetuning.errors import Canceled, FinetuneError
from trainer.finetuning.measures import Model, Recordings, compare
from trainer.finetuning.picture import draw_maps
from trainer.finetuning.report import FinetuneReport, Measures, judge
from trainer.finetuning.stepped_network import SteppedNetwork
from trainer.finetuning.version import NewVersion, write_version
from trainer.scoring.space_map import FittedMap, HeldVoices, fit_space_map, measure_map

OnStep = Callable[[int, int, float], None]  # (step, steps in all, loss)


def finetune(
    parent: Path,
    audio: Sequence[Path],
    out: Path,
    *,
    version: str,
    steps: int = 0,
    same_voice_seconds: float = 0.0,
    work_dir: Path,
    on_step: OnStep,
    canceled: Callable[[], bool],
    speakers: Sequence[str] | None = None,
    threads: int = 0,
) -> FinetuneReport:
    """Adapts the parent to unlabelled audio and writes the next version.

    A second call with the same `out` returns the first one's report.

    Args:
        parent: bundle folder.
        out: `models/<name>/<version>`; written whole or not at all.
        steps: of the parent's own training, before the adaptation; more than 0 need torch and
            weights.safetensors.
        same_voice_seconds: two crops count as one voice only this near; 0: anywhere in a recording.
        work_dir: gets checkpoints; a call that finds some goes on from there. The caller deletes it.
        on_step: called after each step with (step, steps, loss).
        canceled: asked before each step and between the parts.
        speakers: who speaks in each file, "" where unknown; only the report uses it, nothing is fitted to it.
        threads: of onnxruntime; 0: one per core.

    Raises:
        FinetuneError: the audio or the parent cannot be used, or steps are asked for and torch is missing.
        Canceled: `canceled()` turned true; nothing was written to `out`.
    """
    if out.exists():
        return read_report(out)
    if out.name != version:
        raise ValueError(f"{out} has to end in the version, {version}.")
    work_dir.mkdir(parents=True, exist_ok=True)
    parts = _Parts(canceled)
    with parts.timed("read"):
        job = read_job(audio, speakers)
    with parts.timed("load"):
        runner = _load(parent, threads)
    stepped = SteppedNetwork()
    if steps:
        with parts.timed("train"):
            stepped = _train(runner, job, steps, same_voice_seconds, work_dir, on_step, canceled)
    with parts.timed("embed"):
        encoders = [runner.embed, *([stepped.encode] if stepped.encode else [])]
        crops = embed_crops(job.recordings, encoders, runner.scorer, same_voice_seconds, canceled)
    with parts.timed("adapt"):
        fits = _Fits.of(runner.manifest.scoring, crops, job)
    with parts.timed("evaluate"):
        measures = _measure(runner.scorer, fits.without_left_out, crops, job)
        measures = replace(
            measures,
            reconstruction=stepped.losses.get("reconstruction"),
            barlow_twins=stepped.losses.get("barlow_twins"),
        )
        space_map = _map(runner.scorer, fits.whole, crops, job)
    verdict, reason = judge(measures)
    report = FinetuneReport(
        verdict,
        reason,
        measures,
        recordings=len(job.recordings),
        left_out=int(job.left_out.sum()),
        voices=fits.whole.voices,
        seconds=round(job.seconds, 2),
        steps=steps,
        map_error=space_map.error,
        skipped=job.skipped,
        took_s=dict(parts.took_s),
    )
    with parts.timed("export"):
        adapted = read_adaptation(runner.manifest) if not steps else None
        matrix = fits.whole.matrix if adapted is None else adapted @ fits.whole.matrix
        write_version(
            NewVersion(
                parent=runner.manifest,
                network=stepped.files,
                matrix=matrix,
                adaptation=fits.whole,
                space_map=space_map,
                report=report,
                picture=_picture(runner.scorer, fits.without_left_out, crops, job, report),
                settings=stepped.settings | {"steps": steps, "same_voice_seconds": same_voice_seconds},
            ),
            out,
        )
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


def _load(folder: Path, threads: int) -> BundleRunner:
    try:
        return BundleRunner.load(folder, threads=threads)
    except BundleError as error:
        raise FinetuneError(f"The parent cannot be fine-tuned: {error}") from error


def _train(
    runner: BundleRunner,
    job: JobAudio,
    steps: int,
    same_voice_seconds: float,
    work_dir: Path,
    on_step: OnStep,
    canceled: Callable[[], bool],
) -> SteppedNetwork:
    try:
        from trainer.finetuning.stepped import train
    except ModuleNotFoundError as error:
        raise FinetuneError(
            f"Steps need {error.name}, which is not installed here: ask for 0 steps, which adapt without it, "
            "or install the extra 'train'."
        ) from error
    return train(runner.manifest, job, steps, same_voice_seconds, work_dir, on_step, canceled)


@dataclass(frozen=True)
class _Fits:
    """The adaptation fitted twice: for the report, and for the version."""

    without_left_out: Adaptation
    whole: Adaptation

    @classmethod
    def of(cls, scoring: Scoring, crops: JobCrops, job: JobAudio) -> _Fits:
        used = ~job.left_out[crops.recording]

        def fit(rows: NDArray[np.bool_]) -> Adaptation:
            before, after = crops.vectors[0][rows], crops.vectors[-1][rows]
            return fit_adaptation(scoring, before, crops.stretch[rows], after=after, overlap=crops.overlap)

        return cls(fit(used), fit(np.ones_like(used)))


def _measure(scorer: Scorer, adaptation: Adaptation, crops: JobCrops, job: JobAudio) -> Measures:
    recordings = Recordings(crops.recording[crops.apart], job.left_out, job.speakers)
    return compare(recordings, *_models(scorer, adaptation, crops))


def _models(scorer: Scorer, adaptation: Adaptation, crops: JobCrops) -> tuple[Model, Model]:
    """Parent and new version on the crops that do not overlap."""
    before, after = crops.vectors[0][crops.apart], crops.vectors[-1][crops.apart]
    return Model(before, scorer), Model(adaptation(after), Scorer(adaptation.scoring))


def _picture(
    scorer: Scorer, adaptation: Adaptation, crops: JobCrops, job: JobAudio, report: FinetuneReport
) -> bytes:
    of = crops.recording[crops.apart]
    before, after = (
        model.scorer.centred(_recordings(model.vectors, of)) for model in _models(scorer, adaptation, crops)
    )
    known = bool(np.all(job.speakers != ""))
    voices = (
        np.unique(job.speakers, return_inverse=True)[1]
        if known
        else voice_clusters(scorer, crops.vectors[0], crops.recording, crops.overlap)
    )
    caption = (
        f"{report.recordings} recordings, a colour a {'speaker' if known else 'voice, by clustering'}; "
        f"full: the {report.left_out} left out. {report.verdict.replace('_', ' ').capitalize()}."
    )
    return draw_maps(before, after, voices, job.left_out, caption)


def _map(scorer: Scorer, adaptation: Adaptation, crops: JobCrops, job: JobAudio) -> FittedMap:
    """The map of voices: an adaptation is one already, and steps are fitted."""
    before, after = crops.vectors[0], adaptation(crops.vectors[-1])
    chosen = job.left_out if job.left_out.any() else ~job.left_out
    rows = chosen[crops.recording]
    of = crops.recording[rows]
    held = HeldVoices(
        old=_recordings(before[rows], of),
        new=_recordings(after[rows], of),
        old_mean=scorer.mean,
        new_mean=adaptation.scoring.mean,
    )
    if len(crops.vectors) == 1:
        table = np.concatenate([adaptation.matrix, np.zeros((1, before.shape[1]), np.float32)])
        return measure_map(table, len(before), held)
    fitted = ~rows if not rows.all() else rows
    return fit_space_map(before[fitted], after[fitted], held)


def _recordings(vectors: Float32, recording: NDArray[np.intp]) -> Float32:
    return unit(np.stack([vectors[recording == row].mean(axis=0) for row in np.unique(recording)]))
