"""Measures, one file a family; plain numpy arrays in, numbers out."""

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
    "inception_score",
    "jemmig",
    "labelled_crops",
    "mig",
    "min_dcf",
    "modularity",
    "sap",
]
