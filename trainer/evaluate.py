"""Measures a bundle, ONNX files only, on a folder of labelled speech."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bundle.arrays import Float32
from bundle.manifest import MANIFEST
from bundle.scoring import Calibration, centre
from bundle.vectors import mean_and_deviation, unit
from trainer.audio.folders import Clip, DataError, read_folder
from trainer.bundles.runner import BundleRunner
from trainer.metrics.few_shot import SECONDS, few_shot
from trainer.metrics.verification import cllr, eer, min_dcf
from trainer.scoring.calibration import pair_scores
from trainer.scoring.embedding import CropEncoder, EmbeddedClips, EncoderName, embed_clips

DRAWS = 10
RECORDED = ("seed", "speakers", "utterances", "segments", "few_shot", "eer", "min_dcf", "cllr")


def evaluate(
    bundle_dir: Path,
    data_dir: Path,
    *,
    split: str | None = None,
    speakers: int = 30,
    seed: int = 0,
    encoder: EncoderName = EncoderName.VOICE,
    console: Console | None = None,
) -> dict[str, Any]:
    """Few-shot F1 and verification figures of one encoder of a bundle on one folder.

    `voice` is scored as the service scores it: with the bundle's mean and calibration. For `content` a bundle
    has neither. There a crop's vector is the mean and standard deviation of its frames over time, of unit
    length. It is centred with the mean over the folder's utterances, and `cllr` is None.

    Args:
        split: keep only the rows of this split of metadata.tsv; None keeps all.
        speakers: how many speakers the few-shot part draws. Verification takes every pair of utterances.
        seed: of that draw and of the labelled crops.
        console: where progress bars go; None shows none.

    Returns:
        What `trainer evaluate --json` writes. `f1`, `std` and `eer` are in percent, `cllr` in bits; `min_dcf`
        is normalised, for a target prior of 0.01. `eer`, `min_dcf` and `cllr` are None if a kind of pair is
        missing.

    Raises:
        BundleError: the bundle cannot be used.
        DataError: the folder cannot be read or names no speaker.
    """
    bundle = BundleRunner.load(bundle_dir)
    clips = labelled_clips(data_dir, split)
    scoring = bundle.manifest.scoring
    with Progress(console=console, disable=console is None) as progress:
        if encoder is EncoderName.VOICE:
            embedded = embed_with_progress(clips, bundle.embed, progress)
            figures = measure(
                embedded, scoring.mean, scoring.calibration, speakers=speakers, seed=seed, progress=progress
            )
        else:
            embedded = embed_with_progress(
                clips, lambda crops: unit(mean_and_deviation(bundle.content(crops))), progress
            )
            mean = embedded.utterances.mean(axis=0)
            figures = measure(embedded, mean, None, speakers=speakers, seed=seed, progress=progress)
    return {
        "model": bundle.id,
        "data": str(data_dir),
        "split": split,
        "encoder": encoder.value,
        "seed": seed,
        **figures,
        "skipped": embedded.skipped,
    }


def labelled_clips(data_dir: Path, split: str | None) -> list[Clip]:
    """The clips of a folder whose speaker is known.

    Raises:
        DataError: there is none.
    """
    clips = [clip for clip in read_folder(data_dir, split) if clip.speaker]
    if not clips:
        raise DataError(f"{data_dir} names no speaker: give speech with metadata.tsv or SPEAKER/FILE.")
    return clips


def embed_with_progress(clips: Sequence[Clip], encode: CropEncoder, progress: Progress) -> EmbeddedClips:
    """`embed_clips` behind a progress bar."""
    task = progress.add_task("embedding", total=len(clips))
    return embed_clips(clips, encode, on_clip=lambda: progress.advance(task))


def measure(
    embedded: EmbeddedClips,
    mean: ArrayLike,
    calibration: Calibration | None,
    *,
    speakers: int,
    seed: int,
    progress: Progress,
) -> dict[str, Any]:
    """The figures that depend on embeddings alone: the same measures for every model that is compared."""
    clip_speakers = [clip.speaker for clip in embedded.clips]
    target, nontarget = pair_scores(centre(embedded.utterances, mean), clip_speakers)
    drawn = draw_speakers(clip_speakers, speakers, seed)
    crop_speakers = np.asarray(clip_speakers)[embedded.crop_clip]
    of_drawn = np.isin(crop_speakers, drawn)
    task = progress.add_task("few-shot draws", total=len(SECONDS) * DRAWS)
    shots = few_shot(
        embedded.crops[of_drawn],
        crop_speakers[of_drawn],
        draws=DRAWS,
        seed=seed,
        on_draw=lambda: progress.advance(task),
    )
    progress.update(task, completed=len(SECONDS) * DRAWS)
    both_kinds = target.size > 0 and nontarget.size > 0
    return {
        "speakers": len(set(clip_speakers)),
        "utterances": len(clip_speakers),
        "segments": len(embedded.crops),
        "few_shot": {str(k): asdict(result) for k, result in shots.items()},
        "few_shot_speakers": len(drawn),
        "eer": 100 * eer(target, nontarget) if both_kinds else None,
        "min_dcf": min_dcf(target, nontarget) if both_kinds else None,
        "cllr": _calibrated_cllr(target, nontarget, calibration) if both_kinds and calibration else None,
        "trials": {"target": int(target.size), "nontarget": int(nontarget.size)},
    }


def draw_speakers(speakers: Sequence[str], count: int, seed: int) -> list[str]:
    """The first `count` of a seeded permutation of the sorted speakers, or all if there are fewer."""
    return [str(name) for name in np.random.default_rng(seed).permutation(sorted(set(speakers)))[:count]]


def _calibrated_cllr(target: Float32, nontarget: Float32, calibration: Calibration) -> float:
    slope, intercept = calibration.slope, calibration.intercept
    return cllr(slope * target + intercept, slope * nontarget + intercept)


def record_metrics(folder: Path, figures: dict[str, Any]) -> None:
    """Writes what `evaluate` measured into bundle.json, under `metrics`.

    Corpora go by their folder's name: a card names no path of the machine it was measured on.
    """
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    corpus = Path(figures["data"]).resolve().name
    key = "/".join(part for part in (corpus, figures["split"], figures["encoder"]) if part)
    manifest["metrics"][key] = {name: figures[name] for name in RECORDED} | {
        "date": datetime.now(UTC).strftime("%Y-%m-%d")
    }
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    partial.replace(path)


def figures_table(figures: dict[str, Any]) -> Table:
    """The figures of `evaluate` as a table with one row a measure."""
    where = f"{figures['data']}" + (f" ({figures['split']})" if figures.get("split") else "")
    table = Table(
        title=f"{figures['model']} on {where}",
        caption=f"{figures['speakers']} speakers, "
        f"{figures['utterances']} utterances, {figures['segments']} crops",
    )
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_column("from")
    for k, shot in figures["few_shot"].items():
        table.add_row(
            f"F1 from {k} s",
            f"{shot['f1']:.1f} ± {shot['std']:.1f} %",
            f"{shot['speakers']} speakers, {shot['runs']} draws",
        )
    trials = f"{figures['trials']['target']:,} target, {figures['trials']['nontarget']:,} nontarget pairs"
    for name, key, suffix in (
        ("EER", "eer", " %"),
        ("minDCF (0.01)", "min_dcf", ""),
        ("Cllr", "cllr", " bit"),
    ):
        if figures[key] is not None:
            table.add_row(name, f"{figures[key]:.3f}{suffix}", trials)
    return table
