"""The two error curves over the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float64
from service.calibration.trials import Trials

POINTS = 201


@dataclass(frozen=True, eq=False)
class ErrorCurves:
    """Error rates of trials at thresholds from the lowest score to just above the highest."""

    trials: Trials
    thresholds: Float64  # (POINTS,), ascending
    false_accept: Float64  # (POINTS,) share of strangers that are accepted
    false_reject: Float64  # (POINTS,) share of owners that are refused

    @classmethod
    def of(cls, trials: Trials) -> ErrorCurves:
        """The curves of at least one trial of each kind."""
        scores = np.concatenate([trials.own, trials.strangers])
        thresholds = np.linspace(scores.min(), np.nextafter(scores.max(), 2), POINTS)
        return cls(trials, thresholds, *_rates(trials, thresholds))

    def at(self, threshold: float) -> tuple[float, float]:
        """Share of strangers that are accepted, and of owners that are refused."""
        accepted, refused = _rates(self.trials, np.array([threshold]))
        return float(accepted[0]), float(refused[0])

    def threshold(self, target_fpr: float) -> float:
        """The least threshold that accepts no more strangers: halfway between two of their scores."""
        descending = np.sort(self.trials.strangers)[::-1]
        accepted = int(target_fpr * len(descending) + 1e-9)
        if accepted >= len(descending):
            return float(descending[-1])
        if accepted == 0:
            return float(np.nextafter(descending[0], 2))
        return float((descending[accepted - 1] + descending[accepted]) / 2)

    @property
    def equal(self) -> float:
        """The threshold at which both rates are most alike."""
        scores = np.unique(np.concatenate([self.trials.own, self.trials.strangers]))
        accepted, refused = _rates(self.trials, scores)
        return float(scores[int(np.argmin(np.abs(accepted - refused)))])


def _rates(trials: Trials, thresholds: Float64) -> tuple[Float64, Float64]:
    own, strangers = np.sort(trials.own), np.sort(trials.strangers)
    refused = np.searchsorted(own, thresholds, side="left") / len(own)
    accepted = 1 - np.searchsorted(strangers, thresholds, side="left") / len(strangers)
    return accepted, refused
