"""`trainer pretrain` and `trainer export`: folders of speech → a run folder → a bundle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, read_clips, read_noise
from trainer.bundles.voice import export_voice_bundle
from trainer.machine import training_machine
from trainer.models import MODELS, ModelSettings, load_objective, run_settings
from trainer.scoring.by_seconds import ENROL_S, MIN_SPEAKERS, PROBES_S
from trainer.training.batches import PairSampler
from trainer.training.distributed import Group, training_group
from trainer.training.loop import train
from trainer.training.progress import build_speech_cache, progress_bar, training_progress
from trainer.training.run_folder import RunFolder


def pretrain(
    model: str,
    settings: ModelSettings,
    data: Sequence[Path],
    run: RunFolder,
    cache_dir: Path,
    console: Console,
    *,
    split: str | None = None,
    noise: Path | None = None,
    start: RunFolder | None = None,
) -> None:
    """Trains on folders of speech, or goes on where the run folder stopped. Also runs under torchrun.

    Args:
        model: a name in `trainer.models.MODELS`.
        split: only rows of this split of metadata.tsv; None takes all.
        noise: folder of noise to mix in; None mixes in white noise.
        start: run folder whose weights a new run begins with.

    Raises:
        DataError: a folder cannot be read.
        FileNotFoundError: `start` has no checkpoint.
        ValueError: the run folder belongs to another model or other settings.
    """
    if run.checkpoint.is_file() and (run.model, run_settings(run)) != (model, settings):
        raise ValueError(f"{run.path} belongs to other settings: choose another --out, or give the same.")
    if start is not None:
        start.require_checkpoint()
    clips = read_clips(data, split)
    with training_group() as group:
        _pretrain(
            model,
            settings,
            data,
            clips,
            run,
            cache_dir,
            console,
            group,
            split=split,
            noise=noise,
            start=start,
        )


def _pretrain(
    model: str,
    settings: ModelSettings,
    data: Sequence[Path],
    clips: Sequence[Clip],
    run: RunFolder,
    cache_dir: Path,
    console: Console,
    group: Group,
    *,
    split: str | None,
    noise: Path | None,
    start: RunFolder | None,
) -> None:
    with group.leader_first():
        speech = build_speech_cache(clips, cache_dir, console, "reading speech")
        noises = (
            build_speech_cache(read_noise(noise, split), cache_dir, console, "reading noise")
            if noise
            else None
        )
    run.path.mkdir(parents=True, exist_ok=True)
    card = {"model": model, **_card(settings, data, split, noise, speech)}
    if start is not None:
        before = json.loads(start.card.read_text())
        card["started_from"] = {
            key: value for key, value in before.items() if key not in {"paths", "noise_path"}
        }
    if group.leads:
        run.card.write_text(json.dumps(card, indent=2) + "\n")
    with training_progress(console) as report:
        torch.manual_seed(settings.seed)
        objective = MODELS[model].objective(settings)
        sampler = PairSampler(speech, noises, settings.batch, settings.seed, settings.same_voice_seconds)
        checkpoint = start.checkpoint if start else None
        train(settings, objective, sampler, run.path, group=group, start=checkpoint, report=report)


def export_run(run: RunFolder, folder: Path, console: Console) -> None:
    """Makes a bundle of a run, fitting whitening and scoring on the speech the run was trained on.

    Raises:
        FileNotFoundError: the run has no checkpoint or no run.json.
    """
    objective, step = load_objective(run)
    card = json.loads(run.card.read_text())
    clips = read_clips([Path(path) for path in card.pop("paths")], card["split"])
    noise_path = card.pop("noise_path", None)
    noise = read_noise(Path(noise_path), card["split"]) if noise_path else []
    model = MODELS[run.model].voice(objective)
    with progress_bar(console) as progress:
        export_voice_bundle(
            model, clips, folder, noise=noise, training={**card, "steps": step}, progress=progress
        )
    if "by_seconds" not in json.loads((folder / "bundle.json").read_text())["scoring"]:
        console.print(
            "Left out: scoring.by_seconds, a threshold for each length of speech. One serves them all. "
            f"It needs {MIN_SPEAKERS} speakers of one corpus, and of each {ENROL_S:.0f} s in some recordings "
            f"and {PROBES_S[-1]:.0f} s in others."
        )


def _card(
    settings: ModelSettings, data: Sequence[Path], split: str | None, noise: Path | None, speech: ClipCache
) -> dict[str, Any]:
    return {
        "data": [folder.resolve().name for folder in data],
        "paths": [str(folder.resolve()) for folder in data],
        "split": split,
        "noise": noise.resolve().name if noise else None,
        "noise_path": str(noise.resolve()) if noise else None,
        "clips": len(speech),
        "hours": round(speech.hours, 3),
        "labels": "none in training; train speakers' labels fit the score calibration only",
        "settings": settings.to_json(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": training_machine(),
        "torch": torch.__version__,
    }
