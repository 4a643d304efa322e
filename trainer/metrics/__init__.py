"""Measures of representations, scores and samples, one family a file: numpy arrays in, numbers out.

Verification (EER, minDCF, Cllr), few-shot F1, disentanglement, independence (HSIC), and
generation (Inception Score, FID).
"""

from trainer.metrics.disentanglement import (
    Disentanglement,
    active_codes,
    dcimig,
    disentanglement,
    jemmig,
    mig,
    modularity,
    sap,
)
from trainer.metrics.few_shot import FewShot, few_shot, labelled_crops
from trainer.metrics.generation import frechet_distance, inception_score
from trainer.metrics.independence import hsic, hsic_floor, linear_r2
from trainer.metrics.verification import act_dcf, cllr, det_points, detection_rate, eer, min_dcf

__all__ = [
    "Disentanglement",
    "FewShot",
    "act_dcf",
    "active_codes",
    "cllr",
    "dcimig",
    "det_points",
    "detection_rate",
    "disentanglement",
    "eer",
    "few_shot",
    "frechet_distance",
    "hsic",
    "hsic_floor",
    "inception_score",
    "jemmig",
    "labelled_crops",
    "linear_r2",
    "mig",
    "min_dcf",
    "modularity",
    "sap",
]
