"""Exact search over all voiceprints of one model: one matrix product."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.speakers.gallery import unknown
from service.speakers.records import Voiceprints
from service.tenants import owner

_LEAST_CAPACITY = 64


@dataclass(frozen=True)
class Hit:
    """One speaker that a search found."""

    speaker_id: str  # as stored, with its tenant
    name: str | None
    score: float


class VoiceIndex:
    """Centred voiceprints in memory, so that a search is `matrix @ probe`, and all names. Thread-safe.

    It holds the voices of one model only, so voices of two models are never compared.
    """

    def __init__(self, model: str, scorer: Scorer, voiceprints: Voiceprints) -> None:
        self.model = model
        self.scorer = scorer
        self._lock = threading.Lock()
        self.replace(voiceprints)

    def __len__(self) -> int:
        """Number of voices, of all tenants."""
        return len(self._ids)

    @property
    def stale(self) -> int:
        """Number of enrolled speakers that are not searched: they have no voiceprint under the model."""
        return len(self._names) - len(self._ids)

    def counts(self, tenant: str) -> tuple[int, int]:
        """How many voices of a tenant are searched, and how many of its speakers are stale."""
        with self._lock:
            searched = self._searched[tenant]
            return searched, self._enrolled[tenant] - searched

    def replace(self, voiceprints: Voiceprints) -> None:
        """Replaces all voices by these, which are of the same model."""
        scorer, ids = self.scorer, voiceprints.speaker_ids
        matrix = scorer.centred(voiceprints.matrix) if ids else np.zeros((0, scorer.dim), np.float32)
        with self._lock:
            self._names = dict(voiceprints.names)  # of every enrolled speaker, stale ones included
            self._ids = list(ids)
            self._rows = {speaker_id: row for row, speaker_id in enumerate(ids)}
            self._matrix: Float32 = matrix  # (capacity, dim); rows beyond len(ids) are free, and zero
            # Speakers and voices of each tenant, and whose row it is by the tenant's number.
            self._enrolled = Counter(map(owner, self._names))
            self._searched = Counter(map(owner, ids))
            self._numbers = {tenant: number for number, tenant in enumerate(self._searched)}
            self._owners = np.array([self._numbers[owner(i)] for i in ids], np.int32)  # (capacity,)

    def put(self, speaker_id: str, name: str | None, voiceprint: Float32 | None) -> None:
        """Adds or replaces a speaker with a unit voiceprint (dim,), or None if stale. Amortised O(dim)."""
        centred = None if voiceprint is None else self.scorer.centred(voiceprint)
        with self._lock:
            if speaker_id not in self._names:
                self._enrolled[owner(speaker_id)] += 1
            self._names[speaker_id] = name
            if centred is None:
                self._remove_row(speaker_id)
                return
            row = self._rows.get(speaker_id)
            if row is None:
                row = len(self._ids)
                self._reserve(row + 1)
                self._ids.append(speaker_id)
                self._rows[speaker_id] = row
                tenant = owner(speaker_id)
                self._searched[tenant] += 1
                self._owners[row] = self._numbers.setdefault(tenant, len(self._numbers))
            self._matrix[row] = centred

    def remove(self, speaker_id: str) -> None:
        """Removes a speaker, if present, and overwrites the voiceprint."""
        with self._lock:
            if speaker_id in self._names:
                del self._names[speaker_id]
                self._enrolled[owner(speaker_id)] -= 1
            self._remove_row(speaker_id)

    def centred(self, speaker_id: str) -> Float32 | None:
        """The centred voiceprint (dim,), or None if the speaker is stale. Raises NotFound."""
        with self._lock:
            if speaker_id not in self._names:
                raise unknown(speaker_id)
            row = self._rows.get(speaker_id)
            return None if row is None else self._matrix[row].copy()

    def search(self, voice: Float32, top_k: int, tenant: str = "") -> list[Hit]:
        """The `top_k` best scores of a unit voice (dim,) among the voices of a tenant, best first."""
        probe = self.scorer.centred(voice)
        with self._lock:
            n = len(self._ids)
            k = min(top_k, self._searched[tenant])
            if k <= 0:
                return []
            scores = np.clip(self._matrix[:n] @ probe, -1, 1)  # (speakers,)
            if self._searched[tenant] < n:
                scores[self._owners[:n] != self._numbers[tenant]] = -np.inf
            best = np.argpartition(scores, n - k)[n - k :]
            ids = [self._ids[row] for row in best]
            hits = [Hit(i, self._names[i], float(scores[row])) for i, row in zip(ids, best, strict=True)]
        return sorted(hits, key=lambda hit: -hit.score)

    def _remove_row(self, speaker_id: str) -> None:
        row = self._rows.pop(speaker_id, None)
        if row is None:
            return
        self._searched[owner(speaker_id)] -= 1
        last = len(self._ids) - 1
        moved = self._ids.pop()
        if row != last:
            self._ids[row] = moved
            self._rows[moved] = row
            self._matrix[row] = self._matrix[last]
            self._owners[row] = self._owners[last]
        self._matrix[last] = 0

    def _reserve(self, rows: int) -> None:
        capacity, dim = self._matrix.shape
        if rows <= capacity:
            return
        # Doubling: n additions copy fewer than 2n rows.
        grown = np.zeros((max(rows, 2 * capacity, _LEAST_CAPACITY), dim), np.float32)
        grown[:capacity] = self._matrix[:capacity]
        self._matrix = grown
        owners = np.zeros(len(grown), np.int32)
        owners[:capacity] = self._owners[:capacity]
        self._owners = owners
