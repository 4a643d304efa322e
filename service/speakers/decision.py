"""Who of the enrolled a voice is, or nobody: the one decision behind /identify and /diarize."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bundle.arrays import Float32
from bundle.bandwidth import Line
from service.speakers.index import VoiceIndex
from service.speakers.thresholds import StoredThreshold
from service.tenants import shown

#: A threshold that only a recording itself reaches.
NOBODY = 1.0


@dataclass(frozen=True)
class Strictness:
    """How surely a voice has to be recognised."""

    target_fpr: float  # rate at which unknown voices may be accepted
    score: float | None = None  # least score to accept; replaces `target_fpr`
    line: Line = Line.WIDE  # that the voice came over
    stored: Sequence[StoredThreshold | None] = ()  # of the collections that are searched; None: it has none

    def limit(self, index: VoiceIndex, *, seconds: float, voices: int = 1) -> Limit:
        """The least score to accept for `seconds` of speech against `voices` enrolled voices.

        Stored thresholds of the index's model replace `target_fpr`, the highest of them for all. If one of
        the collections has none, the threshold is at least that of `target_fpr`.
        """
        if self.score is not None:
            return Limit(self.score)
        if self.line is Line.FILTERED:
            return Limit(NOBODY)
        scorer = index.scorer
        general = Limit(
            scorer.threshold(self.target_fpr, seconds=seconds, voices=voices, narrow=self.line.narrow)
        )
        limits = []
        for threshold in self.stored:
            if threshold is None or threshold.model != index.model:
                limits.append(general)
                continue
            # It was measured on single comparisons. Among many voices it rises as the model's own does.
            alone, among_many = (
                scorer.threshold(threshold.rate, seconds=seconds, voices=count, narrow=self.line.narrow)
                for count in (1, voices)
            )
            limits.append(Limit(threshold.threshold + among_many - alone, threshold.collection))
        return max(limits, key=lambda limit: limit.score, default=general)

    def warnings(self, index: VoiceIndex) -> list[str]:
        """Which stored thresholds do not count."""
        return [
            f"The threshold of the collection {threshold.collection!r} was measured with {threshold.model}, "
            f"and {index.model} serves: it does not count. Measure it anew with POST /calibrate."
            for threshold in self.stored
            if threshold is not None and threshold.model != index.model
        ]


@dataclass(frozen=True)
class Limit:
    """A least score, and where it comes from."""

    score: float
    collection: str | None = None  # whose stored threshold it is


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
    limit: Limit
    searched: int  # voices that were compared
    stale: int  # enrolled speakers that could not be compared

    @property
    def match(self) -> Candidate | None:
        """The best candidate, if its score reaches the threshold."""
        best = self.candidates[0] if self.candidates else None
        return best if best and best.score >= self.limit.score else None


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
            index.scorer.probability(hit.score, seconds=seconds, narrow=strictness.line.narrow),
        )
        for hit in index.search(voice, top_k, tenant, among)
    )
    limit = strictness.limit(index, seconds=seconds, voices=searched)
    return Decision(candidates, limit, searched, stale)
