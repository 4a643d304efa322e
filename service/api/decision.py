"""What /identify and /verify share: the threshold of a decision."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bundle.scoring import Scorer
from service.audio.decoder import Upload
from service.errors import BadRequest
from service.settings import Settings


class DecisionParams(BaseModel):
    """How strict the decision is."""

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
        "the seconds of speech found. Default: TWOFOLD_TARGET_FPR.",
    )

    def threshold_for(self, scorer: Scorer, settings: Settings, *, seconds: float, voices: int = 1) -> float:
        """The threshold to use for `seconds` of speech against `voices` enrolled voices."""
        if self.threshold is not None:
            return self.threshold
        return scorer.threshold(self.target_fpr or settings.target_fpr, seconds=seconds, voices=voices)


def single_recording(files: list[Upload]) -> list[Upload]:
    """The files, if there is exactly one. Raises BadRequest."""
    if len(files) != 1:
        raise BadRequest(f"Send one recording, not {len(files)}: each request is about one voice.")
    return files
