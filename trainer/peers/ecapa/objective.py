"""Who speaks, among the speakers of the training set: AAM-softmax on ECAPA-TDNN's embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.audio.acoustics import degrade
from trainer.audio.cache import ClipCache
from trainer.audio.frontends import FRONTENDS, LogMel
from trainer.peers.ecapa.networks import EcapaTdnn
from trainer.peers.ecapa.settings import EcapaSettings
from trainer.training.batches import PairBatch, PairSampler
from trainer.training.margin import aam_softmax


@dataclass(frozen=True)
class LabelledBatch:
    """Pairs of crops and the index of their speaker."""

    pair: PairBatch
    speaker: Tensor  # (batch,) index of who speaks in both crops

    def to(self, device: torch.device) -> LabelledBatch:
        return LabelledBatch(self.pair.to(device), self.speaker.to(device))


class LabelledSampler:
    """The batches of `PairSampler` with their speakers' labels."""

    def __init__(self, speech: ClipCache, noise: ClipCache | None, batch: int, seed: int) -> None:
        self.pairs = PairSampler(speech, noise, batch, seed)
        names, self.labels = np.unique(speaker_names(speech), return_inverse=True)
        self.speakers = len(names)

    @property
    def steps_per_epoch(self) -> int:
        return self.pairs.steps_per_epoch

    def at(self, step: int) -> LabelledBatch:
        labels = self.labels[self.pairs.clips_at(step)]
        return LabelledBatch(self.pairs.at(step), torch.from_numpy(labels))


def speaker_names(speech: ClipCache) -> Sequence[str]:
    """`corpus/speaker` of each clip: equal names in two corpora are different people.

    Raises:
        ValueError: the speaker of a clip is unknown.
    """
    unknown = [clip.path.name for clip in speech.clips if not clip.speaker]
    if unknown:
        raise ValueError(f"Training with labels needs the speaker of {unknown[0]}: add it to metadata.tsv.")
    return [f"{clip.corpus}/{clip.speaker}" for clip in speech.clips]


class SpeakerClassifier(nn.Module):
    """The network and what it is trained on."""

    def __init__(self, settings: EcapaSettings, speakers: int) -> None:
        super().__init__()
        self.settings = settings
        self.frontend = LogMel(FRONTENDS[settings.frontend])
        self.model = EcapaTdnn(
            self.frontend.settings.mels,
            settings.channels,
            settings.res2_scale,
            settings.bottleneck,
            settings.width,
        )
        self.W = nn.Parameter(nn.init.xavier_uniform_(torch.empty(speakers, settings.width)))

    def embed(self, waveform: Tensor) -> Tensor:
        """(batch, samples) → unit embeddings (batch, width)."""
        return F.normalize(self.model(self.frontend(waveform)).float(), dim=1)

    def forward(self, batch: LabelledBatch, generator: torch.Generator) -> dict[str, Tensor]:
        """`loss`, a scalar, over both crops of each recording."""
        s = self.settings
        waveform = torch.cat([batch.pair.first, batch.pair.second])
        if s.acoustics is not None:
            with torch.no_grad():
                waveform = degrade(waveform, batch.pair.noise, generator, s.acoustics)
        with torch.no_grad():
            mel = self.frontend(waveform)
        embedding = F.normalize(self.model(mel).float(), dim=1)
        with torch.autocast(waveform.device.type, enabled=False):  # bf16 is too coarse for an angle
            cosine = embedding @ F.normalize(self.W, dim=1).T
        return {"loss": aam_softmax(cosine, batch.speaker.repeat(2), s.margin, s.scale)}
