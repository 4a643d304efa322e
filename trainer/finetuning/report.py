"""The report of a fine-tuning: what it did, and whether it helped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Verdict = Literal["better", "not_better"]

TARGET_FPR = 0.01  # at whose threshold false accepts are counted
# Smaller differences are noise: a report counts a few hundred crops and pairs.
RATE_TOLERANCE = 0.01
SEPARATION_TOLERANCE = 0.002
STRANGERS_TOLERANCE = 1.5  # false accepts may grow by this factor, a point at most, and by two pairs


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
    """Measured on recordings that were left out whole. None: there are no labels, or too few recordings."""

    separation: Change | None = None  # how often a crop is nearer to its recording than to other voices
    identification: Change | None = None  # share of left-out crops that get their speaker's name
    f1: Change | None = None  # the same as macro F1
    eer: Change | None = None  # equal error rate of pairs of recordings
    false_accepts: Change | None = None  # of pairs of two speakers, at the threshold for 1 %
    stranger_pairs: int = 0  # behind `false_accepts`
    reconstruction: Change | None = None  # mean squared error of mel crops; None: no steps
    barlow_twins: Change | None = None  # loss of the agreement of two crops; None: no steps, or no such term

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Measures:
        known = {name: values.get(name) for name in (field.name for field in fields(cls))}
        return cls(
            **{name: Change(**value) if isinstance(value, dict) else value for name, value in known.items()}
            | {"stranger_pairs": known["stranger_pairs"] or 0}
        )


@dataclass(frozen=True)
class FinetuneReport:
    """Returned to the caller, and stored as `metrics.finetune` in the new version's bundle.json."""

    verdict: Verdict
    reason: str
    measures: Measures
    recordings: int
    left_out: int  # recordings that the measures are of
    voices: int  # that the job seems to hold, by clustering
    seconds: float  # of audio
    steps: int
    map_error: float  # mean 1 − cosine of voices that the linear map carries over from the parent
    skipped: list[str]  # why a file was not used
    took_s: dict[str, float]  # seconds of each part before the export

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FinetuneReport:
        older = {"left_out": 0, "voices": 0}
        return cls(**{**older, **values, "measures": Measures.from_json(values["measures"])})


def judge(measures: Measures) -> tuple[Verdict, str]:
    """The verdict, and why in words.

    A version that lets more strangers in is not better. Otherwise the first measure that changed decides:
    names and pairs of labelled speakers if there are some, then telling recordings apart.
    """
    strangers = measures.false_accepts
    reasons: list[str] = []
    if strangers is not None:
        usual, two_pairs = max(strangers.before, TARGET_FPR), 2 / max(measures.stranger_pairs, 1)
        allowed = min(STRANGERS_TOLERANCE * usual, usual + RATE_TOLERANCE) + two_pairs
        reasons.append(f"false accepts at the threshold for {TARGET_FPR:.0%} {_went(strangers)}")
        if strangers.after > allowed:
            return "not_better", _sentence(reasons)
    for name, change, tolerance, sign in (
        ("F1 of naming speakers", measures.f1, RATE_TOLERANCE, 1),
        ("the equal error rate", measures.eer, RATE_TOLERANCE, -1),
        ("telling recordings apart", measures.separation, SEPARATION_TOLERANCE, 1),
    ):
        if change is None:
            continue
        if abs(change.gain) > tolerance:
            reasons.insert(0, f"{name} {_went(change)}")
            return ("better" if sign * change.gain > 0 else "not_better"), _sentence(reasons)
        reasons.append(f"{name} {_went(change)}, which is no difference")
    if not reasons:
        reasons.append("there are no two voices to tell apart, so whether voices gained is unknown")
    return "not_better", _sentence(reasons)


def _went(change: Change) -> str:
    return f"went from {100 * change.before:.1f} % to {100 * change.after:.1f} %"


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
