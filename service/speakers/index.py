"""Exact search over all voiceprints of one model: one matrix product."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from service.speakers.records import FloatArray, Voiceprints
from service.speakers.scoring import Scorer

_LEAST_CAPACITY = 64


@dataclass(frozen=True)
class Hit:
    """One speaker found."""

    speaker_id: str
    score: float


class VoiceIndex:
    """Centred voiceprints in memory, so that a search is `matrix @ probe`. Thread-safe.

    It holds the voices of one model only: a score across models cannot come about.
    """

    def __init__(self, model: str, scorer: Scorer, voiceprints: Voiceprints) -> None:
        self.model = model
        self.scorer = scorer
        self._lock = threading.Lock()
        self._ids = list(voiceprints.speaker_ids)
        self._rows = {speaker_id: row for row, speaker_id in enumerate(self._ids)}
        # (capacity, dim); the rows beyond len(ids) are free, and zero
        self._matrix: FloatArray = (
            scorer.centre(voiceprints.matrix) if self._ids else np.zeros((0, scorer.dim), np.float32)
        )

    def __len__(self) -> int:
        return len(self._ids)

    def put(self, speaker_id: str, voiceprint: FloatArray) -> None:
        """Adds or replaces a unit voiceprint (dim,). Amortised O(dim)."""
        centred = self.scorer.centre(voiceprint)
        with self._lock:
            row = self._rows.get(speaker_id)
            if row is None:
                row = len(self._ids)
                self._reserve(row + 1)
                self._ids.append(speaker_id)
                self._rows[speaker_id] = row
            self._matrix[row] = centred

    def remove(self, speaker_id: str) -> None:
        """Takes a speaker out, if there, and overwrites the voiceprint."""
        with self._lock:
            row = self._rows.pop(speaker_id, None)
            if row is None:
                return
            last = len(self._ids) - 1
            moved = self._ids.pop()
            if row != last:
                self._ids[row] = moved
                self._rows[moved] = row
                self._matrix[row] = self._matrix[last]
            self._matrix[last] = 0

    def search(self, voice: FloatArray, top_k: int) -> list[Hit]:
        """The `top_k` best scores of a unit voice (dim,), best first."""
        probe = self.scorer.centre(voice)
        with self._lock:
            n = len(self._ids)
            k = min(top_k, n)
            if k <= 0:
                return []
            scores = np.clip(self._matrix[:n] @ probe, -1, 1)  # (speakers,)
            best = np.argpartition(scores, n - k)[n - k :]
            hits = [Hit(self._ids[row], float(scores[row])) for row in best]
        return sorted(hits, key=lambda hit: -hit.score)

    def _reserve(self, rows: int) -> None:
        capacity, dim = self._matrix.shape
        if rows <= capacity:
            return
        # Doubling: n additions copy fewer than 2n rows.
        grown = np.zeros((max(rows, 2 * capacity, _LEAST_CAPACITY), dim), np.float32)
        grown[:capacity] = self._matrix[:capacity]
        self._matrix = grown
