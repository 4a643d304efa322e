"""Enrols files as the service does, and tells which issues it finds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import soundfile

from benchmarks.decisions.model import ScoredModel
from benchmarks.enrolments.trials import Files
from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio import AudioLimits, SpeechDetector, prepare
from service.audio.decoder import EmbeddedRecording, Upload
from service.errors import NoSpeech
from service.speakers.copies import sort_out
from service.speakers.enrolment import as_enrolled, new_utterances
from service.speakers.mixture import odd_stretch
from service.speakers.quality import assess, odd_recording


@dataclass(frozen=True)
class Verdict:
    """What is found in one enrolment."""

    issues: frozenset[str]  # kinds, as `quality.issues` has them
    log_odds: float  # that it is one voice, of the stretch or file that fits least


class Judge:
    """Enrols with several models; a file that comes again is decoded and embedded once."""

    def __init__(self, models: Sequence[ScoredModel]) -> None:
        self._models = models
        self._detector = SpeechDetector()
        self._known: dict[tuple[int, bool], list[EmbeddedRecording] | None] = {}  # by hash of the samples

    def __call__(self, files: Files, *, copies: bool = True) -> dict[str, Verdict] | None:
        """By the model's name; None where a file holds no speech, which the service refuses.

        `copies`: also looks for sound that comes again, which takes half of the time.
        """
        recordings = [self._embedded(samples, copies) for samples in files]
        spoken = [recording for recording in recordings if recording is not None]
        if len(spoken) < len(files):
            return None
        return {
            model.name: self._verdict(model, [recording[i] for recording in spoken])
            for i, model in enumerate(self._models)
        }

    def forget(self) -> None:
        """Forgets the files."""
        self._known.clear()

    def _verdict(self, model: ScoredModel, recordings: list[EmbeddedRecording]) -> Verdict:
        scorer = model.scorer
        arrived = sort_out(recordings, model.name, retain_audio=False)
        new = new_utterances(arrived.new, model.name, scorer, retain_audio=False)
        speaker = as_enrolled("ann", new)
        issues = {issue.kind for issue in assess(speaker, model.name, scorer, arrived.issues).issues}
        if len(arrived.new) > 1:
            odd = odd_recording(speaker, model.name, scorer)
            return Verdict(frozenset(issues), odd[1] if odd else np.inf)
        (recording,) = arrived.new
        stretch = odd_stretch(recording.embeddings, recording.prepared.crops.spans, scorer)
        return Verdict(frozenset(issues), stretch.log_odds if stretch else np.inf)

    def _embedded(self, samples: Float32, copies: bool) -> list[EmbeddedRecording] | None:
        key = hash(samples.tobytes()), copies
        if key not in self._known:
            self._known[key] = self._embed(samples, copies)
        return self._known[key]

    def _embed(self, samples: Float32, copies: bool) -> list[EmbeddedRecording] | None:
        file = io.BytesIO()
        soundfile.write(file, samples, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
        try:
            recording = prepare(file.getvalue(), AudioLimits(), self._detector)
        except NoSpeech:
            return None
        crops = recording.crops.waveforms
        light = replace(
            recording,
            samples=recording.samples if copies else recording.samples[:0],  # the fingerprint is of them
            crops=replace(recording.crops, waveforms=crops[:0]),
        )
        narrow = recording.audio.narrow
        embeddings = [
            model.scorer.without_line(model.encode(crops)) if narrow else model.encode(crops)
            for model in self._models
        ]
        return [EmbeddedRecording(Upload(None, b""), light, of_model) for of_model in embeddings]
