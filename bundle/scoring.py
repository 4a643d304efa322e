"""From two voices to a score, a probability and a threshold.

Source of the formulas: docs/architecture.md, "From crops to a score".
"""

from __future__ import annotations

import math
import sys
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, field_validator

from bundle.arrays import Float32
from bundle.vectors import unit


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Calibration(_Part):
    """`slope · score + intercept` is the natural-log likelihood ratio of one voice against two."""

    slope: float = Field(gt=0)
    intercept: float


class OperatingPoint(_Part):
    """The score above which a share `fpr` of other voices is accepted."""

    fpr: float = Field(gt=0, lt=1)
    threshold: float


class BySeconds(_Part):
    """Calibration and false-accept table of probes with so much speech."""

    seconds: float = Field(gt=0)
    calibration: Calibration
    false_accept: tuple[OperatingPoint, ...] = Field(min_length=1)


class Scoring(_Part):
    """How two voice embeddings become a score, and a score a probability."""

    score_type: Literal["centred_cosine"]
    mean: tuple[float, ...]  # (embedding_dim,)
    calibration: Calibration
    false_accept: tuple[OperatingPoint, ...] = Field(min_length=1)
    by_seconds: tuple[BySeconds, ...] = ()  # shortest first; (): the length makes no difference
    min_cohesion: float = -1.0  # an enrolment below it may hold more than one voice
    fitted_on: str

    @field_validator("by_seconds")
    @classmethod
    def _in_order(cls, entries: tuple[BySeconds, ...]) -> tuple[BySeconds, ...]:
        if any(a.seconds >= b.seconds for a, b in pairwise(entries)):
            raise ValueError("the seconds have to grow from entry to entry")
        return entries


def centre(vectors: ArrayLike, mean: ArrayLike) -> Float32:
    """Unit voices (..., dim) with the mean (dim,) of a scoring taken out, unit length again."""
    return unit(np.asarray(vectors, np.float32) - np.asarray(mean, np.float32))


class Scorer:
    """The scoring of a bundle, ready to use.

    `seconds` is always the speech of the probe. None stands for whole recordings of any length, which only
    measurements ask for.
    """

    def __init__(self, scoring: Scoring) -> None:
        self.score_type: str = scoring.score_type
        self.mean: Float32 = np.asarray(scoring.mean, np.float32)  # (dim,)
        self.dim = len(self.mean)
        self.min_cohesion = scoring.min_cohesion
        self._whole = _Entry(scoring.calibration, scoring.false_accept)
        self._by_seconds = [_Entry(entry.calibration, entry.false_accept) for entry in scoring.by_seconds]
        self.entry_seconds = tuple(entry.seconds for entry in scoring.by_seconds)  # (): no length differs
        self._log_seconds = [math.log(seconds) for seconds in self.entry_seconds]

    def centred(self, vectors: Float32) -> Float32:
        """Unit voices (..., dim) centred with the bundle's mean."""
        return centre(vectors, self.mean)

    def score(self, a: Float32, b: Float32) -> float:
        """Score in [-1, 1] of two unit voices (dim,)."""
        return self.score_centred(a, self.centred(b))

    def score_centred(self, voice: Float32, centred: Float32) -> float:
        """The same, of a unit voice and one that is centred already, as an index holds it."""
        return float(np.clip(self.centred(voice) @ centred, -1, 1))

    def calibration(self, seconds: float | None) -> Calibration:
        """Interpolated in log(seconds), clamped to the first and the last entry."""
        entries = self._entries(seconds)
        return Calibration(
            slope=self._at(seconds, [entry.calibration.slope for entry in entries]),
            intercept=self._at(seconds, [entry.calibration.intercept for entry in entries]),
        )

    def probability(self, score: float, *, seconds: float | None) -> float:
        """Probability that the probe and a voice are one, at equal prior."""
        calibration = self.calibration(seconds)
        logit = calibration.slope * score + calibration.intercept
        # The two halves of the logistic function, each where its exponential cannot overflow.
        return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))

    def threshold(self, target_fpr: float, *, seconds: float | None, voices: int = 1) -> float:
        """Least score to accept, so that an unknown voice passes for *any* of `voices` at rate `target_fpr`.

        Interpolated in log(fpr), then in log(seconds); clamped to the tables' ends.

        Raises:
            ValueError: `target_fpr` does not lie between 0 and 1.
        """
        if not 0 < target_fpr < 1:
            raise ValueError(f"target_fpr has to lie between 0 and 1, not {target_fpr}")
        # 1 − (1 − fpr)^(1/N) without the cancellation at large N.
        trial_fpr = -math.expm1(math.log1p(-target_fpr) / max(voices, 1))
        trial_fpr = max(trial_fpr, sys.float_info.min)  # the least rates become 0 when they are divided
        return self._at(seconds, [entry.at_fpr(trial_fpr) for entry in self._entries(seconds)])

    def _entries(self, seconds: float | None) -> list[_Entry]:
        return [self._whole] if seconds is None or not self._by_seconds else self._by_seconds

    def _at(self, seconds: float | None, values: list[float]) -> float:
        """A value an entry → the value at `seconds`, linear in their logarithm, clamped."""
        if seconds is None or len(values) == 1:
            return values[0]
        return float(np.interp(math.log(seconds), self._log_seconds, values))


class _Entry:
    """Calibration and false-accept table of one length of probe."""

    def __init__(self, calibration: Calibration, false_accept: tuple[OperatingPoint, ...]) -> None:
        self.calibration = calibration
        points = sorted((point.fpr, point.threshold) for point in false_accept)
        self._log_fprs = [math.log(fpr) for fpr, _ in points]  # ascending
        self._thresholds = [threshold for _, threshold in points]

    def at_fpr(self, fpr: float) -> float:
        """The threshold at a rate: linear in its logarithm, clamped."""
        return float(np.interp(math.log(fpr), self._log_fprs, self._thresholds))
