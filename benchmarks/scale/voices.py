"""Synthetic voices with the spread of real ones, enrolled through the store's own code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.speakers import Embedding, NewUtterance, SqliteGallery
from service.tenants import Tenant

#: Every tenth voice belongs to this tenant; the others are the operator's.
TENANT = Tenant("acme")
_TENTH = 10
_CHUNK = 10_000
_NORMAL_QUANTILE = 2.33  # of the 1 % that a threshold at 1 % false accepts leaves
_SCATTER = 6_180_339  # has no factor of ten: no two numbers below ten million get the same id
_SAME_VOICE = 0.8  # cosine of a probe and its voice, before centring


@dataclass(frozen=True)
class Population:
    """Voices whose scores against each other spread as those of real strangers do under a model.

    Real voices do not fill all directions alike. Here the variance falls by `exp(-i / tau)` over the
    directions, which are turned at random. Two such voices have scores of deviation `1 / sqrt(2 tau)`.
    """

    size: int
    mean: Float32  # (dim,) of the scoring
    directions: Float32  # (dim, dim): standard normal rows times it are voices

    @classmethod
    def like(cls, scorer: Scorer, size: int) -> Population:
        """The spread is read off the threshold for 1 % false accepts."""
        deviation = scorer.threshold(0.01, seconds=None) / _NORMAL_QUANTILE
        tau = 1 / (2 * deviation**2)
        turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(scorer.dim, scorer.dim)))
        scale = np.exp(-np.arange(scorer.dim) / (2 * tau))
        return cls(size, scorer.mean, np.asarray(scale[:, None] * turn, np.float32))

    def chunks(self) -> Iterator[tuple[list[str], Float32]]:
        """Stored ids and unit voices (voices, dim), a part at a time. The same at every call."""
        for chunk in range(-(-self.size // _CHUNK)):
            voices = self._chunk(chunk)
            first = chunk * _CHUNK
            yield [speaker_id(number) for number in range(first, first + len(voices))], voices

    def probes(self, n: int) -> Float32:
        """Unit recordings (n, dim) of voices from all over the population."""
        numbers = np.sort(np.random.default_rng(1).choice(self.size, n, replace=False))
        parts = np.split(numbers, np.flatnonzero(np.diff(numbers // _CHUNK)) + 1)
        voices = np.concatenate([self._chunk(part[0] // _CHUNK)[part % _CHUNK] for part in parts])
        noise = unit(np.random.default_rng(2).normal(size=voices.shape).astype(np.float32) @ self.directions)
        mixed = _SAME_VOICE * (voices - self.mean) + math.sqrt(1 - _SAME_VOICE**2) * noise
        return unit(self.mean + mixed)

    def strangers(self, n: int) -> Float32:
        """Unit voices (n, dim) that are not enrolled."""
        return self._voices(self.size, n)

    def _chunk(self, chunk: int) -> Float32:
        start = chunk * _CHUNK
        return self._voices(start, min(_CHUNK, self.size - start))

    def _voices(self, start: int, n: int) -> Float32:
        normal = np.random.default_rng([3, start]).normal(size=(n, len(self.mean)))
        return unit(self.mean + unit(normal.astype(np.float32) @ self.directions))


def speaker_id(number: int) -> str:
    """The stored id of a voice. Ids come in no order, as those that the service makes up."""
    shown = f"voice-{number * _SCATTER % 10_000_000:07d}"
    return f"{TENANT.ids.first}{shown}" if number % _TENTH == 0 else shown


def fill(folder: Path, population: Population, model: str, say: Callable[[str], None]) -> None:
    """Enrols a population, one recording a voice. The file is durable at the end, not at each voice."""
    gallery = SqliteGallery(folder / "speakers.sqlite")
    try:
        with gallery._file.reading() as db:  # one fsync a voice would take longer than all that is measured
            db.execute("PRAGMA synchronous = OFF")
        for ids, voices in population.chunks():
            for stored_id, voice in zip(ids, voices, strict=True):
                gallery.enrol(
                    stored_id,
                    name=f"Name of {stored_id[-7:]}",
                    metadata={},
                    utterances=[recording(voice, model)],
                )
            say(f"{ids[-1]} enrolled")
    finally:
        gallery.close()


def recording(voice: Float32, model: str) -> NewUtterance:
    """A recording of ten crops with this voice."""
    return NewUtterance(10.0, 30.0, model, Embedding(np.float32(0.8) * voice, n_crops=10, cohesion=0.6))
