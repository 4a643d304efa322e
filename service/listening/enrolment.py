"""An enrolment while one speaks: how far it is, and what to do better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import Scorer
from service.audio import SpeechDetector
from service.audio.streams import SampleStream, StreamCodec
from service.listening.speech import STEP_SAMPLES, SpeechSteps, Step
from service.speakers import second_voice

_QUIET_DBFS = -50.0
_CLIPPED = 0.001  # share of the samples of a step

FeedbackKind = Literal["too_quiet", "clipped", "two_voices"]
ADVICE: dict[FeedbackKind, str] = {
    "too_quiet": "Speak up, or come closer to the microphone.",
    "clipped": "Speak less loudly, or go further from the microphone.",
    "two_voices": "Another voice seems to speak, too. Begin again where only one person speaks.",
}


@dataclass(frozen=True)
class Progress:
    """How far an enrolment is."""

    at_s: float
    speech: bool
    speech_s: float
    percent: int  # of the speech that is wanted
    remaining_speech_s: float
    level_dbfs: float | None
    clipped: float
    feedback: tuple[FeedbackKind, ...]


class LiveEnrolment:
    """Follows one enrolment, and keeps its sound. Its calls block for milliseconds."""

    def __init__(
        self, detector: SpeechDetector, codec: StreamCodec, rate_hz: int, scorer: Scorer, wanted_s: float
    ) -> None:
        """`wanted_s` is the speech at which it is complete."""
        self._source = SampleStream(codec, rate_hz, block=STEP_SAMPLES)
        self._steps = SpeechSteps(detector)
        self._scorer = scorer
        self._wanted_s = wanted_s
        self._blocks: list[Float32] = []
        self._crops: list[Float32] = []  # embeddings of windows that do not overlap, (dim,) each
        self._spans: list[tuple[float, float]] = []

    @property
    def seconds(self) -> float:
        """Of sound that came."""
        return self._source.seconds

    @property
    def speech_s(self) -> float:
        """Net speech so far."""
        return self._steps.speech_s

    @property
    def samples(self) -> Float32:
        """All sound so far (n,), 16 kHz, as it came."""
        return np.concatenate(self._blocks) if self._blocks else np.empty(0, np.float32)

    def take(self, message: bytes) -> list[Step]:
        """The steps that a message completes. Raises InvalidAudio."""
        return [self._step(block) for block in self._source.take(message)]

    def finish(self) -> list[Step]:
        """The last steps."""
        return [self._step(block) for block in self._source.finish()]

    def embedded(self, step: Step, embeddings: Float32) -> Progress:
        """What is known after a step whose windows got embeddings (windows, dim)."""
        for window, embedding in zip(step.windows, embeddings, strict=True):
            start_s = window.start / SAMPLE_RATE_HZ
            whole = window.end - window.start == CROP_SAMPLES
            if whole and (not self._spans or start_s >= self._spans[-1][1]):
                self._crops.append(embedding)
                self._spans.append((start_s, window.end_s))
        level, clipped = self._steps.level.dbfs, self._source.clipped()
        feedback: list[FeedbackKind] = []
        if step.speech and level is not None and level < _QUIET_DBFS:
            feedback.append("too_quiet")
        if clipped > _CLIPPED:
            feedback.append("clipped")
        if self._crops and second_voice(np.stack(self._crops), self._spans, self._scorer):
            feedback.append("two_voices")
        speech_s = self.speech_s
        return Progress(
            step.end_s,
            step.speech,
            speech_s,
            min(100, math.floor(100 * speech_s / self._wanted_s)),
            max(0.0, self._wanted_s - speech_s),
            level,
            clipped,
            tuple(feedback),
        )

    def _step(self, block: Float32) -> Step:
        self._blocks.append(block)
        return self._steps.take(block)
