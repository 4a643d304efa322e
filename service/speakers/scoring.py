"""From two voices to a score, a probability and a decision: docs/architecture.md, "From crops to a score"."""

from __future__ import annotations

import math

import numpy as np

from service.inference import Scoring
from service.speakers.records import FloatArray, unit_rows


class Scorer:
    """The scoring that a bundle ships, ready to use."""

    def __init__(self, scoring: Scoring) -> None:
        self.score_type: str = scoring.score_type
        self._mean = np.asarray(scoring.mean, np.float32)  # (dim,)
        self.dim = len(self._mean)
        self.min_cohesion = scoring.min_cohesion
        self._slope = scoring.calibration.slope
        self._intercept = scoring.calibration.intercept
        table = sorted((point.fpr, point.threshold) for point in scoring.false_accept)
        self._log_fprs = [math.log(fpr) for fpr, _ in table]
        self._thresholds = [threshold for _, threshold in table]

    def centre(self, x: FloatArray) -> FloatArray:
        """Unit voices (..., dim) with the background mean taken out, unit length again."""
        return unit_rows(x - self._mean)

    def score(self, a: FloatArray, b: FloatArray) -> float:
        """Score in [-1, 1] of two unit voices (dim,)."""
        return float(np.clip(self.centre(a) @ self.centre(b), -1, 1))

    def score_centred(self, voice: FloatArray, centred: FloatArray) -> float:
        """The same, of a unit voice and one that is centred already, as an index holds it."""
        return float(np.clip(self.centre(voice) @ centred, -1, 1))

    def probability(self, score: float) -> float:
        """Probability that two samples with this score are one voice, at equal prior."""
        # The two halves of the logistic function, each where its exponential cannot overflow.
        logit = self._slope * score + self._intercept
        return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))

    def threshold(self, target_fpr: float, *, voices: int = 1) -> float:
        """Least score to accept, so that an unknown voice passes for *any* of `voices` at rate `target_fpr`.

        Interpolated in log(fpr), clamped to the table's ends. Raises ValueError unless 0 < fpr < 1.
        """
        if not 0 < target_fpr < 1:
            raise ValueError(f"target_fpr has to lie between 0 and 1, not {target_fpr}")
        # 1 − (1 − fpr)^(1/N) without the cancellation at large N.
        trial_fpr = -math.expm1(math.log1p(-target_fpr) / max(voices, 1))
        return float(np.interp(math.log(trial_fpr), self._log_fprs, self._thresholds))
