"""One stream: its sound, its voices and who speaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundle.arrays import Float32
from bundle.bandwidth import Line
from bundle.scoring import Scorer
from service.audio import SpeechDetector
from service.audio.streams import SampleStream, StreamCodec
from service.diarization import Windows
from service.listening.speech import STEP_SAMPLES, SpeechSteps, Step
from service.listening.tracker import SpeakerTracker, Speaking


@dataclass(frozen=True, eq=False)
class Moment:
    """What is known after a step."""

    at_s: float
    speaking: Speaking | None  # None: nobody speaks
    level_dbfs: float | None
    clipped: float  # share of the samples of the step


class Listening:
    """Follows one stream. Its calls block for milliseconds; the encoder runs between them."""

    def __init__(
        self,
        detector: SpeechDetector,
        codec: StreamCodec,
        rate_hz: int,
        tracker: SpeakerTracker,
        scorer: Scorer,
    ) -> None:
        self._samples = SampleStream(codec, rate_hz, block=STEP_SAMPLES)
        self._steps = SpeechSteps(detector)
        self._tracker = tracker
        self._scorer = scorer
        self._embeddings: list[Float32] = []

    @property
    def seconds(self) -> float:
        """Of sound that came."""
        return self._samples.seconds

    @property
    def line(self) -> Line:
        """What it comes over, as far as is known."""
        return self._steps.line.kind

    def take(self, message: bytes) -> list[Step]:
        """The steps that a message completes. Raises InvalidAudio."""
        return [self._steps.take(block) for block in self._samples.take(message)]

    def finish(self) -> list[Step]:
        """The last step, at which speech ends."""
        blocks = self._samples.finish() or [np.zeros(STEP_SAMPLES, np.float32)]
        return [self._steps.take(block, last=block is blocks[-1]) for block in blocks]

    def embedded(self, step: Step, embeddings: Float32) -> Moment:
        """What is known after a step whose windows got embeddings (windows, dim)."""
        self._embeddings.extend(embeddings)
        self._tracker.line = self.line
        for window, embedding in zip(step.windows, self._without_line(embeddings), strict=True):
            self._tracker.take(embedding, seconds=window.new_s, end_s=window.end_s, pause=window.first)
        return Moment(
            step.end_s,
            self._tracker.speaking() if step.speech else None,
            self._steps.level.dbfs,
            self._samples.clipped(),
        )

    def windows(self) -> tuple[Windows, Float32]:
        """All windows with their embeddings (windows, dim), after the last step."""
        embeddings = np.stack(self._embeddings) if self._embeddings else np.empty((0, 0), np.float32)
        return self._steps.windows(), self._without_line(embeddings)

    def _without_line(self, embeddings: Float32) -> Float32:
        return self._scorer.without_line(embeddings) if self.line.narrow and len(embeddings) else embeddings
