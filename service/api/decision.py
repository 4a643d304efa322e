"""What /identify and /verify share: the threshold of a decision."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.audio.decoder import Upload
from service.errors import BadRequest
from service.settings import Settings
from service.speakers import Strictness


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

    def strictness(self, settings: Settings) -> Strictness:
        """The same as the decision takes it."""
        return Strictness(self.target_fpr or settings.target_fpr, self.threshold)


def single_recording(files: list[Upload]) -> list[Upload]:
    """The files, if there is exactly one. Raises BadRequest."""
    if len(files) != 1:
        raise BadRequest(f"Send one recording, not {len(files)}: each request is about one voice.")
    return files
