"""How much the codes of a trained model tell about timbre, amplitude and frequency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from bundle.arrays import Float64
from trainer.metrics import disentanglement
from trainer.metrics.information import binned, mutual_information
from trainer.syntone.dataset import FACTORS, SynTone
from trainer.syntone.objectives import AutodecomposeVAE, Material, SynToneModel

NOMINAL = (FACTORS.index("timbre"),)  # its numbers are only names
ACTIVE_VARIANCE = 0.01  # below it a VAE's code has collapsed onto the prior (Burda et al. 2016)
_BATCH = 500
_LEARNT = 8000  # clips that a probe learns from, at most
_NEIGHBOURS = 5


@dataclass(frozen=True)
class CodeMeasures:
    """The figures of one trained model, ready for JSON."""

    scores: dict[str, float]  # fields of trainer.metrics.Disentanglement, codes against factors
    swapped: dict[str, float]  # the same with the arguments exchanged, as in the paper's evaluator
    told: list[list[float]]  # (codes, factors): mutual information over the factor's entropy
    known: dict[str, list[float]]  # a part of the codes → timbre accuracy, R² of amplitude and of frequency
    explained: float  # share of the features' variance that decoding the codes gives back
    explained_trained: float  # the same of the clips that were trained on

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@torch.no_grad()
def measure(model: SynToneModel, material: Material) -> CodeMeasures:
    """Over the clips that are held out. The codes are the means of q(z|x), without noise."""
    codes_parts, error_parts = [], []
    for x in torch.split(material.features, _BATCH):
        codes_parts.append(model.codes(x))
        error_parts.append((model.decode(codes_parts[-1]) - x).square().flatten(1).sum(1))
    grid, held_out = material.grid, material.held_out
    codes, error = torch.cat(codes_parts), torch.cat(error_parts)
    features = material.features
    spread = (features - features.mean(0)).square().flatten(1).sum(1)
    factors, tested = grid.factors[held_out], codes.numpy()[held_out]
    known = {"all codes": what_is_known(codes, grid)}
    if isinstance(model, AutodecomposeVAE):
        half = model.timbre.latents
        known |= {"timbre encoder": what_is_known(codes[:, :half], grid)}
        known |= {"pitch encoder": what_is_known(codes[:, half:], grid)}
    return CodeMeasures(
        asdict(disentanglement(tested, factors, nominal=NOMINAL, min_variance=ACTIVE_VARIANCE)),
        asdict(disentanglement(factors, tested)),
        told(tested, factors).tolist(),
        known,
        *(float(1 - error[part].sum() / spread[part].sum()) for part in (held_out, ~held_out)),
    )


def told(codes: ArrayLike, factors: Float64) -> Float64:
    """(clips, codes), (clips, factors) → (codes, factors): I(code; factor) / H(factor), with 10 bins."""
    levels = binned(np.asarray(codes, dtype=np.float64), 10)
    timbres = factors[:, 0].astype(np.int64)
    info = mutual_information(levels, np.stack([timbres, *binned(factors[:, 1:], 10).T], axis=1))
    share: Float64 = info.I / info.H_f
    return share


def what_is_known(codes: Tensor, grid: SynTone, seed: int = 0) -> list[float]:
    """How well all codes together tell each factor: accuracy of timbre, R² of amplitude and of frequency.

    A probe of five nearest neighbours learns from 8,000 clips and is tested on those held out. Silent clips
    have neither timbre nor frequency, so they serve for amplitude only.
    """
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    values, factors, held_out = codes.numpy(), grid.factors, grid.held_out
    scores: list[float] = []
    for column, factor in enumerate(FACTORS):
        sounding = np.ones(len(grid), dtype=bool) if factor == "amplitude" else factors[:, 1] > 0
        train = np.random.default_rng(seed).permutation(np.flatnonzero(sounding & ~held_out))[:_LEARNT]
        test = np.flatnonzero(sounding & held_out)
        probe = (KNeighborsClassifier if column in NOMINAL else KNeighborsRegressor)(_NEIGHBOURS)
        probe.fit(values[train], factors[train, column])
        scores.append(float(probe.score(values[test], factors[test, column])))
    return scores


def mean_and_std(values: Sequence[float]) -> str:
    """The mean, with its standard deviation if there are several values: "0.912 ± 0.004"."""
    if len(values) == 1:
        return f"{values[0]:.3f}"
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"
