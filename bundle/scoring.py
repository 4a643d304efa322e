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


class Fitted(_Part):
    """How scores of one kind of probe are read."""

    calibration: Calibration
    false_accept: tuple[OperatingPoint, ...] = Field(min_length=1)
    by_seconds: tuple[BySeconds, ...] = ()  # shortest first; (): the length makes no difference

    @field_validator("by_seconds")
    @classmethod
    def _in_order(cls, entries: tuple[BySeconds, ...]) -> tuple[BySeconds, ...]:
        if any(a.seconds >= b.seconds for a, b in pairwise(entries)):
            raise ValueError("the seconds have to grow from entry to entry")
        return entries


class Narrow(Fitted):
    """Probes that came over a narrow line, such as a telephone's."""

    shift: tuple[float, ...]  # (embedding_dim,): what the line adds to a voice's embedding, on average


class Scoring(Fitted):
    """How two voice embeddings become a score, and a score a probability."""

    score_type: Literal["centred_cosine"]
    mean: tuple[float, ...]  # (embedding_dim,)
    min_cohesion: float = -1.0  # an enrolment below it may hold more than one voice
    narrow: Narrow | None = None  # None: narrow lines are not told from others
    fitted_on: str


def centre(vectors: ArrayLike, mean: ArrayLike) -> Float32:
    """Unit voices (..., dim) with the mean (dim,) of a scoring taken out, unit length again."""
    return unit(np.asarray(vectors, np.float32) - np.asarray(mean, np.float32))


class Scorer:
    """The scoring of a bundle, ready to use.

    `seconds` is always the speech of the probe. None stands for whole recordings of any length, which only
    measurements ask for. `narrow` says that the probe came over a narrow line.
    """

    def __init__(self, scoring: Scoring) -> None:
        self.score_type: str = scoring.score_type
        self.mean: Float32 = np.asarray(scoring.mean, np.float32)  # (dim,)
        self.dim = len(self.mean)
        self.min_cohesion = scoring.min_cohesion
        self.entry_seconds = tuple(entry.seconds for entry in scoring.by_seconds)  # (): no length differs
        self._wide = _Tables(scoring)
        self._narrow = _Tables(scoring.narrow) if scoring.narrow else self._wide
        self._shift = np.asarray(scoring.narrow.shift, np.float32) if scoring.narrow else None  # (dim,)

    def without_line(self, voices: Float32) -> Float32:
        """Unit voices (..., dim) of a narrow recording, moved to where wide ones of the same people lie."""
        return voices if self._shift is None else unit(voices - self._shift)

    def centred(self, vectors: Float32) -> Float32:
        """Unit voices (..., dim) centred with the bundle's mean."""
        return centre(vectors, self.mean)

    def score(self, a: Float32, b: Float32) -> float:
        """Score in [-1, 1] of two unit voices (dim,)."""
        return self.score_centred(a, self.centred(b))

    def score_centred(self, voice: Float32, centred: Float32) -> float:
        """The same, of a unit voice and one that is centred already, as an index holds it."""
        return float(np.clip(self.centred(voice) @ centred, -1, 1))

    def calibration(self, seconds: float | None, *, narrow: bool = False) -> Calibration:
        """Interpolated in log(seconds), clamped to the first and the last entry."""
        tables = self._narrow if narrow else self._wide
        entries = tables.entries(seconds)
        return Calibration(
            slope=tables.at(seconds, [entry.calibration.slope for entry in entries]),
            intercept=tables.at(seconds, [entry.calibration.intercept for entry in entries]),
        )

    def probability(self, score: float, *, seconds: float | None, narrow: bool = False) -> float:
        """Probability that the probe and a voice are one, at equal prior."""
        calibration = self.calibration(seconds, narrow=narrow)
        logit = calibration.slope * score + calibration.intercept
        # The two halves of the logistic function, each where its exponential cannot overflow.
        return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))

    def threshold(
        self, target_fpr: float, *, seconds: float | None, voices: int = 1, narrow: bool = False
    ) -> float:
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
        tables = self._narrow if narrow else self._wide
        return tables.at(seconds, [entry.at_fpr(trial_fpr) for entry in tables.entries(seconds)])


class _Tables:
    """Calibration and false-accept tables of one kind of probe, by its seconds."""

    def __init__(self, fitted: Fitted) -> None:
        self._whole = _Entry(fitted.calibration, fitted.false_accept)
        self._by_seconds = [_Entry(entry.calibration, entry.false_accept) for entry in fitted.by_seconds]
        self._log_seconds = [math.log(entry.seconds) for entry in fitted.by_seconds]

    def entries(self, seconds: float | None) -> list[_Entry]:
        return [self._whole] if seconds is None or not self._by_seconds else self._by_seconds

    def at(self, seconds: float | None, values: list[float]) -> float:
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
