"""`trainer pretrain` and `trainer export`: folders of speech → a run folder → a bundle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console

from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip
from trainer.bundles.voice import (
    WEIGHTS,
    Channels,
    embed_with_progress,
    encode_for_whitening,
    export_voice_bundle,
    whitening_of,
)
from trainer.machine import training_machine
from trainer.models import MODELS, ModelSettings, load_objective, run_settings
from trainer.scoring.by_seconds import ENROL_S, MIN_SPEAKERS, PROBES_S
from trainer.training.batches import PairSampler
from trainer.training.checkpoint import load_start
from trainer.training.clusters import pseudo_speakers
from trainer.training.distributed import Group, training_group
from trainer.training.loop import train
from trainer.training.material import Material
from trainer.training.progress import build_speech_cache, progress_bar, training_progress
from trainer.training.run_folder import RunFolder

WHITENED = 4  # every n-th recording fits the whitening that pseudo-speakers are found by
MACHINE_KEYS = {"paths", "noise_path"}  # of run.json: folders of this machine


def pretrain(
    model: str,
    settings: ModelSettings,
    material: Material,
    run: RunFolder,
    cache_dir: Path,
    console: Console,
    *,
    start: RunFolder | None = None,
    content: Path | None = None,
    workers: int | None = None,
) -> None:
    """Trains on folders of speech, or goes on where the run folder stopped. Also runs under torchrun.

    Args:
        model: a name in `trainer.models.MODELS`.
        start: run folder whose weights a new run begins with.
        content: bundle whose content encoder and decoder a new run begins with.
        workers: processes that cut batches; None: some on a GPU, none on a processor.

    Raises:
        DataError: a folder cannot be read.
        FileNotFoundError: `start` has no checkpoint.
        ValueError: the run folder belongs to another model or other settings.
    """
    if run.checkpoint.is_file() and (run.model, run_settings(run)) != (model, settings):
        raise ValueError(f"{run.path} belongs to other settings: choose another --out, or give the same.")
    if start is not None:
        start.require_checkpoint()
    clips = material.speech()
    with training_group() as group:
        _pretrain(model, settings, material, clips, run, cache_dir, console, group, start, content, workers)


def _pretrain(
    model: str,
    settings: ModelSettings,
    material: Material,
    clips: Sequence[Clip],
    run: RunFolder,
    cache_dir: Path,
    console: Console,
    group: Group,
    start: RunFolder | None,
    content: Path | None,
    workers: int | None,
) -> None:
    with group.leader_first():
        speech = build_speech_cache(clips, cache_dir, console, "reading speech")
        noise = material.noise_clips()
        noises = build_speech_cache(noise, cache_dir, console, "reading noise") if noise else None
    run.path.mkdir(parents=True, exist_ok=True)
    voices = None
    if settings.clusters:
        with group.leader_first():
            voices = _pseudo_speakers(settings, material, speech, run, start, console)
    card = {"model": model, **material.to_card(), **_card(settings, speech)}
    if start is not None:
        before = json.loads(start.card.read_text())
        card["started_from"] = {key: value for key, value in before.items() if key not in MACHINE_KEYS}
    if content is not None:
        bundle = json.loads((content / "bundle.json").read_text())
        card["content_from"] = f"{bundle['name']}/{bundle['version']}"
    if group.leads:
        run.card.write_text(json.dumps(card, indent=2) + "\n")
    with training_progress(console) as report:
        torch.manual_seed(settings.seed)
        objective = MODELS[model].objective(settings)
        sampler = PairSampler(
            speech,
            noises,
            settings.batch,
            settings.seed,
            settings.same_voice_seconds,
            material.room_spectra(),
            voices,
        )
        if start is not None:
            load_start(start.checkpoint, objective, getattr(objective, "fresh", ()))
        if content is not None:
            load_start(content / WEIGHTS, objective, ("model.E_s.", "projector.", "head."))
        train(settings, objective, sampler, run.path, group=group, report=report, workers=workers)


def _pseudo_speakers(
    settings: ModelSettings,
    material: Material,
    speech: ClipCache,
    run: RunFolder,
    start: RunFolder | None,
    console: Console,
) -> NDArray[np.int64]:
    """(clips,) the pseudo-speaker of each clip, as the run that is started from hears it.

    Raises:
        ValueError: there is no such run, there are more than `clusters`, or `counts` cannot be read.
    """
    path = run.path / "pseudo_speakers.npy"
    if path.is_file():
        return np.asarray(np.load(path), np.int64)
    if start is None:
        raise ValueError("A training with clusters needs --start, a run that hears which voices are alike.")
    counts = settings.counts()
    objective, _ = load_objective(start)
    model = MODELS[start.model].voice(objective)
    channels = None
    if model.acoustics is not None:
        channels = Channels(model.acoustics, material.noise_clips(), material.room_clips())
    with progress_bar(console) as progress:
        encoded = encode_for_whitening(model, speech.clips[::WHITENED], channels, progress)
        whitening = whitening_of([encoded.pooled(vectors) for vectors in encoded.vectors])
        embedded = embed_with_progress(
            "pseudo-speakers", speech.clips, lambda crops: whitening(model.encode(crops)), progress
        )
    labels = pseudo_speakers(embedded.utterances, [clip.corpus for clip in embedded.clips], counts)
    if (count := int(labels.max()) + 1) > settings.clusters:
        raise ValueError(
            f"{count} pseudo-speakers, and the head has room for {settings.clusters}: "
            f"give --set clusters={count}."
        )
    corpora = sorted({clip.corpus for clip in embedded.clips})
    counts = {
        c: len({k for k, clip in zip(labels, embedded.clips, strict=True) if clip.corpus == c})
        for c in corpora
    }
    console.print("pseudo-speakers: " + ", ".join(f"{count} of {corpus}" for corpus, count in counts.items()))
    np.save(path, labels)
    return labels


def export_run(run: RunFolder, folder: Path, console: Console, *, every: int = 1) -> None:
    """Makes a bundle of a run, fitting whitening and scoring on the speech the run was trained on.

    Args:
        every: fits on every n-th recording only.

    Raises:
        FileNotFoundError: the run has no checkpoint or no run.json.
    """
    objective, step = load_objective(run)
    card = json.loads(run.card.read_text())
    material = Material.from_card(card)
    training = {key: value for key, value in card.items() if key not in MACHINE_KEYS}
    training |= {"steps": step, "fitted_on_every": every}
    model = MODELS[run.model].voice(objective)
    with progress_bar(console) as progress:
        export_voice_bundle(
            model,
            material.speech()[::every],
            folder,
            noise=material.noise_clips(),
            rooms=material.room_clips(),
            training=training,
            progress=progress,
        )
    if "by_seconds" not in json.loads((folder / "bundle.json").read_text())["scoring"]:
        console.print(
            "Left out: scoring.by_seconds, a threshold for each length of speech. One serves them all. "
            f"It needs {MIN_SPEAKERS} speakers of one corpus, and of each {ENROL_S:.0f} s in some recordings "
            f"and {PROBES_S[-1]:.0f} s in others."
        )


def _card(settings: ModelSettings, speech: ClipCache) -> dict[str, Any]:
    return {
        "clips": len(speech),
        "hours": round(speech.hours, 3),
        "labels": "none in training; train speakers' labels fit the score calibration only",
        "settings": settings.to_json(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": training_machine(),
        "torch": torch.__version__,
    }
