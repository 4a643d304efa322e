"""Treated recordings, decoded, levelled, cut and scored as the service does it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from bundle.bandwidth import Line
from bundle.scoring import Scorer
from bundle.vectors import pool_utterance
from service.audio import AudioLimits, PreparedRecording, SpeechDetector, prepare
from service.errors import NoSpeech
from service.speakers.decision import NOBODY
from trainer.audio.folders import read_audio, read_folder
from trainer.bundles.runner import BundleRunner

TARGET_FPR = 0.01
SPEAKERS, PROBES = 10, 3
_ENROLLED_S, _PROBE_S = 12.0, 6.0


@dataclass(frozen=True, eq=False)
class Material:
    """Samples (n,) at 16 kHz of a few test speakers."""

    enrolled: list[Float32]  # one a speaker
    probes: list[Float32]  # PROBES a speaker, one speaker after the other

    @classmethod
    def read(cls, folder: Path) -> Material:
        """Of the test speakers drawn with seed 0; one with too few recordings is left out.

        Raises:
            DataError: the folder cannot be read.
        """
        clips = read_folder(folder, "test")
        speakers = sorted({clip.speaker for clip in clips if clip.speaker})
        material = cls([], [])
        for speaker in np.random.default_rng(0).permutation(speakers):
            recordings = [read_audio(clip.path) for clip in clips if clip.speaker == speaker]
            joined = np.concatenate([*recordings[PROBES:], np.empty(0, np.float32)])
            if joined.size < _ENROLLED_S * SAMPLE_RATE_HZ:
                continue
            material.enrolled.append(joined[: round(_ENROLLED_S * SAMPLE_RATE_HZ)])
            material.probes.extend(x[: round(_PROBE_S * SAMPLE_RATE_HZ)] for x in recordings[:PROBES])
            if len(material.enrolled) == SPEAKERS:
                break
        return material


@dataclass(frozen=True)
class Voice:
    """A recording as the service knows it; None: no speech was found."""

    embedding: Float32
    speech_s: float
    warned: bool
    line: Line = Line.WIDE


@dataclass(frozen=True)
class Row:
    """One treatment under one bundle."""

    itself: float  # mean score of a treated probe against the same one as recorded
    own: int  # accepted of 30, enrolled as recorded
    strangers: int  # accepted of 270
    own_both: int  # the same, enrolled under the treatment as well
    strangers_both: int
    warned: int  # probes of 30 with a warning
    lost: int  # probes of 30 in which no speech was found


def prepared(
    rate_hz: int, recordings: Sequence[Float32], detector: SpeechDetector
) -> list[PreparedRecording | None]:
    """Each recording as a float WAV through the service's decoding."""
    return [_prepared(rate_hz, samples, detector) for samples in recordings]


def _prepared(rate_hz: int, samples: Float32, detector: SpeechDetector) -> PreparedRecording | None:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype="FLOAT")
    try:
        return prepare(file.getvalue(), AudioLimits(), detector)
    except NoSpeech:
        return None


def voices(bundle: BundleRunner, recordings: Sequence[PreparedRecording | None]) -> list[Voice | None]:
    """The recordings under a bundle."""
    return [None if recording is None else _voice(bundle, recording) for recording in recordings]


def _voice(bundle: BundleRunner, recording: PreparedRecording) -> Voice:
    audio, embeddings = recording.audio, bundle.embed(recording.crops.waveforms)
    if audio.narrow:
        embeddings = bundle.scorer.without_line(embeddings)
    return Voice(pool_utterance(embeddings), recording.crops.speech_s, bool(audio.warnings), audio.line)


def row(
    scorer: Scorer,
    plain: tuple[Sequence[Voice | None], Sequence[Voice | None]],
    treated: tuple[Sequence[Voice | None], Sequence[Voice | None]],
) -> Row:
    """Counts of one treatment; `plain` and `treated` are enrolments and probes."""
    itself = [
        scorer.score(probe.embedding, same.embedding)
        for probe, same in zip(treated[1], plain[1], strict=True)
        if probe is not None and same is not None
    ]
    one, both = _accepted(scorer, plain[0], treated[1]), _accepted(scorer, treated[0], treated[1])
    return Row(
        float(np.mean(itself)) if itself else float("nan"),
        *one,
        *both,
        sum(probe is not None and probe.warned for probe in treated[1]),
        sum(probe is None for probe in treated[1]),
    )


def _accepted(
    scorer: Scorer, enrolled: Sequence[Voice | None], probes: Sequence[Voice | None]
) -> tuple[int, int]:
    owners = strangers = 0
    for index, probe in enumerate(probes):
        if probe is None:
            continue
        threshold = scorer.threshold(TARGET_FPR, seconds=probe.speech_s, narrow=probe.line.narrow)
        if probe.line is Line.FILTERED:
            threshold = NOBODY
        for speaker, voice in enumerate(enrolled):
            accepted = voice is not None and scorer.score(probe.embedding, voice.embedding) >= threshold
            if speaker == index // PROBES:
                owners += accepted
            else:
                strangers += accepted
    return owners, strangers
