"""What a filled store is asked, and the exact answers, made once for a store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.scale.voices import TENANT, Population
from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.tenants import OPERATOR, Tenant

TOP_K = 5
PROBES = 200
STRANGERS = 50
_VECTORS, _ANSWERS = "questions.npz", "answers.json"

#: For each probe the best voices of a tenant as (stored id, score), best first.
Answers = Sequence[Sequence[tuple[str, float]]]


@dataclass(frozen=True, eq=False)
class Questions:
    """Recordings of enrolled voices and of strangers, and whom an exact search finds."""

    probes: Float32  # (probes, dim) unit; the last are strangers
    strangers: Float32  # (strangers, dim) unit voices that are not enrolled
    answers: Answers  # among the operator's voices
    tenant_answers: Answers  # among the tenant's

    @classmethod
    def about(cls, population: Population, scorer: Scorer) -> Questions:
        """Finds the answers by float32 products over the voices themselves."""
        strangers = population.strangers(STRANGERS)
        probes = np.concatenate([population.probes(PROBES), strangers])
        return cls(probes, strangers, *_exact(population, scorer, probes, (OPERATOR, TENANT)))

    def save(self, folder: Path) -> None:
        """Writes them beside the store."""
        np.savez(folder / _VECTORS, probes=self.probes, strangers=self.strangers)
        (folder / _ANSWERS).write_text(json.dumps([self.answers, self.tenant_answers]))

    @classmethod
    def load(cls, folder: Path) -> Questions:
        """Reads what `save` wrote."""
        with np.load(folder / _VECTORS) as vectors:
            return cls(vectors["probes"], vectors["strangers"], *json.loads((folder / _ANSWERS).read_text()))


def _exact(
    population: Population, scorer: Scorer, probes: Float32, tenants: Sequence[Tenant]
) -> list[list[list[tuple[str, float]]]]:
    """The best voices for each tenant and probe."""
    best: list[list[list[tuple[str, float]]]] = [[[] for _ in probes] for _ in tenants]
    centred = scorer.centred(probes)
    for ids, voices in population.chunks():
        scores = scorer.centred(voices) @ centred.T  # (voices, probes)
        for tenant, lists in zip(tenants, best, strict=True):
            first, end = tenant.ids
            rows = np.flatnonzero([first < speaker_id < end for speaker_id in ids])
            top = rows[np.argpartition(scores[rows], -TOP_K, axis=0)[-TOP_K:]]  # (5, probes)
            for i, column in enumerate(top.T):
                lists[i] += [(ids[row], float(scores[row, i])) for row in column]
                lists[i] = sorted(lists[i], key=lambda answer: -answer[1])[:TOP_K]
    return best
