"""The figures of one model under one condition, and the rows they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.model import ScoredModel, Voices
from trainer.metrics import act_dcf, cllr, eer, min_dcf

TARGET_FPR = 0.01


@dataclass(frozen=True)
class DecisionFigures:
    eer: float  # per cent
    min_dcf: float  # at a target prior of 0.01, as act_dcf
    act_dcf: float  # at the Bayes threshold of the calibrated score
    cllr: float  # bits
    false_accepts: float  # per cent, at the model's own 1 % threshold
    misses: float  # per cent, at the same
    target: int  # pairs of one voice
    nontarget: int  # pairs of two


HEADER = ("EER, %", "minDCF", "actual DCF", "Cllr", "false accepts at 1 %", "misses there")


def figures(model: ScoredModel, voices: Voices) -> DecisionFigures | None:
    """Over every pair of utterances; None without both kinds of pair."""
    target, nontarget = voices.pairs()
    if target.size == 0 or nontarget.size == 0:
        return None
    threshold = model.scorer.threshold(TARGET_FPR, seconds=None)
    llrs = model.llr(target), model.llr(nontarget)
    return DecisionFigures(
        eer=100 * eer(target, nontarget),
        min_dcf=min_dcf(target, nontarget),
        act_dcf=act_dcf(*llrs),
        cllr=cllr(*llrs),
        false_accepts=100 * float(np.mean(nontarget >= threshold)),
        misses=100 * float(np.mean(target < threshold)),
        target=int(target.size),
        nontarget=int(nontarget.size),
    )


def cells(models: Sequence[DecisionFigures | None]) -> list[str]:
    """One cell a measure of `HEADER`, the models' figures in their order."""
    formats = (
        ("eer", ".2f"),
        ("min_dcf", ".3f"),
        ("act_dcf", ".2f"),
        ("cllr", ".3f"),
        ("false_accepts", ".2f"),
        ("misses", ".1f"),
    )
    return [
        " / ".join(
            format(getattr(figures_of_model, name), spec) if figures_of_model else "–"
            for figures_of_model in models
        )
        for name, spec in formats
    ]
