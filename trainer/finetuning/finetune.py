"""Label-free fine-tuning: a bundle and some audio → the next version of the bundle, with a report."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from bundle.manifest import MANIFEST
from trainer.autodecompose.bundle import bundle_graphs
from trainer.bundles.update import update_onnx
from trainer.bundles.voice import CHECKED_CROPS, WEIGHTS, save_weights
from trainer.bundles.write import ExportError, Graph, partial_prefix, write_bundle, write_onnx
from trainer.finetuning.adapt import AdaptSettings, OnStep, adapt
from trainer.finetuning.audio import JobAudio, read_job
from trainer.finetuning.errors import Canceled
from trainer.finetuning.measures import compare, held_out_losses, job_crops
from trainer.finetuning.parent import Parent
from trainer.finetuning.report import FinetuneReport, judge
from trainer.scoring.space_map import FittedMap, fit_space_map
from trainer.scoring.whitening import carry_whitening

MAP = "map_from_parent.npy"


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
    took_s: dict[str, float] = {}

    @contextmanager
    def part(name: str) -> Iterator[None]:
        if canceled():
            raise Canceled(f"Canceled before part '{name}'.")
        started = time.monotonic()
        yield
        took_s[name] = round(time.monotonic() - started, 2)

    work_dir.mkdir(parents=True, exist_ok=True)
    with part("read"):
        job = read_job(audio, speakers)
    with part("load"):
        old = Parent.load(parent)
        new = old.copy()
    settings = AdaptSettings(steps=steps, same_voice_seconds=same_voice_seconds)
    with part("train"):
        adapt(new.objective, job.training, settings, work_dir, on_step=on_step, canceled=canceled)
    with part("evaluate"):
        crops = job_crops(job, same_voice_seconds)
        pooled = crops.pooled(old.objective), crops.pooled(new.objective)
        fitted, held = ~crops.held_out, crops.held_out
        whitening = carry_whitening(
            old.whitening, pooled[0][fitted], pooled[1][fitted], crops.stretches[fitted]
        )
        new = replace(new, whitening=whitening)
        before, after = old.whitening(pooled[0]), new.whitening(pooled[1])
        space_map = fit_space_map(before[fitted], after[fitted], before[held], after[held], old.mean)
        old_loss, new_loss = (
            held_out_losses(model.objective, job.held_out, same_voice_seconds) for model in (old, new)
        )
        measures = compare(crops, before, after, (old_loss, new_loss), old.mean)
    verdict, reason = judge(measures)
    report = FinetuneReport(
        verdict,
        reason,
        measures,
        recordings=len(set(audio)) - len(job.skipped),
        seconds=round(job.seconds, 2),
        steps=steps,
        map_error=space_map.error,
        skipped=job.skipped,
        took_s=dict(took_s),
    )
    with part("export"):
        _write(old, new, out, job, settings, report, space_map)
    return report


def read_report(folder: Path) -> FinetuneReport:
    """The report that a fine-tuned version carries."""
    return FinetuneReport.from_json(json.loads((folder / MANIFEST).read_text())["metrics"]["finetune"])


def _write(
    old: Parent,
    new: Parent,
    out: Path,
    job: JobAudio,
    settings: AdaptSettings,
    report: FinetuneReport,
    space_map: FittedMap,
) -> None:
    for leftover in out.parent.glob(f"{partial_prefix(out)}*"):  # of a worker that was killed while exporting
        shutil.rmtree(leftover, ignore_errors=True)
    crops = np.stack([job.held_out.crop(i % len(job.held_out), 0) for i in range(CHECKED_CROPS)])
    before = {graph.name: graph.module for graph in bundle_graphs(old.objective, old.voice, crops)}

    def write_graph(graph: Graph, path: Path) -> None:
        try:
            update_onnx(old.bundle.file(graph.name), path, before[graph.name], graph.module)
        except ExportError:  # layers that the exporter rearranges, LSTMs for one
            write_onnx(graph, path)

    parent = json.loads((old.bundle.path / MANIFEST).read_text())  # whole: later releases may say more in it
    manifest = {
        **{key: value for key, value in parent.items() if key != "files"},
        "version": out.name,
        "parent": old.bundle.version,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "map_from_parent": {
            "parent": old.bundle.id,
            "file": Path(MAP).stem,
            "error": space_map.error,
            "unmapped_error": space_map.unmapped_error,
            "crops": space_map.crops,
        },
        "metrics": {"finetune": report.to_json()},  # the parent's figures are not this version's
        "training": {
            "parent": old.bundle.version,
            "labels": "none",
            "recordings": report.recordings,
            "seconds": report.seconds,
            "settings": asdict(settings),
        },
    }
    write_bundle(
        out,
        manifest,
        bundle_graphs(new.objective, new.voice, crops),
        {
            WEIGHTS: partial(save_weights, new.objective, new.objective.settings.to_json()),
            MAP: space_map.save,
        },
        write_graph,
    )
