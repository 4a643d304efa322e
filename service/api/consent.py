"""What a person agreed to when a voice was enrolled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from service.speakers import Consent
from service.speakers.records import MAX_CONSENT_CHARS


class ConsentParams(BaseModel):
    """Parameters that record a consent."""

    consent: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_CONSENT_CHARS,
        description="What the person agreed to, in words. Stored unchanged.",
    )
    consent_at: AwareDatetime | None = Field(
        None, description="When that was, as 2026-11-25T09:30:00Z. Default: now."
    )

    @model_validator(mode="after")
    def _consent_has_a_text(self) -> Self:
        if self.consent_at is not None and self.consent is None:
            raise ValueError("consent_at needs consent: what the person agreed to")
        return self

    @property
    def given_consent(self) -> Consent | None:
        """The same as it is stored."""
        return None if self.consent is None else Consent(self.consent, self.consent_at or datetime.now(UTC))


class ConsentAnswer(BaseModel):
    """What a person agreed to, and when."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    given_at: datetime
