"""Pairs of recordings under a condition, and the error rates over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.decisions.figures import TARGET_FPR
from benchmarks.decisions.model import Voices
from bundle.arrays import Float32
from bundle.scoring import Scorer
from trainer.metrics import eer

Rates = dict[str, float]  # per cent: eer, false_accepts and misses at the threshold for 1 %


def both_sides(degraded: Voices) -> tuple[Float32, Float32]:
    """Every pair of degraded recordings: scores of one voice, scores of two."""
    return degraded.pairs()


def one_side(clean: Voices, degraded: Voices) -> tuple[Float32, Float32]:
    """Every recording as it is against every other one degraded."""
    scores = clean.vectors @ degraded.vectors.T
    same = clean.speakers[:, None] == degraded.speakers[None, :]
    other = ~np.eye(len(scores), dtype=bool)
    return scores[same & other], scores[~same]


def rates(scorer: Scorer, target: Float32, nontarget: Float32, *, narrow: bool = False) -> Rates:
    """Error rates at the threshold that the model promises one stranger in a hundred for.

    Args:
        narrow: the probes came over narrow lines.
    """
    threshold = scorer.threshold(TARGET_FPR, seconds=None, narrow=narrow)
    return {
        "eer": 100 * eer(target, nontarget),
        "false_accepts": 100 * float(np.mean(nontarget >= threshold)),
        "misses": 100 * float(np.mean(target < threshold)),
    }


def geometric_mean_of_ratios(ours: Sequence[float], theirs: Sequence[float], least: float) -> float:
    """Of EERs in per cent, row by row; nothing counts as better than `least`."""
    ratios = [max(eer, least) / max(peer_eer, least) for eer, peer_eer in zip(ours, theirs, strict=True)]
    return float(np.exp(np.mean(np.log(ratios))))
