"""A trained GAAE → a bundle folder. docs/gaae.md lists its files."""

from __future__ import annotations

import copy
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.folders import read_audio
from trainer.bundles.write import Graph, write_bundle
from trainer.gaae.data import one_second, read_pool
from trainer.gaae.networks import Classifier, Decoder, Encoder
from trainer.gaae.run import TrainedGaae
from trainer.gaae.sheet import standing_statistics
from trainer.gaae.spectrogram import WAVEFORM_SAMPLES, NormalisedLogSpectrogram

CHECKED_CLIPS = 8  # on which the ONNX files are compared with torch


class GeneratorGraph(nn.Module):
    """z (batch, latent_dim), label (batch,) → spectrogram (batch, bins, frames)."""

    def __init__(self, decoder: Decoder, classes: int) -> None:
        super().__init__()
        self.decoder, self.classes = decoder, classes

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        spectrogram: Tensor = self.decoder(z, F.one_hot(label, self.classes).float())
        return spectrogram


class EncoderGraph(nn.Module):
    """waveform (batch, 16000) → one of the encoder's two representations, or the classifier's logits."""

    def __init__(
        self,
        spectrogram: NormalisedLogSpectrogram,
        encoder: Encoder,
        head: nn.Module,
        classifier: Classifier | None = None,
    ) -> None:
        super().__init__()
        self.spectrogram, self.trunk, self.head, self.classifier = (
            spectrogram,
            encoder.trunk,
            head,
            classifier,
        )

    def forward(self, waveform: Tensor) -> Tensor:
        representation: Tensor = self.head(self.trunk(self.spectrogram(waveform)))
        return representation if self.classifier is None else self.classifier(representation)


def export_gaae(run: TrainedGaae, folder: Path) -> None:
    """Writes the bundle, each file checked against its module on real audio.

    Args:
        folder: `models/<name>/<version>`; must not exist.

    Raises:
        DataError: the audio that the run was trained on is no longer there.
        FileExistsError, ExportError: see `trainer.bundles.write.write_bundle`.
    """
    settings, labels = run.settings, run.guidance.labels
    waveforms = torch.from_numpy(
        np.stack([one_second(read_audio(clip.path)) for clip in read_pool(run.guidance)[:CHECKED_CLIPS]])
    )
    spectrogram = NormalisedLogSpectrogram(settings.spectrogram)
    decoder = frozen(standing_statistics(run.networks.D, settings.latent_dim, len(labels)))
    encoder, classifier = frozen(run.networks.E), frozen(run.networks.C)
    z = torch.randn(len(waveforms), settings.latent_dim, generator=torch.Generator().manual_seed(0))
    label = torch.arange(len(waveforms)) % len(labels)
    audio = {"waveform": waveforms}
    graphs = [
        Graph("generator", GeneratorGraph(decoder, len(labels)), {"z": z, "label": label}, ("spectrogram",)),
        Graph("style", EncoderGraph(spectrogram, encoder, encoder.style), audio, ("style",)),
        Graph("guided", EncoderGraph(spectrogram, encoder, encoder.guided), audio, ("guided",)),
        Graph(
            "classifier", EncoderGraph(spectrogram, encoder, encoder.guided, classifier), audio, ("logits",)
        ),
    ]
    manifest = {
        "format": 1,
        "name": folder.parent.name,
        "version": folder.name,
        "kind": "gaae",
        "parent": None,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "waveform_samples": WAVEFORM_SAMPLES,
        "labels": list(labels),
        "label_column": run.guidance.label_column,
        "latent_dim": settings.latent_dim,
        "guided_dim": settings.guided_dim,
        "prior": {"distribution": "normal", "mean": 0.0, "std": 1.0},
        "spectrogram": asdict(settings.spectrogram),
        "metrics": {},
        "training": run.public_card(),
    }
    write_bundle(folder, manifest, graphs)


Network = TypeVar("Network", bound=nn.Module)


def frozen(network: Network) -> Network:
    """A copy in evaluation mode whose weights are divided by their spectral norm."""
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear) and parametrize.is_parametrized(module, "weight"):
            weight = module.weight.detach().clone()
            # torch's remove_parametrizations would also change the original module.
            plain = parametrize.type_before_parametrizations(module)
            del module.parametrizations
            module.__class__ = plain
            module.weight = nn.Parameter(weight)
    return network
