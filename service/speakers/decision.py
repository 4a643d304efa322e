"""Who of the enrolled a voice is, or nobody: the one decision behind /identify and /diarize."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.speakers.index import VoiceIndex
from service.tenants import shown


@dataclass(frozen=True)
class Strictness:
    """How surely a voice has to be recognised."""

    target_fpr: float  # rate at which unknown voices may be accepted
    score: float | None = None  # least score to accept; replaces `target_fpr`
    narrow: bool = False  # whether the voice came over a narrow line

    def threshold(self, scorer: Scorer, *, seconds: float, voices: int = 1) -> float:
        """The least score to accept for `seconds` of speech against `voices` enrolled voices."""
        if self.score is not None:
            return self.score
        return scorer.threshold(self.target_fpr, seconds=seconds, voices=voices, narrow=self.narrow)


@dataclass(frozen=True)
class Candidate:
    """An enrolled speaker, compared with a voice."""

    speaker_id: str  # as the tenant knows it
    name: str | None
    score: float
    probability: float  # that both are one voice, at equal prior


@dataclass(frozen=True)
class Decision:
    """The enrolled speakers that resemble a voice most, and whether the first of them is accepted."""

    candidates: tuple[Candidate, ...]  # best first
    threshold: float
    searched: int  # voices that were compared
    stale: int  # enrolled speakers that could not be compared

    @property
    def match(self) -> Candidate | None:
        """The best candidate, if its score reaches the threshold."""
        best = self.candidates[0] if self.candidates else None
        return best if best and best.score >= self.threshold else None


def decide(
    index: VoiceIndex,
    voice: Float32,
    *,
    seconds: float,
    strictness: Strictness,
    tenant: str,
    among: Collection[str] | None = None,
    top_k: int = 5,
) -> Decision:
    """Compares a unit voice (dim,), made from `seconds` of speech, with every voice of a tenant. Blocks.

    `among` are the stored ids that it keeps to; None: all of the tenant. The threshold follows their number.
    """
    searched, stale = index.counts(tenant, among)
    candidates = tuple(
        Candidate(
            shown(hit.speaker_id),
            hit.name,
            hit.score,
            index.scorer.probability(hit.score, seconds=seconds, narrow=strictness.narrow),
        )
        for hit in index.search(voice, top_k, tenant, among)
    )
    threshold = strictness.threshold(index.scorer, seconds=seconds, voices=searched)
    return Decision(candidates, threshold, searched, stale)
