"""Measures, one file a family; plain numpy arrays in, numbers out."""

from trainer.metrics.few_shot import FewShot, few_shot, labelled_crops
from trainer.metrics.verification import act_dcf, cllr, det_points, detection_rate, eer, min_dcf

__all__ = [
    "FewShot",
    "act_dcf",
    "cllr",
    "det_points",
    "detection_rate",
    "eer",
    "few_shot",
    "labelled_crops",
    "min_dcf",
]
