"""POST /speakers and /speakers/{speaker_id}/audio: recordings become an enrolment, or part of one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, model_validator

from service.api.audio import AudioAnswer, audio_answer
from service.api.collections import MembershipParams
from service.api.consent import ConsentParams
from service.api.deps import (
    Audit,
    AuditDep,
    DirectoryDep,
    PipelineDep,
    RuntimeDep,
    SettingsDep,
    TenantDep,
    stored_id,
)
from service.api.long_diarizations import utterance_of
from service.api.metadata import FormMetadata
from service.api.pipeline import Pipeline
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.speaker_answers import SpeakerAnswer, speaker_answer
from service.api.uploads import AudioRequest, audio_body, audio_request, no_audio
from service.audio.decoder import EmbeddedRecording, Upload
from service.errors import BadRequest, InsufficientSpeech
from service.settings import Settings
from service.speakers import (
    NewUtterance,
    Sorted,
    Speaker,
    SpeakerDirectory,
    VoiceIndex,
    new_utterances,
    require_faultless,
    sort_out,
)
from service.speakers.archive import MAX_METADATA_CHARS, SPEAKER_ID
from service.tenants import Tenant, shown

router = APIRouter(prefix="/speakers", tags=["speakers"])


class PieceParams(BaseModel):
    """Which parts of a recording are used."""

    start_s: list[float] = Field(
        default_factory=list,
        max_length=100,
        description="Use only pieces of the recording, such as the segments of one label that /diarize "
        "found: the start of each in seconds; repeatable, with as many `end_s`.",
    )
    end_s: list[float] = Field(
        default_factory=list, max_length=100, description="The end of each piece in seconds; repeatable."
    )

    @model_validator(mode="after")
    def _pieces_are_pairs(self) -> Self:
        if len(self.start_s) != len(self.end_s):
            raise ValueError("give as many end_s as start_s")
        return self

    def pieces_of(self, files: list[Upload]) -> list[Upload]:
        """The files, or the pieces of the only one. Raises BadRequest."""
        if not self.start_s:
            return files
        if len(files) > 1:
            raise BadRequest("start_s and end_s are about one recording: send a request for each file.")
        return [replace(files[0], pieces=tuple(zip(self.start_s, self.end_s, strict=True)))]


class EnrolParams(PieceParams, MembershipParams, ConsentParams):
    """Parameters of an enrolment."""

    speaker_id: str | None = Field(
        None,
        pattern=SPEAKER_ID,
        description="Your id for the speaker. Default: a random id.",
    )
    name: str | None = Field(None, max_length=200, description="Shown in answers.")
    metadata: FormMetadata = Field(
        default_factory=dict,
        description=f"A JSON object, stored unchanged; at most {MAX_METADATA_CHARS} characters.",
        json_schema_extra={
            "type": "string",
            "contentMediaType": "application/json",
            "additionalProperties": True,
            "examples": ['{"team": "blue"}'],
        },
    )
    retain_audio: bool = Field(
        False, description="Keep the recordings, so that the voice survives a change of the model."
    )
    strict: bool = Field(
        False,
        description="Refuse recordings that would give the enrolment `quality.issues`; nothing is stored.",
    )
    from_job: str | None = Field(
        None, max_length=64, description="Instead of a file: a diarization in the background."
    )
    label: str | None = Field(
        None, max_length=200, description="With `from_job`: the voice, as `unknown 2`, to be enrolled."
    )

    @model_validator(mode="after")
    def _a_label_is_of_a_job(self) -> Self:
        if (self.from_job is None) != (self.label is None):
            raise ValueError("give from_job and label together")
        if self.from_job is not None and (self.start_s or self.retain_audio):
            raise ValueError("from_job has no recording to cut or to retain")
        return self


class AddParams(PieceParams):
    """Parameters of adding audio."""

    retain_audio: bool = Field(
        False, description="Keep the recordings, so that the voice survives a change of the model."
    )
    strict: bool = Field(
        False,
        description="Refuse recordings that would give the enrolment `quality.issues`; nothing is stored.",
    )


class EnrolledAnswer(SpeakerAnswer):
    """An enrolled voice, with what was measured of the recordings that came with the request."""

    audio: list[AudioAnswer] = Field(description="In the order of the files.")
    feedback: list[str] = Field(
        description="One code a file: `audio_ok`, or the `kind` of its first issue. A file that is "
        "`same_recording` was not added."
    )


@router.post(
    "",
    status_code=201,
    responses=problem_responses(404, 409, *AUDIO_STATUSES),
    openapi_extra=audio_body(EnrolParams, files_required=False),
)
async def enrol(
    body: Annotated[AudioRequest[EnrolParams], Depends(audio_request(EnrolParams, files_required=False))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    tenant: TenantDep,
    runtime: RuntimeDep,
    audit: AuditDep,
    request: Request,
    response: Response,
) -> EnrolledAnswer:
    """Enrols a voice from one or more recordings of one person. Once answered, it is stored durably.

    `from_job` and `label` enrol a voice that a diarization in the background found, without a recording.
    """
    if body.params.from_job is not None:
        if body.files:
            raise BadRequest("from_job takes the place of a file: send one or the other.")
        index = await directory.index(pipeline.engine.bundle)
        job = runtime.diarizations.get(body.params.from_job, tenant)
        utterance = await asyncio.to_thread(
            utterance_of,
            job,
            str(body.params.label),
            index,
            tenant,
            directory.collections,
            settings.min_speech_enrol_s,
        )
        answer = await _stored([utterance], [], Sorted(), index, body.params, directory, tenant, audit)
    elif not body.files:
        raise no_audio()
    else:
        answer = await enrol_recordings(body.files, body.params, pipeline, directory, settings, tenant, audit)
    response.headers["Location"] = f"{request.scope['root_path']}/speakers/{answer.speaker_id}"
    return answer


async def enrol_recordings(
    files: list[Upload],
    params: EnrolParams,
    pipeline: Pipeline,
    directory: SpeakerDirectory,
    settings: Settings,
    tenant: Tenant,
    audit: Audit,
) -> EnrolledAnswer:
    """Stores a new voice. Raises what POST /speakers answers with."""
    index = await directory.index(pipeline.engine.bundle)
    recordings = await pipeline.embed(
        params.pieces_of(files), required_s=settings.min_speech_enrol_s, together=True
    )
    arrived = await asyncio.to_thread(sort_out, recordings, index.model, retain_audio=params.retain_audio)
    require_speech(arrived.new, settings.min_speech_enrol_s)
    utterances = await asyncio.to_thread(
        new_utterances, arrived.new, index.model, index.scorer, retain_audio=params.retain_audio
    )
    return await _stored(utterances, recordings, arrived, index, params, directory, tenant, audit)


async def _stored(
    utterances: list[NewUtterance],
    recordings: Sequence[EmbeddedRecording],
    arrived: Sorted,
    index: VoiceIndex,
    params: EnrolParams,
    directory: SpeakerDirectory,
    tenant: Tenant,
    audit: Audit,
) -> EnrolledAnswer:
    speaker_id = stored_id(tenant, params.speaker_id or uuid.uuid4().hex)
    if params.strict:
        require_faultless(utterances, index.model, index.scorer, speaker_id=speaker_id, copies=arrived.issues)
    speaker = await directory.enrol(
        index,
        speaker_id,
        name=params.name,
        metadata=params.metadata,
        utterances=utterances,
        collections=params.collection,
        consent=params.given_consent,
    )
    audit("enrol", speaker_id=shown(speaker.speaker_id), collection=params.collection, model=index.model)
    return _enrolled(speaker, index, recordings, arrived)


@router.post(
    "/{speaker_id}/audio",
    responses=problem_responses(404, *AUDIO_STATUSES),
    openapi_extra=audio_body(AddParams),
)
async def add_audio(
    speaker_id: str,
    body: Annotated[AudioRequest[AddParams], Depends(audio_request(AddParams))],
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> EnrolledAnswer:
    """Adds recordings to an enrolment. A stale enrolment needs as much speech as a new one."""
    speaker_id = stored_id(tenant, speaker_id)
    index = await directory.index(pipeline.engine.bundle)
    speaker = await directory.threads.run(directory.gallery.get, speaker_id)
    known_s = sum(u.speech_s for u in speaker.utterances if index.model in u.embeddings)
    required_s = max(settings.min_speech_identify_s, settings.min_speech_enrol_s - known_s)
    recordings = await pipeline.embed(body.params.pieces_of(body.files), required_s=required_s, together=True)
    speaker = await directory.threads.run(directory.gallery.get, speaker_id)  # others may have added to it
    retain_audio = body.params.retain_audio
    arrived = await asyncio.to_thread(
        sort_out, recordings, index.model, retain_audio=retain_audio, speaker=speaker
    )
    utterances = await asyncio.to_thread(
        new_utterances,
        arrived.new,
        index.model,
        index.scorer,
        retain_audio=retain_audio,
        speaker=speaker,
    )
    if body.params.strict:
        require_faultless(
            utterances,
            index.model,
            index.scorer,
            speaker_id=speaker_id,
            enrolled=speaker.utterances,
            copies=arrived.issues,
        )
    if utterances:
        require_speech(arrived.new, required_s)
        speaker = await directory.add_utterances(index, speaker_id, utterances)
    for number in arrived.replaced:
        speaker = await directory.remove_utterance(index, speaker_id, number)
    audit("add_audio", speaker_id=shown(speaker_id), model=index.model)
    return _enrolled(speaker, index, recordings, arrived)


def require_speech(recordings: Sequence[EmbeddedRecording], required_s: float) -> None:
    """Raises InsufficientSpeech if there is too little without the copies."""
    speech_s = sum(recording.prepared.crops.speech_s for recording in recordings)
    if speech_s < required_s:
        raise InsufficientSpeech(speech_s=speech_s, required_s=required_s)


def _enrolled(
    speaker: Speaker, index: VoiceIndex, recordings: Sequence[EmbeddedRecording], arrived: Sorted
) -> EnrolledAnswer:
    answer = speaker_answer(speaker, index, arrived.issues)
    kinds = {
        issue.recording: issue.kind
        for issue in reversed(answer.quality.issues)
        if issue.kind != "same_recording"
    }
    added = iter(speaker.utterances[len(speaker.utterances) - len(arrived.new) :])
    return EnrolledAnswer(
        **dict(answer),
        audio=[audio_answer(recording.prepared.audio) for recording in recordings],
        feedback=[
            "same_recording" if place in arrived.copies else kinds.get(next(added).number, "audio_ok")
            for place in range(len(recordings))
        ],
    )
