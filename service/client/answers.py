"""What the service answers, with the names and fields of its OpenAPI document.

A field that a newer service adds is an attribute too.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Any answer."""

    model_config = ConfigDict(extra="allow", frozen=True)


class AudioAnswer(Answer):
    """What was measured of a recording."""

    codec: str
    sample_rate_hz: int
    channels: int
    bandwidth_hz: int | None
    level_dbfs: float | None
    clipped: float
    snr_db: float | None
    speech_s: float
    warnings: list[str]


class EmbeddingAnswer(Answer):
    """The voice of one file."""

    filename: str | None
    duration_s: float
    speech_s: float
    audio: AudioAnswer
    embedding: list[float]  # unit length


class EmbedAnswer(Answer):
    """POST /embed."""

    model: str
    dim: int
    results: list[EmbeddingAnswer]


class FramesAnswer(Answer):
    """What is said in one file: a vector a frame."""

    filename: str | None
    duration_s: float
    audio: AudioAnswer
    frames: list[list[float]]


class ContentAnswer(Answer):
    """POST /content."""

    model: str
    dim: int
    frame_s: float
    results: list[FramesAnswer]


class QualityAnswer(Answer):
    """How reliable an enrolment is."""

    cohesion: float | None
    snr_db: float | None
    ok: bool
    advice: str


class ConsentAnswer(Answer):
    """What a person agreed to, and when."""

    text: str
    given_at: datetime


class SpeakerAnswer(Answer):
    """An enrolled voice."""

    speaker_id: str
    name: str | None
    metadata: dict[str, Any]
    speech_s: float
    utterances: int
    quality: QualityAnswer
    model: str
    stale: bool
    map_error: float | None
    audio_retained: bool
    collections: list[str]
    consent: ConsentAnswer | None
    created_at: datetime


class EnrolledAnswer(SpeakerAnswer):
    """POST /speakers and POST /speakers/{id}/audio."""

    audio: list[AudioAnswer]


class SpeakersAnswer(Answer):
    """A page of GET /speakers."""

    speakers: list[SpeakerAnswer]
    next_cursor: str | None
    total: int


class CandidateAnswer(Answer):
    """An enrolled speaker, compared with a recording."""

    speaker_id: str
    name: str | None
    score: float
    probability: float


class IdentifyAnswer(Answer):
    """POST /identify."""

    match: CandidateAnswer | None
    candidates: list[CandidateAnswer]
    threshold: float
    threshold_collection: str | None = None  # an earlier release stores no thresholds
    score_type: str
    speech_s: float
    model: str
    searched: int
    warning: str | None
    warnings: list[str]
    audio: AudioAnswer


class VerifyAnswer(Answer):
    """POST /verify."""

    speaker_id: str
    accepted: bool
    score: float
    probability: float
    threshold: float
    threshold_collection: str | None = None  # an earlier release stores no thresholds
    score_type: str
    speech_s: float
    model: str
    warnings: list[str]
    audio: AudioAnswer


class RatesAnswer(Answer):
    """What a threshold does on labelled recordings."""

    threshold: float
    false_accept_rate: float
    false_reject_rate: float


class ThresholdAnswer(Answer):
    """The stored threshold of a collection."""

    collection: str
    threshold: float
    point: Literal["chosen", "equal"]
    model: str
    counts: bool
    false_accept_rate: float
    false_reject_rate: float
    own_trials: int
    stranger_trials: int
    stored_at: datetime


class ThresholdsAnswer(Answer):
    """GET /thresholds."""

    thresholds: list[ThresholdAnswer]


class CalibrateAnswer(Answer):
    """POST /calibrate."""

    model: str
    score_type: str
    speakers: int
    own_trials: int
    stranger_trials: int
    target_fpr: float
    chosen: RatesAnswer
    default: RatesAnswer
    equal: RatesAnswer
    curves: list[RatesAnswer]
    warnings: list[str]
    audio: list[AudioAnswer]
    stored: ThresholdAnswer | None = None


class NamedSpeaker(Answer):
    """An enrolled speaker of a conversation."""

    speaker_id: str
    name: str | None


class TurnAnswer(Answer):
    """A stretch of speech of one voice."""

    start_s: float
    end_s: float
    speaker: NamedSpeaker | None
    label: str
    score: float | None
    probability: float | None
    overlap: bool


class DiarizedSpeaker(Answer):
    """A voice of a conversation."""

    label: str
    speaker_id: str | None
    name: str | None
    speech_s: float
    threshold: float
    threshold_collection: str | None = None


class Diarized(Answer):
    """Who spoke when."""

    duration_s: float
    segments: list[TurnAnswer]
    speakers: list[DiarizedSpeaker]
    warnings: list[str]
    score_type: str
    model: str


class DiarizeAnswer(Diarized):
    """POST /diarize."""

    audio: AudioAnswer


class LongDiarizeAnswer(Answer):
    """GET /diarize/{job_id}."""

    job_id: str
    state: Literal["queued", "running", "succeeded", "failed", "canceled"]
    progress: float | None
    at_s: float
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    diarization: Diarized | None


class RecordingReport(Answer):
    """What became of one recording of an archive."""

    file: str
    outcome: Literal["waiting", "enrolled", "unchanged", "refused"]
    reason: str | None
    feedback: str | None


class PersonReport(Answer):
    """What became of one person of an archive. Without an id: erased since."""

    speaker_id: str | None
    recordings: list[RecordingReport]


class BulkAnswer(Answer):
    """GET /enrolments/{job_id}."""

    job_id: str
    state: Literal["queued", "running", "succeeded", "failed"]
    progress: float
    enrolled: int
    refused: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    people: list[PersonReport]


class ClipAnswer(Answer):
    """A second of generated audio."""

    seed: int
    audio: str

    @property
    def wav(self) -> bytes:
        """The bytes of the WAV file."""
        return base64.b64decode(self.audio)


class GenerateAnswer(Answer):
    """POST /generate."""

    model: str
    label: str
    language: str | None
    clips: list[ClipAnswer]


class LabelsAnswer(Answer):
    """GET /generate/labels."""

    model: str
    labels: list[str]
    language: str | None


class FinetuneAnswer(Answer):
    """POST /finetune."""

    job_id: str
    state: str


class ActivationAnswer(Answer):
    """What became of the wish to activate a job's version."""

    state: str
    reason: str


class JobAnswer(Answer):
    """A fine-tuning job as it is now."""

    job_id: str
    state: str
    step: int
    steps: int
    progress: float
    loss: float | None
    eta_s: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    parent: str
    model: str | None
    version: str | None
    version_removed: bool = False  # an earlier release does not say
    report: dict[str, Any] | None
    activation: ActivationAnswer | None
    error: str | None


class JobsAnswer(Answer):
    """A page of GET /finetune."""

    jobs: list[JobAnswer]
    next_cursor: str | None


class ModelAnswer(Answer):
    """One version of a model."""

    name: str
    version: str
    kind: str
    sha256: str
    created_at: datetime
    parent: str | None
    metrics: dict[str, Any]


class ModelsAnswer(Answer):
    """GET /models."""

    active: str | None
    model: str | None
    generator: str | None
    models: list[ModelAnswer]
    notices: list[str]


class CarryOverAnswer(Answer):
    """What became of the enrolled speakers."""

    reembedded: int
    mapped: int
    kept: int
    stale: int


class ActivateAnswer(Answer):
    """POST /models/{version}/activate."""

    active: str
    model: str
    speakers: CarryOverAnswer


class IssueAnswer(Answer):
    """A fault of an enrolment, and what to do."""

    kind: str
    recording: int | None
    start_s: float | None
    end_s: float | None
    advice: str


class RecordingAnswer(Answer):
    """A recording of an enrolled speaker."""

    recording: int
    speech_s: float
    snr_db: float | None
    bandwidth_hz: int | None
    audio_retained: bool
    stale: bool
    issues: list[IssueAnswer]
    created_at: datetime


class RecordingsAnswer(Answer):
    """GET /speakers/{id}/recordings."""

    speaker_id: str
    recordings: list[RecordingAnswer]


class ErasureAnswer(Answer):
    """An erasure that is not finished."""

    erasure_id: str
    speaker_id: str | None
    requested_at: datetime


class LeftAnswer(Answer):
    """A place that is not clean yet."""

    place: str
    reason: str


class ErasuresAnswer(Answer):
    """GET /erasures."""

    erasures: list[ErasureAnswer]
    left: list[LeftAnswer]


class ImportAnswer(Answer):
    """POST /gallery."""

    imported: list[str]
    reembedded: list[str]
    skipped: list[str]
    thresholds: list[str] = []
    model: str


class ReadyAnswer(Answer):
    """GET /readyz."""

    status: str
    model: str
    notices: list[str]
