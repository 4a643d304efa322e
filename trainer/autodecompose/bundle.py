"""A trained Autodecompose → whitening, scoring and a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress

from trainer.autodecompose.graphs import ContentGraph, DecoderGraph, VoiceGraph
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.checkpoint import save_checkpoint
from trainer.data import CROP_SAMPLES, SAMPLE_RATE_HZ, Clip, fill_crop, read_audio
from trainer.embedding import EmbeddedClips, embed_clips
from trainer.export import Graph, write_bundle
from trainer.scoring import fit_min_cohesion, fit_scoring
from trainer.whitening import fit_whitening

Floats = NDArray[np.float32]

WEIGHTS = "weights.safetensors"


def export_autodecompose(
    objective: Objective,
    clips: Sequence[Clip],
    folder: Path,
    *,
    training: dict[str, Any],
    parent: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Fits whitening (no labels) and scoring (train speakers' labels) on clips, then writes the bundle.

    Args:
        clips: of the train split; impostor pairs are taken within a corpus.
        folder: `models/<name>/<version>`.
        training: the card: data, hours, settings, command, machine.
        parent: the version this one was fine-tuned from.

    Raises:
        FileExistsError, ExportError: see `trainer.export.write_bundle`.
        ScoringError: the clips have no two utterances of one known speaker.
    """
    objective = objective.eval()

    def pooled(crops: Floats) -> Floats:
        with torch.no_grad():
            frames = objective.model.E_s(objective.frontend(torch.from_numpy(crops)))
            return pool(frames).numpy()

    raw = _embed("whitening", clips, pooled, progress)
    crop_corpora = [raw.clips[i].corpus for i in raw.crop_clip]
    voice = VoiceGraph(objective, fit_whitening(raw.crops, raw.crop_clip, crop_corpora)).eval()

    def embed(crops: Floats) -> Floats:
        with torch.no_grad():
            embedding: Floats = voice(torch.from_numpy(crops))[0].numpy()
            return embedding

    embedded = _embed("scoring", clips, embed, progress)
    corpora = [clip.corpus for clip in embedded.clips]
    speakers = [f"{clip.corpus}/{clip.speaker}" if clip.speaker else "" for clip in embedded.clips]
    labelled = sorted({clip.corpus for clip in embedded.clips if clip.speaker})
    scoring = fit_scoring(embedded.utterances, speakers, groups=corpora)
    scoring["min_cohesion"] = fit_min_cohesion(embedded.crops, embedded.crop_clip, scoring["mean"])

    width = objective.settings.width
    frames = objective.frontend.settings
    manifest = {
        "format": 1,
        "name": folder.parent.name,
        "version": folder.name,
        "kind": "autodecompose",
        "parent": parent,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "crop_samples": CROP_SAMPLES,
        "frame_s": frames.hop / SAMPLE_RATE_HZ,
        "embedding_dim": 2 * width,
        "content_dim": width,
        "scoring": {**scoring, "fitted_on": f"train speakers of {', '.join(labelled)}"},
        "metrics": {},
        "training": training,
    }
    # Real crops: random ones would not reach the range of speech.
    crops = np.stack([fill_crop(read_audio(clip.path))[:CROP_SAMPLES] for clip in clips[:8]])
    graphs = bundle_graphs(objective, voice, crops)
    write_bundle(folder, manifest, graphs, {WEIGHTS: partial(save_weights, objective)})


def save_weights(objective: Objective, path: Path) -> None:
    """The model as it is trained, from which it can be fine-tuned."""
    save_checkpoint(path, {"objective": objective}, None, 0, objective.settings.to_json())


def _embed(title: str, clips: Sequence[Clip], encode: Any, progress: Progress | None) -> EmbeddedClips:
    if progress is None:
        return embed_clips(clips, encode)
    task = progress.add_task(title, total=len(clips), losses="")
    return embed_clips(clips, encode, on_clip=lambda: progress.advance(task))


def bundle_graphs(objective: Objective, voice: VoiceGraph, crops: Floats) -> list[Graph]:
    """The ONNX files of a bundle. `crops` (n, 16384) of speech are what they are checked on."""
    waveform = torch.from_numpy(crops)
    content = ContentGraph(objective).eval()
    with torch.no_grad():
        voice_frames, content_frames = voice(waveform)[1], content(waveform)
    return [
        Graph("voice", voice, {"waveform": waveform}, ("embedding", "frames")),
        Graph("content", content, {"waveform": waveform}, ("frames",)),
        Graph(
            "decoder",
            DecoderGraph(objective).eval(),
            {"voice_frames": voice_frames, "content_frames": content_frames},
            ("mel",),
        ),
    ]
