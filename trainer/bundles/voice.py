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
from trainer.audio.chain import ChainSettings, room_spectra, through_chain
from trainer.audio.folders import Clip, fill_crop, read_audio
from trainer.bundles.write import Graph, write_bundle
from trainer.scoring.by_seconds import fit_by_seconds
from trainer.scoring.calibration import fit_min_cohesion, fit_scoring
from trainer.scoring.embedding import (
    Condition,
    CropEncoder,
    EmbeddedClips,
    EncodedClips,
    embed_clips,
    encode_clips,
)
from trainer.scoring.narrow import fit_narrow
from trainer.scoring.whitening import BETWEEN_POWER, Whitening, fit_whitening
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
    """What may happen to a recording between mouth and file, always the same: for fits, not for training.

    Args:
        noise: recordings to add; white noise if there are none.
        rooms: impulse responses (samples,), for a chain.
    """

    def __init__(
        self,
        settings: AcousticSettings | ChainSettings,
        noise: Sequence[Clip],
        rooms: Sequence[Clip] = (),
    ) -> None:
        self.settings = settings
        self.noise = [fill_crop(read_audio(clip.path)) for clip in noise]
        self.rooms = [read_audio(clip.path) for clip in rooms]
        self.spectra = room_spectra(self.rooms, CROP_SAMPLES) if self.rooms else None
        self.rng = np.random.default_rng(0)
        self.generator = torch.Generator().manual_seed(0)

    def __call__(self, crops: Float32) -> Float32:
        """Every crop through a channel of its own: (crops, 16384), both ends."""
        noise = torch.from_numpy(np.stack([self._noise(CROP_SAMPLES) for _ in crops])) if self.noise else None
        if isinstance(self.settings, AcousticSettings):
            return degrade(torch.from_numpy(crops), noise, self.generator, self.settings).numpy()
        rooms = None
        if self.spectra is not None:
            rooms = self.spectra[self.rng.integers(len(self.spectra), size=len(crops))]
        return through_chain(torch.from_numpy(crops), noise, rooms, self.generator, self.settings).numpy()

    def recording(self, samples: Float32) -> Float32:
        """A whole recording through one channel: (samples,), both ends."""
        noise = torch.from_numpy(self._noise(samples.size)[None]) if self.noise else None
        whole = torch.from_numpy(samples[None])
        if isinstance(self.settings, AcousticSettings):
            return degrade(whole, noise, self.generator, self.settings)[0].numpy()
        rooms = None
        if self.rooms:
            rooms = room_spectra([self.rooms[int(self.rng.integers(len(self.rooms)))]], samples.size)
        return through_chain(whole, noise, rooms, self.generator, self.settings)[0].numpy()

    def every_second(self, samples: Float32, index: int) -> Float32:
        """Recordings with an odd number through a channel, the others as they are."""
        return self.recording(samples) if index % 2 else samples

    def _noise(self, count: int) -> Float32:
        samples = self.noise[int(self.rng.integers(len(self.noise)))]
        start = int(self.rng.integers(max(samples.size - count, 0) + 1))
        return np.resize(samples[start:], count)


@dataclass(frozen=True)
class VoiceModel:
    """What the export needs to know of a trained model."""

    kind: str
    objective: nn.Module  # in evaluation mode
    settings: dict[str, Any]
    acoustics: AcousticSettings | ChainSettings | None  # the channels it was trained under
    represent: Callable[[Tensor], Tensor]  # waveform (batch, 16384) → what is whitened (batch, dim)
    graphs: Callable[[Whitening, Float32], list[Graph]]  # (whitening, crops (n, 16384)) → the ONNX files
    content: dict[str, Any] = field(default_factory=dict)  # `frame_s` and `content_dim`, where it has content

    def encode(self, crops: Float32) -> Float32:
        """What `represent` makes of any number of crops: (crops, 16384) → (crops, dim)."""
        with torch.inference_mode():
            batches = torch.split(torch.from_numpy(crops), BATCH)
            return np.concatenate([self.represent(batch).numpy() for batch in batches])


def whitening_of(parts: Sequence[EmbeddedClips], between_power: float = BETWEEN_POWER) -> Whitening:
    """The whitening of crops as they are recorded, and of the same clips under other conditions."""
    return fit_whitening(
        np.concatenate([part.crops for part in parts]),
        np.concatenate([part.crop_clip for part in parts]),
        [part.clips[i].corpus for part in parts for i in part.crop_clip],
        between_power,
    )


@dataclass(frozen=True)
class VoiceFit:
    """What is fitted to a trained model, before its graphs are written."""

    whitening: Whitening
    scoring: dict[str, Any]  # of bundle.json
    clips: list[Clip]  # it was fitted on: those that could be read


def fit_voice(
    model: VoiceModel,
    clips: Sequence[Clip],
    noise: Sequence[Clip] = (),
    progress: Progress | None = None,
    *,
    rooms: Sequence[Clip] = (),
) -> VoiceFit:
    """Whitening (no labels) and scoring (the speakers' labels); arguments as for `export_voice_bundle`.

    A model that was trained through a chain gets its mean and thresholds on recordings every second of which
    has been through one: what is enrolled in one place is recognised in another.

    Raises:
        ScoringError: the clips have no two utterances of one known speaker.
    """
    channels = None if model.acoustics is None else Channels(model.acoustics, noise, rooms)
    encoded = encode_for_whitening(model, clips, channels, progress)
    parts = [encoded.pooled(vectors) for vectors in encoded.vectors]
    chained = isinstance(model.acoustics, ChainSettings)
    # Chosen on train speakers set aside: the crops as recorded count twice, and the second step is left out.
    whitening = whitening_of([parts[0], *parts], 0.0) if chained else whitening_of(parts)
    embedded = encoded.pooled(whitening(encoded.vectors[0]))
    if channels is not None and chained:
        embedded = embed_with_progress(
            "scoring", clips, lambda crops: whitening(model.encode(crops)), progress, channels.every_second
        )
    corpora = [clip.corpus for clip in embedded.clips]
    speakers = [f"{clip.corpus}/{clip.speaker}" if clip.speaker else "" for clip in embedded.clips]
    labelled = sorted({clip.corpus for clip in embedded.clips if clip.speaker})
    scoring = fit_scoring(embedded.utterances, speakers, groups=corpora)
    scoring["min_cohesion"] = fit_min_cohesion(embedded.crops, embedded.crop_clip, scoring["mean"])
    by_seconds = fit_by_seconds(embedded.crops, embedded.crop_clip, speakers, corpora, scoring["mean"])
    if by_seconds:
        scoring["by_seconds"] = by_seconds
    if chained:
        scoring["narrow"] = fit_narrow(
            clips, lambda crops: whitening(model.encode(crops)), scoring["mean"], progress
        )
    scoring["fitted_on"] = f"train speakers of {', '.join(labelled)}"
    return VoiceFit(whitening, scoring, embedded.clips)


def export_voice_bundle(
    model: VoiceModel,
    clips: Sequence[Clip],
    folder: Path,
    *,
    training: dict[str, Any],
    noise: Sequence[Clip] = (),
    rooms: Sequence[Clip] = (),
    parent: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Fits whitening (no labels) and scoring (train speakers' labels) on clips, then writes the bundle.

    Args:
        clips: of the train split; impostor pairs are taken within a corpus.
        folder: `models/<name>/<version>`.
        training: the card: data, hours, settings, command, machine.
        noise: what the channels add; white noise if none.
        rooms: impulse responses of the channels, where the model was trained through a chain.
        parent: the version this one was fine-tuned from.

    Raises:
        FileExistsError, ExportError: see `trainer.bundles.write.write_bundle`.
        ScoringError: the clips have no two utterances of one known speaker.
    """
    fit = fit_voice(model, clips, noise, progress, rooms=rooms)
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
    path.chmod(0o644)  # safetensors writes for its owner alone; a bundle is for every reader


def encode_for_whitening(
    model: VoiceModel, clips: Sequence[Clip], channels: Channels | None, progress: Progress | None
) -> EncodedClips:
    """What the whitening is fitted on: the clips as recorded, and every crop through a channel of its own.

    Within a recording the channel never changes: unless some crops go through others, the whitening would
    take a steady hiss for a voice.
    """
    encoders: list[CropEncoder] = [model.encode]
    if channels is not None:
        encoders.append(lambda crops: model.encode(channels(crops)))
    if progress is None:
        return encode_clips(clips, encoders)
    task = progress.add_task("whitening", total=len(clips), losses="")
    return encode_clips(clips, encoders, on_clip=lambda: progress.advance(task))


def embed_with_progress(
    title: str,
    clips: Sequence[Clip],
    encode: CropEncoder,
    progress: Progress | None,
    condition: Condition | None = None,
) -> EmbeddedClips:
    """Embeds clips behind a progress bar, where there is one; arguments as for `embed_clips`."""
    if progress is None:
        return embed_clips(clips, encode, condition=condition)
    task = progress.add_task(title, total=len(clips), losses="")
    return embed_clips(clips, encode, on_clip=lambda: progress.advance(task), condition=condition)
