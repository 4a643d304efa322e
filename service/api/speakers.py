"""/speakers: lists, shows, changes and erases voices."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from service.api.collections import KEEPS_TO, Collections, page_and_total
from service.api.deps import (
    AuditDep,
    DirectoryDep,
    EraserDep,
    RegistryDep,
    TenantDep,
    active_bundle,
    stored_id,
)
from service.api.json_body import json_body, json_request
from service.api.metadata import Metadata
from service.api.problems import problem_responses
from service.api.speaker_answers import SpeakerAnswer, speaker_answer
from service.errors import BadRequest, NotFound
from service.speakers import (
    Changes,
    VoiceIndex,
)
from service.speakers.archive import MAX_METADATA_CHARS
from service.tenants import Tenant, shown

router = APIRouter(prefix="/speakers", tags=["speakers"])


class ChangeParams(BaseModel):
    """What is to change of a speaker. What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200, description="Null: no name.")
    metadata: Metadata = Field(
        default_factory=dict,
        description=f"Takes the place of all metadata; at most {MAX_METADATA_CHARS} characters of JSON.",
    )
    collections: Collections = Field(
        default_factory=list, description="All collections that the voice is in from now on."
    )


class SpeakersAnswer(BaseModel):
    """One page of speakers."""

    speakers: list[SpeakerAnswer]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last.")
    total: int = Field(description="Number of all enrolled speakers, or of those in the collections.")


@router.get("", responses=problem_responses(400, 503))
async def list_speakers(
    directory: DirectoryDep,
    registry: RegistryDep,
    tenant: TenantDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="Speakers on a page.")] = 100,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    collection: Annotated[Collections, Query(description=KEEPS_TO)] = [],  # noqa: B006  pydantic copies it
) -> SpeakersAnswer:
    """Lists enrolled speakers in the order of their ids."""
    index = await _index(directory, registry)
    after = _read_cursor(cursor, tenant)
    page, total = await page_and_total(directory, tenant, collection, limit=limit, after=after)
    return SpeakersAnswer(
        speakers=[speaker_answer(speaker, index) for speaker in page.speakers],
        next_cursor=page.next_after and _cursor(page.next_after),
        total=total,
    )


@router.get("/{speaker_id}", responses=problem_responses(404, 503))
async def show_speaker(
    speaker_id: str, directory: DirectoryDep, registry: RegistryDep, tenant: TenantDep
) -> SpeakerAnswer:
    """Shows one speaker."""
    index = await _index(directory, registry)
    speaker = await directory.threads.run(directory.gallery.get, stored_id(tenant, speaker_id))
    return speaker_answer(speaker, index)


@router.patch(
    "/{speaker_id}",
    responses=problem_responses(400, 404, 413, 415, 422, 503),
    openapi_extra=json_body(ChangeParams),
)
async def change_speaker(
    speaker_id: str,
    params: Annotated[ChangeParams, Depends(json_request(ChangeParams))],
    directory: DirectoryDep,
    registry: RegistryDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> SpeakerAnswer:
    """Changes name, metadata or collections. The body is a JSON object; what it leaves out stays."""
    index = await _index(directory, registry)
    changes: Changes = params.model_dump(exclude_unset=True)  # type: ignore[assignment]  # of the same fields
    speaker = await directory.change(index, stored_id(tenant, speaker_id), changes)
    audit("change", speaker_id=speaker_id, fields=sorted(changes))
    return speaker_answer(speaker, index)


@router.delete("/{speaker_id}", status_code=204, responses=problem_responses(404, 503))
async def erase_speaker(speaker_id: str, eraser: EraserDep, tenant: TenantDep, audit: AuditDep) -> None:
    """Erases the voiceprint and the retained audio, everywhere. Cannot be undone.

    No call knows the voice once this is answered. GET /erasures lists what is not yet gone from a disk.

    Unfinished fine-tuning jobs that use this speaker's audio are canceled. Models that were already
    fine-tuned on it stay as they are.
    """
    speaker_id = stored_id(tenant, speaker_id)
    await eraser.erase(speaker_id)
    audit("erase", speaker_id=shown(speaker_id))


async def _index(directory: DirectoryDep, registry: RegistryDep) -> VoiceIndex:
    return await directory.index(active_bundle(registry))


def _cursor(stored: str) -> str:
    return base64.urlsafe_b64encode(shown(stored).encode()).decode()


def _read_cursor(cursor: str | None, tenant: Tenant) -> str | None:
    if cursor is None:
        return None
    try:
        return stored_id(tenant, base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError, NotFound):
        raise BadRequest(
            "Unknown cursor. Pass the `next_cursor` of a page unchanged, or no cursor."
        ) from None
