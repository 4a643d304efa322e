"""Who is measured: bundles, two floors that have learnt nothing, and the peer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions.figures import TARGET_FPR
from benchmarks.decisions.model import ScoredModel, crop_sums, load_ours
from benchmarks.voice.floors import floor_models
from bundle.arrays import Float32
from bundle.scoring import Scorer, Scoring
from bundle.vectors import unit
from trainer.audio.folders import Clip, read_audio, read_folder, read_noise
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.runner import BundleRunner
from trainer.bundles.voice import fit_voice
from trainer.peers.resemblyzer import Resemblyzer
from trainer.scoring.calibration import fit_scoring
from trainer.scoring.embedding import CropEncoder

FLOORS, PEER = ("no network", "untrained"), "Resemblyzer"
#: What whitening, mean and thresholds of the floors and the peer are fitted on, and every n-th
#: recording of it; one without a label counts for the mean only.
FITTED_ON = {"librispeech": 1, "speechocean762": 4, "crowd": 4}
PEER_RMS = 10 ** (-30 / 20)  # quieter recordings are raised to this, as its own preprocessing does


@dataclass(frozen=True, eq=False)
class Column:
    """A model that is loaded, or fitted, when a figure of it is first wanted."""

    name: str
    made_with: dict[str, Any]  # what its figures depend on, of JSON
    fit: Callable[[], ScoredModel]

    @cached_property
    def model(self) -> ScoredModel:
        return self.fit()


def columns(
    bundles: Sequence[Path],
    data: Path,
    *,
    with_peer: bool = True,
    fitted_on: Mapping[str, int] = FITTED_ON,
) -> list[Column]:
    """The models, in the table's order. Those that need a fit get it on every n-th recording of some corpora.

    Raises:
        BundleError: a bundle cannot be used.
        PeerMissingError: the peer is wanted and not installed.
    """
    made: dict[str, Any] = {"fitted_on": dict(fitted_on)}
    clips = partial(_train, data, fitted_on)
    models = [bundle_column(BundleRunner.load(folder, threads=1)) for folder in bundles]
    models += [Column(name, made, partial(_floor, name, data, clips)) for name in FLOORS]
    if with_peer:
        peer = Resemblyzer.load()
        models.append(Column(PEER, made, partial(_peer, peer, clips)))
    return models


def bundle_column(bundle: BundleRunner) -> Column:
    """Its figures depend on the encoder and on the scoring."""
    made = {
        "voice": bundle.manifest.files["voice"].sha256,
        "threshold": bundle.scorer.threshold(TARGET_FPR, seconds=None),
        "mean": bundle.manifest.scoring.mean[:3],
    }
    if narrow := bundle.manifest.scoring.narrow:
        made["narrow"] = narrow.shift[:3]
    return Column(bundle.id, made, lambda: load_ours(bundle))


def _floor(name: str, data: Path, clips: Callable[[], list[Clip]]) -> ScoredModel:
    """What nothing was learnt for, whitened as an export does it."""
    model = floor_models(TrainSettings())[name]
    fit = fit_voice(model, clips(), read_noise(data / "noise", "train"))
    return ScoredModel(name, lambda crops: fit.whitening(model.encode(crops)), Scorer(Scoring(**fit.scoring)))


def _peer(peer: Resemblyzer, clips: Callable[[], list[Clip]]) -> ScoredModel:
    """With mean and thresholds fitted as a bundle's are, on the same recordings."""
    encode, train = at_its_level(peer.embed), clips()
    (sums,) = crop_sums([encode], (read_audio(clip.path) for clip in train))
    speakers = [f"{clip.corpus}/{clip.speaker}" if clip.speaker else "" for clip in train]
    fitted = fit_scoring(unit(sums), speakers, groups=[clip.corpus for clip in train])
    return ScoredModel(PEER, encode, Scorer(Scoring(**fitted, fitted_on="train speakers")))


def _train(data: Path, fitted_on: Mapping[str, int]) -> list[Clip]:
    return [clip for name, step in fitted_on.items() for clip in read_folder(data / name, "train")[::step]]


def at_its_level(embed: CropEncoder) -> CropEncoder:
    """Resemblyzer's own rule for levels, crop by crop."""

    def encode(crops: Float32) -> Float32:
        rms = np.sqrt((crops**2).mean(axis=1, keepdims=True) + 1e-12)
        return embed(np.asarray(crops * np.maximum(PEER_RMS / rms, 1), np.float32))

    return encode
