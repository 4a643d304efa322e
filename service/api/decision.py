"""What /identify and /verify share: the threshold of a decision."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from bundle.bandwidth import Line
from bundle.scoring import Scorer
from service.api.collections import CollectionParams
from service.audio.decoder import EmbeddedRecording, Upload
from service.audio.report import FILTERED_WARNING
from service.errors import BadRequest
from service.settings import Settings
from service.speakers import SpeakerDirectory, Strictness, second_voice
from service.tenants import Tenant

#: How answers explain whose threshold counted.
THRESHOLD_COLLECTION = (
    "The collection whose stored threshold counted: GET /thresholds. Null: it follows from `target_fpr`, or "
    "was in the request."
)


class DecisionParams(CollectionParams):
    """Which voices are searched, and how strict the decision is."""

    threshold: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="Least score to accept, in units of `score_type`. Replaces `target_fpr`.",
    )
    target_fpr: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Rate at which unknown voices may be accepted. The threshold follows from it and from "
        "the seconds of speech found. Default: the stored threshold of the collection, else "
        "TWOFOLD_TARGET_FPR.",
    )

    def strictness(
        self, settings: Settings, directory: SpeakerDirectory, tenant: Tenant, recording: EmbeddedRecording
    ) -> Strictness:
        """The same as the decision about a recording takes it."""
        given = self.threshold is not None or self.target_fpr is not None
        return Strictness(
            self.target_fpr or settings.target_fpr,
            self.threshold,
            recording.prepared.audio.line,
            () if given else self.stored(directory, tenant),
        )


def line_warnings(
    directory: SpeakerDirectory, tenant: Tenant, speaker_ids: Iterable[str], line: Line
) -> list[str]:
    """Who of these speakers, as the tenant knows them, came over a narrow line where the recording did not.

    `line`: that of the recording. A narrow one is said of the recording itself.
    """
    if line.narrow:
        return []
    return [
        f"Speaker {speaker_id!r} was enrolled over a narrow line, such as a telephone's, and this recording "
        "is wider. Scores are less sure than the threshold says; add a recording like this one with POST "
        f"/speakers/{speaker_id}/audio."
        for speaker_id in speaker_ids
        if tenant.stored(speaker_id) in directory.narrow
    ]


def stream_warnings(line: Line) -> list[str]:
    """What is said of a stream, or of a recording of hours, whose line hides the voices."""
    return [FILTERED_WARNING] if line is Line.FILTERED else []


def single_recording(files: list[Upload]) -> list[Upload]:
    """The files, if there is exactly one. Raises BadRequest."""
    if len(files) != 1:
        raise BadRequest(f"Send one recording, not {len(files)}: each request is about one voice.")
    return files


def recording_warnings(recording: EmbeddedRecording, scorer: Scorer) -> list[str]:
    """Why a decision about a recording may be less sure. Blocks for milliseconds."""
    warnings = list(recording.prepared.audio.warnings)
    stretch = second_voice(recording.embeddings, recording.prepared.crops.spans, scorer)
    if stretch is not None:
        warnings.append(
            f"Two voices seem to speak: from {stretch[0]:.1f} to {stretch[1]:.1f} s it is another than in "
            "the rest. The decision is about one voice; POST /diarize tells who speaks when."
        )
    return warnings
