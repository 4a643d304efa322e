"""From two voices to a score, a probability and a decision: docs/architecture.md, "From crops to a score"."""

from __future__ import annotations

import math

import numpy as np

from service.inference import BySeconds, Scoring
from service.speakers.records import FloatArray, unit_rows


class Scorer:
    """The scoring that a bundle ships, ready to use."""

    def __init__(self, scoring: Scoring) -> None:
        self.score_type: str = scoring.score_type
        self._mean = np.asarray(scoring.mean, np.float32)  # (dim,)
        self.dim = len(self._mean)
        self.min_cohesion = scoring.min_cohesion
        # Without entries by length a single one, of any length: clamping makes it hold for all.
        entries = scoring.by_seconds or (
            BySeconds(seconds=1, calibration=scoring.calibration, false_accept=scoring.false_accept),
        )
        self._log_seconds = [math.log(entry.seconds) for entry in entries]
        self._slopes = [entry.calibration.slope for entry in entries]
        self._intercepts = [entry.calibration.intercept for entry in entries]
        self._tables = [_table(entry) for entry in entries]

    def centre(self, x: FloatArray) -> FloatArray:
        """Unit voices (..., dim) with the background mean taken out, unit length again."""
        return unit_rows(x - self._mean)

    def score(self, a: FloatArray, b: FloatArray) -> float:
        """Score in [-1, 1] of two unit voices (dim,)."""
        return float(np.clip(self.centre(a) @ self.centre(b), -1, 1))

    def score_centred(self, voice: FloatArray, centred: FloatArray) -> float:
        """The same, of a unit voice and one that is centred already, as an index holds it."""
        return float(np.clip(self.centre(voice) @ centred, -1, 1))

    def probability(self, score: float, *, seconds: float) -> float:
        """Probability that a probe with `seconds` of speech and a voice are one, at equal prior."""
        logit = self._at(seconds, self._slopes) * score + self._at(seconds, self._intercepts)
        # The two halves of the logistic function, each where its exponential cannot overflow.
        return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))

    def threshold(self, target_fpr: float, *, seconds: float, voices: int = 1) -> float:
        """Least score to accept, so that an unknown voice passes for *any* of `voices` at rate `target_fpr`.

        Interpolated in log(fpr), then in log(seconds) of the probe's speech; clamped to the tables' ends.
        Raises ValueError unless 0 < fpr < 1.
        """
        if not 0 < target_fpr < 1:
            raise ValueError(f"target_fpr has to lie between 0 and 1, not {target_fpr}")
        # 1 − (1 − fpr)^(1/N) without the cancellation at large N.
        trial_fpr = -math.expm1(math.log1p(-target_fpr) / max(voices, 1))
        return self._at(
            seconds,
            [float(np.interp(math.log(trial_fpr), log_fprs, values)) for log_fprs, values in self._tables],
        )

    def _at(self, seconds: float, values: list[float]) -> float:
        """One value an entry → the value at `seconds`, linear in their logarithm, clamped."""
        return float(np.interp(math.log(seconds), self._log_seconds, values))


def _table(entry: BySeconds) -> tuple[list[float], list[float]]:
    """log(fpr), ascending, and the thresholds."""
    points = sorted((point.fpr, point.threshold) for point in entry.false_accept)
    return [math.log(fpr) for fpr, _ in points], [threshold for _, threshold in points]
