"""GET /gallery, POST /gallery: all voices as a file, for a backup or for another service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from bundle.voice import VoiceBundle
from service import __version__
from service.api.bodies import body_chunks
from service.api.deps import (
    AdmissionDep,
    AuditDep,
    DirectoryDep,
    PipelineDep,
    RegistryDep,
    SettingsDep,
    TenantDep,
    active_bundle,
    stored_id,
)
from service.api.pipeline import Pipeline
from service.api.problems import problem_responses
from service.audio.decoder import Upload
from service.errors import (
    BadRequest,
    Conflict,
    InvalidAudio,
    NoSpeech,
    NotFound,
    TooLarge,
    UnsupportedMedia,
)
from service.speakers import NewUtterance, SpeakerDirectory, VoiceIndex, new_utterances
from service.speakers.archive import (
    Archive,
    ArchivedSpeaker,
    ArchiveEnd,
    archived,
    header_of,
    read_archive,
    restored,
)
from service.tenants import Tenant, shown

router = APIRouter(prefix="/gallery", tags=["gallery"])

NDJSON = "application/x-ndjson"
_PAGE = 100
_NAMED = 10  # speakers that a refusal names
_LINES: dict[str, Any] = {"schema": {"type": "string"}}


class ImportAnswer(BaseModel):
    """What became of the speakers of a gallery."""

    imported: list[str] = Field(description="Ids of the speakers that are enrolled now.")
    reembedded: list[str] = Field(description="Those of them whose retained recordings were embedded anew.")
    skipped: list[str] = Field(description="Ids that were enrolled before; nothing of them changed.")
    thresholds: list[str] = Field(
        description="Collections whose thresholds are stored now. Those that have one keep it, and a "
        "threshold of another model is left out."
    )
    model: str


@router.get(
    "",
    response_class=Response,
    responses=problem_responses(503) | {200: {"content": {NDJSON: _LINES}, "description": "Lines of JSON."}},
)
async def export_gallery(
    directory: DirectoryDep,
    registry: RegistryDep,
    tenant: TenantDep,
    audit: AuditDep,
    audio: Annotated[bool, Query(description="With retained recordings, where there are any.")] = True,
) -> StreamingResponse:
    """All voices as lines of JSON: a header, a line for each speaker, and a last line that counts them.

    Voices that are enrolled meanwhile may be missing. The last line names speakers that only an older model
    knows and whose recordings were not retained: they are left out.
    """
    bundle = active_bundle(registry)
    await directory.index(bundle)  # refuses at the moment of a switch
    audit("export", model=bundle.id, audio=audio)
    return StreamingResponse(_lines(directory, bundle, tenant, audio), media_type=NDJSON)


async def _lines(
    directory: SpeakerDirectory, bundle: VoiceBundle, tenant: Tenant, audio: bool
) -> AsyncIterator[str]:
    gallery, run = directory.gallery, directory.threads.run
    header = header_of(bundle, __version__, directory.thresholds.of(tenant))
    yield header.model_dump_json(exclude_none=True) + "\n"
    after: str | None = None
    written = 0
    left_out: list[str] = []
    while True:
        page = await run(gallery.list, limit=_PAGE, after=after, within=tenant.ids)
        for speaker in page.speakers:
            recordings = {
                utterance.utterance_id: await run(gallery.audio, utterance.utterance_id)
                for utterance in speaker.utterances
                if audio and utterance.retained
            }
            line = archived(speaker, bundle.id, recordings)
            if line is None:
                left_out.append(shown(speaker.speaker_id))
            else:
                written += 1
                yield line.model_dump_json() + "\n"
        if (after := page.next_after) is None:
            break
    yield ArchiveEnd(end=written, left_out=left_out).model_dump_json() + "\n"


async def _archive(request: Request, settings: SettingsDep, place: AdmissionDep) -> Archive:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != NDJSON:
        raise UnsupportedMedia(f"Send the lines of GET /gallery with Content-Type {NDJSON}.")
    chunks = body_chunks(request, settings, place, limit=settings.max_bytes)
    return read_archive(b"".join([chunk async for chunk in chunks]))


@router.post(
    "",
    responses=problem_responses(400, 409, 413, 415, 422, 429, 503),
    openapi_extra={"requestBody": {"required": True, "content": {NDJSON: _LINES}}},
)
async def import_gallery(
    archive: Annotated[Archive, Depends(_archive)],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> ImportAnswer:
    """Enrols the speakers of a GET /gallery, of this or another service.

    Ids that are enrolled stay as they are: an import that failed can be sent again.

    Voiceprints of another model are of no use here: then every recording has to be in the gallery, and is
    embedded anew. If one is missing, status 409 names the speakers, and nobody is enrolled.

    A large gallery is sent in parts: each with the header, some speakers, and a last line of its own.
    """
    bundle = pipeline.engine.bundle
    index = await directory.index(bundle)
    same_model = (archive.header.model, archive.header.model_sha256) == (bundle.id, bundle.sha256)
    _require_usable(archive, bundle, same_model=same_model)
    ready = {  # all of them before anybody is enrolled: one may be damaged
        speaker.speaker_id: restored(speaker, bundle)
        for speaker in archive.speakers
        if same_model and speaker.has_all_embeddings
    }
    answer = ImportAnswer(imported=[], reembedded=[], skipped=[], thresholds=[], model=bundle.id)
    for speaker in archive.speakers:
        stored = stored_id(tenant, speaker.speaker_id)
        if await _is_enrolled(directory, stored):
            answer.skipped.append(speaker.speaker_id)
            continue
        anew = speaker.speaker_id not in ready
        utterances = await _embedded_anew(speaker, index, pipeline) if anew else ready[speaker.speaker_id]
        try:
            await directory.enrol(
                index,
                stored,
                name=speaker.name,
                metadata=speaker.metadata,
                utterances=utterances,
                collections=sorted(set(speaker.collections)),
                consent=speaker.given_consent,
            )
        except Conflict:  # enrolled in this moment
            answer.skipped.append(speaker.speaker_id)
            continue
        answer.imported.append(speaker.speaker_id)
        if anew:
            answer.reembedded.append(speaker.speaker_id)
    for threshold in archive.header.stored_thresholds if same_model else ():
        if directory.thresholds.among(tenant, [threshold.collection]) == (None,):
            await directory.store_threshold(tenant, threshold)
            answer.thresholds.append(threshold.collection)
    audit("import", speaker_ids=answer.imported, thresholds=answer.thresholds, model=bundle.id)
    return answer


def _require_usable(archive: Archive, bundle: VoiceBundle, *, same_model: bool) -> None:
    """Raises Conflict if a speaker has neither voiceprints of this model nor all recordings."""
    lacking = [
        speaker.speaker_id
        for speaker in archive.speakers
        if not speaker.has_all_audio and not (same_model and speaker.has_all_embeddings)
    ]
    if lacking:
        named = ", ".join(lacking[:_NAMED]) + (" and others" if len(lacking) > _NAMED else "")
        raise Conflict(
            f"The gallery is of {archive.header.model}, and {bundle.id} serves here. Recordings are missing "
            f"of {named}: they cannot be embedded anew. Serve {archive.header.model}, or enrol them again."
        )


async def _is_enrolled(directory: SpeakerDirectory, stored: str) -> bool:
    try:
        await directory.threads.run(directory.gallery.get, stored)
    except NotFound:
        return False
    return True


async def _embedded_anew(
    speaker: ArchivedSpeaker, index: VoiceIndex, pipeline: Pipeline
) -> list[NewUtterance]:
    recordings = []
    for utterance in speaker.utterances:  # one at a time: together they may be longer than a request may be
        try:
            recordings += await pipeline.embed([Upload(None, utterance.audio or b"")], required_s=0)
        except (InvalidAudio, NoSpeech, TooLarge, UnsupportedMedia) as error:
            raise BadRequest(
                f"Speaker {speaker.speaker_id!r}: a recording cannot be embedded anew. {error.detail}"
            ) from error
    utterances = new_utterances(recordings, index.model, index.scorer, retain_audio=False)
    return [
        replace(new, audio=old.audio, created_at=old.created_at)
        for new, old in zip(utterances, speaker.utterances, strict=True)
    ]
