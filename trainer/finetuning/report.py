"""The report of a fine-tuning: what it did, and whether it helped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["better", "not_better"]

# Smaller differences are noise: identification counts a few hundred crops, separation thousands of pairs.
IDENTIFICATION_TOLERANCE = 0.01
SEPARATION_TOLERANCE = 0.002


@dataclass(frozen=True)
class Change:
    """One measure of the parent and of the new version."""

    before: float
    after: float

    @property
    def gain(self) -> float:
        return self.after - self.before


@dataclass(frozen=True)
class Measures:
    """Measured on audio of the job that was set aside. Identification also uses the audio trained on."""

    reconstruction: Change  # mean squared error of mel crops; lower is better
    barlow_twins: Change | None  # loss of the agreement of two crops; None: the model has no such term
    separation: Change | None  # how often a crop is nearer to its recording than to others; None: no pairs
    identification: Change | None  # leave-one-out accuracy of labelled speakers; None: fewer than two

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Measures:
        return cls(**{name: value and Change(**value) for name, value in values.items()})


@dataclass(frozen=True)
class FinetuneReport:
    """Returned to the caller, and stored as `metrics.finetune` in the new version's bundle.json."""

    verdict: Verdict
    reason: str
    measures: Measures
    recordings: int
    seconds: float  # of audio
    steps: int
    map_error: float  # mean 1 − cosine of voices that the linear map carries over from the parent
    skipped: list[str]  # why a file was left out
    took_s: dict[str, float]  # seconds of each part before the export

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FinetuneReport:
        return cls(**{**values, "measures": Measures.from_json(values["measures"])})


def judge(measures: Measures) -> tuple[Verdict, str]:
    """The verdict, and why in words.

    Telling voices apart decides: labelled speakers if there are some, otherwise recordings. A lower loss
    alone never makes a version better: the model may have learned this audio by heart.
    """
    reasons: list[str] = []
    for name, change, tolerance in (
        ("leave-one-out identification", measures.identification, IDENTIFICATION_TOLERANCE),
        ("telling recordings apart", measures.separation, SEPARATION_TOLERANCE),
    ):
        if change is None:
            continue
        text = f"{name} went from {100 * change.before:.1f} % to {100 * change.after:.1f} %"
        if abs(change.gain) > tolerance:
            reasons.append(text)
            return ("better" if change.gain > 0 else "not_better"), _sentence(reasons)
        reasons.append(f"{text}, which is no difference")
    if not reasons:
        reasons.append(
            "there are no two recordings or speakers to tell apart, so whether voices gained is unknown"
        )
    loss, change = (
        ("agreement of two crops", measures.barlow_twins)
        if measures.barlow_twins
        else ("reconstruction", measures.reconstruction)
    )
    reasons.append(f"the loss of the {loss} went from {change.before:.4g} to {change.after:.4g}")
    return "not_better", _sentence(reasons)


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
