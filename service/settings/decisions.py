"""How much speech an answer needs, and how strictly it decides."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Decisions(BaseModel):
    """Fields of `Settings`."""

    min_speech_embed_s: float = Field(
        default=0.5, ge=0, description="Least speech that /embed and /content need, in seconds."
    )
    min_speech_identify_s: float = Field(
        default=1.0, ge=0, description="Least speech that /identify and /verify need, in seconds."
    )
    min_speech_enrol_s: float = Field(
        default=5.0, ge=0, description="Least speech that an enrolment needs, in seconds."
    )
    target_fpr: float = Field(
        default=0.01,
        gt=0,
        lt=1,
        description="Default rate at which an unknown voice may be accepted, as a fraction.",
    )
