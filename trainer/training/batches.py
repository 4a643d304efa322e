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
    rooms: Tensor | None = None  # (2 · batch, 8193) spectra, of `trainer.audio.chain.room_spectra`
    voice: Tensor | None = None  # (batch,) the pseudo-speaker of both crops

    def to(self, device: torch.device) -> PairBatch:
        noise = None if self.noise is None else self.noise.to(device)
        rooms = None if self.rooms is None else self.rooms.to(device)
        voice = None if self.voice is None else self.voice.to(device)
        return PairBatch(self.first.to(device), self.second.to(device), noise, rooms, voice)


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
        rooms: Tensor | None = None,
        voices: NDArray[np.int64] | None = None,
    ) -> None:
        """
        Args:
            same_voice_seconds: two crops are one voice only this near; 0: anywhere in the recording.
            rooms: (rooms, 8193) spectra to draw from.
            voices: (clips,) pseudo-speakers; the second crop is then of another recording of the same one,
                where there is another.
        """
        self.speech, self.noise, self.batch, self.seed, self.rooms = speech, noise, batch, seed, rooms
        self.reach = int(same_voice_seconds * SAMPLE_RATE_HZ)
        self.voices = voices
        self.members = (
            [] if voices is None else [np.flatnonzero(voices == k) for k in range(voices.max() + 1)]
        )
        self.visits = visits(speech)
        self.noise_visits = None if noise is None else visits(noise)
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
            first[row] = self.speech.crop(clip, a)
            other = self._other_recording(clip, rng)
            if other != clip:
                low, high = 0, max(int(self.speech.lengths[other]) - CROP_SAMPLES, 0)
            else:
                low, high = (max(a - self.reach, 0), min(a + self.reach, room)) if self.reach else (0, room)
            second[row] = self.speech.crop(other, int(rng.integers(low, high + 1)))
        noise, rooms = self._noise(rng), self._rooms(rng)
        voice = None if self.voices is None else torch.from_numpy(self.voices[chosen])
        return PairBatch(torch.from_numpy(first), torch.from_numpy(second), noise, rooms, voice)

    def _other_recording(self, clip: int, rng: np.random.Generator) -> int:
        """Another recording of the pseudo-speaker; the same one where there is none, or none are known."""
        if self.voices is None:
            return clip
        others = self.members[self.voices[clip]]
        others = others[others != clip]
        return int(rng.choice(others)) if others.size else clip

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
        if self.noise is None or self.noise_visits is None:
            return None
        out = np.empty((2 * self.batch, CROP_SAMPLES), np.float32)
        for row, clip in enumerate(rng.choice(self.noise_visits, 2 * self.batch).tolist()):
            room = max(int(self.noise.lengths[clip]) - CROP_SAMPLES, 0)
            out[row] = self.noise.crop(clip, int(rng.integers(room + 1)))
        return torch.from_numpy(out)

    def _rooms(self, rng: np.random.Generator) -> Tensor | None:
        return None if self.rooms is None else self.rooms[rng.integers(len(self.rooms), size=2 * self.batch)]


def visits(clips: ClipCache) -> NDArray[np.intp]:
    """Each clip's index as often as the clip has whole crops, at least once."""
    return np.repeat(np.arange(len(clips)), np.maximum(clips.lengths // CROP_SAMPLES, 1))
