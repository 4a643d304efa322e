"""A trained voice encoder → whitening, scoring and a bundle: the same for every model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional as F

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from trainer.audio.acoustics import AcousticSettings, degrade
from trainer.audio.folders import Clip, fill_crop, read_audio
from trainer.bundles.write import Graph, write_bundle
from trainer.scoring.by_seconds import fit_by_seconds
from trainer.scoring.calibration import fit_min_cohesion, fit_scoring
from trainer.scoring.embedding import CropEncoder, EmbeddedClips, EncodedClips, encode_clips
from trainer.scoring.whitening import Whitening, fit_whitening
from trainer.training.checkpoint import save_checkpoint

WEIGHTS = "weights.safetensors"
CHECKED_CROPS = 8  # on which the ONNX files are held against torch
BATCH = 64  # crops in one call of the network


class WhitenedVoice(nn.Module):
    """Base of the voice graphs: the whitening as buffers, which fine-tuning reads back by these names."""

    def __init__(self, whitening: Whitening) -> None:
        super().__init__()
        self.mean: Tensor
        self.matrix: Tensor
        self.register_buffer("mean", torch.from_numpy(whitening.mean))
        self.register_buffer("matrix", torch.from_numpy(whitening.matrix))

    def embedding(self, representation: Tensor) -> Tensor:
        """(batch, dim) → whitened and of unit length."""
        return F.normalize((representation - self.mean) @ self.matrix, dim=1)


class Channels:
    """Every crop through a channel of its own, always the same ones: (crops, 16384), both ends."""

    def __init__(self, settings: AcousticSettings, noise: Sequence[Clip]) -> None:
        self.settings = settings
        self.noise = [fill_crop(read_audio(clip.path)) for clip in noise]
        self.rng = np.random.default_rng(0)
        self.generator = torch.Generator().manual_seed(0)

    def __call__(self, crops: Float32) -> Float32:
        noise = torch.from_numpy(np.stack([self._noise() for _ in crops])) if self.noise else None
        return degrade(torch.from_numpy(crops), noise, self.generator, self.settings).numpy()

    def _noise(self) -> Float32:
        samples = self.noise[int(self.rng.integers(len(self.noise)))]
        start = int(self.rng.integers(samples.size - CROP_SAMPLES + 1))
        return samples[start : start + CROP_SAMPLES]


@dataclass(frozen=True)
class VoiceModel:
    """What the export needs to know of a trained model."""

    kind: str
    objective: nn.Module  # in evaluation mode
    settings: dict[str, Any]
    acoustics: AcousticSettings | None  # the channels it was trained under
    represent: Callable[[Tensor], Tensor]  # waveform (batch, 16384) → what is whitened (batch, dim)
    graphs: Callable[[Whitening, Float32], list[Graph]]  # (whitening, crops (n, 16384)) → the ONNX files
    content: dict[str, Any] = field(default_factory=dict)  # `frame_s` and `content_dim`, where it has content

    def encode(self, crops: Float32) -> Float32:
        """What `represent` makes of any number of crops: (crops, 16384) → (crops, dim)."""
        with torch.inference_mode():
            batches = torch.split(torch.from_numpy(crops), BATCH)
            return np.concatenate([self.represent(batch).numpy() for batch in batches])


def whitening_of(parts: Sequence[EmbeddedClips]) -> Whitening:
    """The whitening of crops as they are recorded, and of the same clips under other conditions."""
    return fit_whitening(
        np.concatenate([part.crops for part in parts]),
        np.concatenate([part.crop_clip for part in parts]),
        [part.clips[i].corpus for part in parts for i in part.crop_clip],
    )


@dataclass(frozen=True)
class VoiceFit:
    """What is fitted to a trained model, before its graphs are written."""

    whitening: Whitening
    scoring: dict[str, Any]  # of bundle.json
    clips: list[Clip]  # it was fitted on: those that could be read


def fit_voice(
    model: VoiceModel, clips: Sequence[Clip], noise: Sequence[Clip] = (), progress: Progress | None = None
) -> VoiceFit:
    """Whitening (no labels) and scoring (the speakers' labels); arguments as for `export_voice_bundle`.

    Raises:
        ScoringError: the clips have no two utterances of one known speaker.
    """
    encoders: list[CropEncoder] = [model.encode]
    if model.acoustics is not None:
        # Within a recording the channel never changes: unless some crops go through others, the whitening
        # would take a steady hiss for a voice.
        channels = Channels(model.acoustics, noise)
        encoders.append(lambda crops: model.encode(channels(crops)))
    encoded = _encode(clips, encoders, progress)
    whitening = whitening_of([encoded.pooled(vectors) for vectors in encoded.vectors])
    embedded = encoded.pooled(whitening(encoded.vectors[0]))
    corpora = [clip.corpus for clip in embedded.clips]
    speakers = [f"{clip.corpus}/{clip.speaker}" if clip.speaker else "" for clip in embedded.clips]
    labelled = sorted({clip.corpus for clip in embedded.clips if clip.speaker})
    scoring = fit_scoring(embedded.utterances, speakers, groups=corpora)
    scoring["min_cohesion"] = fit_min_cohesion(embedded.crops, embedded.crop_clip, scoring["mean"])
    by_seconds = fit_by_seconds(embedded.crops, embedded.crop_clip, speakers, corpora, scoring["mean"])
    if by_seconds:
        scoring["by_seconds"] = by_seconds
    scoring["fitted_on"] = f"train speakers of {', '.join(labelled)}"
    return VoiceFit(whitening, scoring, embedded.clips)


def export_voice_bundle(
    model: VoiceModel,
    clips: Sequence[Clip],
    folder: Path,
    *,
    training: dict[str, Any],
    noise: Sequence[Clip] = (),
    parent: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Fits whitening (no labels) and scoring (train speakers' labels) on clips, then writes the bundle.

    Args:
        clips: of the train split; impostor pairs are taken within a corpus.
        folder: `models/<name>/<version>`.
        training: the card: data, hours, settings, command, machine.
        noise: what the channels of the whitening add; white noise if none.
        parent: the version this one was fine-tuned from.

    Raises:
        FileExistsError, ExportError: see `trainer.bundles.write.write_bundle`.
        ScoringError: the clips have no two utterances of one known speaker.
    """
    fit = fit_voice(model, clips, noise, progress)
    manifest = {
        "format": 1,
        "name": folder.parent.name,
        "version": folder.name,
        "kind": model.kind,
        "parent": parent,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "crop_samples": CROP_SAMPLES,
        "embedding_dim": len(fit.whitening.mean),
        **model.content,
        "scoring": fit.scoring,
        "metrics": {},
        "training": training,
    }
    # Real crops: random ones would not reach the range of speech.
    crops = np.stack([fill_crop(read_audio(clip.path))[:CROP_SAMPLES] for clip in fit.clips[:CHECKED_CROPS]])
    weights = partial(save_weights, model.objective, model.settings)
    write_bundle(folder, manifest, model.graphs(fit.whitening, crops), {WEIGHTS: weights})


def save_weights(objective: nn.Module, settings: dict[str, Any], path: Path) -> None:
    """The model as it is trained, from which it can be trained on."""
    save_checkpoint(path, {"objective": objective}, None, 0, settings)


def _encode(
    clips: Sequence[Clip], encoders: Sequence[CropEncoder], progress: Progress | None
) -> EncodedClips:
    if progress is None:
        return encode_clips(clips, encoders)
    task = progress.add_task("whitening and scoring", total=len(clips), losses="")
    return encode_clips(clips, encoders, on_clip=lambda: progress.advance(task))
