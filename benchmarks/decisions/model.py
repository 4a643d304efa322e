"""The two models that are compared, behind one interface: recordings → voices, and how scores are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from bundle.scoring import Scorer, Scoring
from bundle.vectors import unit
from trainer.audio.folders import Clip, read_audio
from trainer.bundles.runner import BundleRunner
from trainer.peers.resemblyzer import Resemblyzer
from trainer.scoring.calibration import fit_scoring, pair_scores
from trainer.scoring.embedding import CropEncoder, utterance_crops

RECORDINGS_AT_ONCE = 64


@dataclass(frozen=True)
class Voices:
    """Centred unit embeddings (utterances, dim) and who speaks."""

    vectors: Float32
    speakers: NDArray[np.str_]

    def pairs(self) -> tuple[Float32, Float32]:
        """Scores of every pair of utterances: target (one voice) and nontarget (two)."""
        return pair_scores(self.vectors, list(self.speakers))

    def of(self, names: Sequence[str] | NDArray[np.str_]) -> Voices:
        """The utterances of these speakers."""
        inside = np.isin(self.speakers, names)
        return Voices(self.vectors[inside], self.speakers[inside])


@dataclass(frozen=True)
class ScoredModel:
    name: str
    encode: CropEncoder
    scorer: Scorer

    def voices(self, sums: Float32, speakers: Sequence[str] | NDArray[np.str_]) -> Voices:
        """Sums of crop embeddings (voices, dim) → centred unit voices, as the service compares them."""
        return Voices(self.scorer.centred(unit(sums)), np.asarray(speakers))

    def llr(self, scores: Float32, seconds: float | None = None) -> Float32:
        """Calibrated: natural-log likelihood ratios of one voice against two."""
        calibration = self.scorer.calibration(seconds)
        return calibration.slope * scores + calibration.intercept


def load_ours(bundle: BundleRunner) -> ScoredModel:
    return ScoredModel(bundle.id, bundle.embed, bundle.scorer)


def load_peer(train: Sequence[Clip]) -> ScoredModel:
    """Resemblyzer, with mean, calibration and thresholds fitted as a bundle's are, on the same utterances.

    Raises:
        PeerMissingError: the package is not installed.
        DataError: a file cannot be read.
        ScoringError: the clips have no two utterances of one speaker.
    """
    peer = Resemblyzer.load()
    (sums,) = crop_sums([peer.embed], (read_audio(clip.path) for clip in train))
    speakers = [f"{clip.corpus}/{clip.speaker}" if clip.speaker else "" for clip in train]
    fitted = fit_scoring(unit(sums), speakers, groups=[clip.corpus for clip in train])
    return ScoredModel("Resemblyzer", peer.embed, Scorer(Scoring(**fitted, fitted_on="the same")))


def embed_voices(models: Sequence[ScoredModel], recordings: Recordings) -> list[Voices]:
    """Embeds the recordings with each model."""
    sums = crop_sums([model.encode for model in models], recordings.samples)
    return [
        model.voices(model_sums, recordings.speakers) for model, model_sums in zip(models, sums, strict=True)
    ]


def crop_sums(encoders: Sequence[CropEncoder], recordings: Iterable[Float32]) -> list[Float32]:
    """For each encoder (recordings, dim): the sum of each recording's unit crop embeddings.

    A sum rather than the mean, since a voiceprint is the mean over the crops of several recordings.
    """
    parts: list[list[Float32]] = [[] for _ in encoders]
    for batch in _batched(iter(recordings)):
        crops = [utterance_crops(samples) for samples in batch]
        starts = np.cumsum([0, *map(len, crops[:-1])])
        joined = np.concatenate(crops)
        for part, encode in zip(parts, encoders, strict=True):
            part.append(np.add.reduceat(encode(joined), starts, axis=0))
    return [np.concatenate(part) for part in parts]


def _batched(recordings: Iterator[Float32]) -> Iterator[list[Float32]]:
    while batch := list(islice(recordings, RECORDINGS_AT_ONCE)):
        yield batch
