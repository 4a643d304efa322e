"""Batches of two crops a recording. They depend on (seed, step) only: resuming needs no generator state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from trainer.audio.cache import ClipCache


@dataclass(frozen=True)
class PairBatch:
    """Two crops of each recording, and noise to mix in."""

    first: Tensor  # (batch, 16384) float32
    second: Tensor  # (batch, 16384), another crop of the same recording
    noise: Tensor | None  # (2 · batch, 16384)

    def to(self, device: torch.device) -> PairBatch:
        noise = None if self.noise is None else self.noise.to(device)
        return PairBatch(self.first.to(device), self.second.to(device), noise)


class PairSampler:
    """Pairs of crops. One epoch draws from each recording as often as it has whole crops, in random order.

    With `same_voice_seconds` above 0 the two crops of a pair start at most this many seconds apart.
    """

    def __init__(
        self,
        speech: ClipCache,
        noise: ClipCache | None,
        batch: int,
        seed: int,
        same_voice_seconds: float = 0.0,
    ) -> None:
        self.speech, self.noise, self.batch, self.seed = speech, noise, batch, seed
        self.reach = int(same_voice_seconds * SAMPLE_RATE_HZ)
        crops = np.maximum(speech.lengths // CROP_SAMPLES, 1)
        self.visits = np.repeat(np.arange(len(speech)), crops)  # clip index of each visit
        self.steps_per_epoch = max(len(self.visits) // batch, 1)
        self._epoch: tuple[int, NDArray[np.int64]] | None = None

    def at(self, step: int) -> PairBatch:
        """The batch of a step, counted from 0 over all epochs."""
        chosen = self.clips_at(step)
        rng = np.random.default_rng((self.seed, step))
        first, second = np.empty((2, self.batch, CROP_SAMPLES), np.float32)
        for row, clip in enumerate(chosen.tolist()):
            room = max(int(self.speech.lengths[clip]) - CROP_SAMPLES, 0)
            a = int(rng.integers(room + 1))
            low, high = (max(a - self.reach, 0), min(a + self.reach, room)) if self.reach else (0, room)
            first[row] = self.speech.crop(clip, a)
            second[row] = self.speech.crop(clip, int(rng.integers(low, high + 1)))
        return PairBatch(torch.from_numpy(first), torch.from_numpy(second), self._noise(rng))

    def clips_at(self, step: int) -> NDArray[np.int64]:
        """(batch,) which recordings the batch of a step is cut from."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return np.resize(self._order(epoch)[place * self.batch :], self.batch)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self._epoch is None or self._epoch[0] != epoch:
            rng = np.random.default_rng((self.seed, 1, epoch))
            self._epoch = (epoch, rng.permutation(self.visits))
        return self._epoch[1]

    def _noise(self, rng: np.random.Generator) -> Tensor | None:
        if self.noise is None:
            return None
        out = np.empty((2 * self.batch, CROP_SAMPLES), np.float32)
        for row, clip in enumerate(rng.integers(len(self.noise), size=2 * self.batch).tolist()):
            room = max(int(self.noise.lengths[clip]) - CROP_SAMPLES, 0)
            out[row] = self.noise.crop(clip, int(rng.integers(room + 1)))
        return torch.from_numpy(out)
