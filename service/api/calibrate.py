"""POST /calibrate: what a threshold does on a user's own recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, model_validator

from bundle.scoring import Scorer
from service.api.accept import prefers
from service.api.audio import AudioAnswer, audio_answer
from service.api.collections import CollectionName
from service.api.deps import AuditDep, DirectoryDep, PipelineDep, SettingsDep, TenantDep, require_scope
from service.api.problems import AUDIO_STATUSES, problem_responses
from service.api.thresholds import ThresholdAnswer, threshold_answer
from service.api.uploads import AudioRequest, audio_body, audio_request
from service.audio.decoder import EmbeddedRecording
from service.calibration import ErrorCurves, run_trials
from service.errors import BadRequest
from service.speakers.thresholds import PointName, StoredThreshold

router = APIRouter(tags=["speakers"])

PNG = "image/png"
_JSON = "application/json"


class CalibrateParams(BaseModel):
    """Parameters of /calibrate."""

    speaker: list[str] = Field(
        default_factory=list,
        max_length=1000,
        description="Who speaks, in any words of yours: one for each file, in the order of the files.",
    )
    target_fpr: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Rate at which strangers may be accepted at `threshold`. Default: TWOFOLD_TARGET_FPR.",
    )
    collection: CollectionName | None = Field(
        None,
        description="Stores a threshold for this collection, in place of one that is there. From then on it "
        "decides wherever a request names the collection, and neither `threshold` nor `target_fpr`. Needs "
        "the scope `enrol`. Default: nothing is stored.",
    )
    store: PointName | None = Field(
        None, description="Which threshold is stored for `collection`. Default: `chosen`."
    )

    @model_validator(mode="after")
    def _collection_is_named(self) -> CalibrateParams:
        if self.store is not None and self.collection is None:
            raise ValueError("`store` needs `collection`: for which collection?")
        return self


class RatesAnswer(BaseModel):
    """What a threshold does."""

    threshold: float
    false_accept_rate: float = Field(description="Share of the trials of strangers that it accepts.")
    false_reject_rate: float = Field(description="Share of the trials of owners that it refuses.")


class CalibrateAnswer(BaseModel):
    """The two error curves over the threshold, measured on the recordings that came."""

    model: str
    score_type: str
    speakers: int
    own_trials: int = Field(description="Recordings against their speaker's other recordings.")
    stranger_trials: int = Field(description="Recordings against the voices of the other speakers.")
    target_fpr: float
    chosen: RatesAnswer = Field(description="The least threshold that keeps to `target_fpr` here.")
    default: RatesAnswer = Field(description="The threshold that the model would take for these recordings.")
    equal: RatesAnswer = Field(description="Where both rates are most alike.")
    curves: list[RatesAnswer] = Field(description="From the lowest score to the highest.")
    warnings: list[str]
    audio: list[AudioAnswer] = Field(description="In the order of the files.")
    stored: ThresholdAnswer | None = Field(description="What was stored for `collection`; null: nothing.")


@router.post(
    "/calibrate",
    response_model=CalibrateAnswer,
    responses=problem_responses(*AUDIO_STATUSES) | {200: {"content": {PNG: {}}}},
    openapi_extra=audio_body(CalibrateParams),
)
async def calibrate(
    body: Annotated[AudioRequest[CalibrateParams], Depends(audio_request(CalibrateParams))],
    request: Request,
    pipeline: PipelineDep,
    directory: DirectoryDep,
    settings: SettingsDep,
    tenant: TenantDep,
    audit: AuditDep,
) -> Response | CalibrateAnswer:
    """Error rates over the threshold, on labelled recordings. No recording and no voice is stored.

    Each recording is compared with its speaker's other recordings, and with those of every other speaker.
    With `collection`, a threshold is stored for it; else pass `chosen.threshold` as `threshold` to /verify.
    GET /thresholds shows what is stored. `Accept: image/png` gives a picture of both curves.
    """
    params = body.params
    _require_speakers(params.speaker, len(body.files))
    if params.collection is not None:
        require_scope(request, "enrol")
    target_fpr = params.target_fpr or settings.target_fpr
    recordings = await pipeline.embed(body.files, required_s=settings.min_speech_identify_s)
    scorer = Scorer(pipeline.engine.bundle.scoring)
    curves = await asyncio.to_thread(
        lambda: ErrorCurves.of(run_trials([r.embeddings for r in recordings], params.speaker, scorer))
    )
    chosen = curves.threshold(target_fpr)
    stored = None
    if params.collection is not None:
        point = params.store or "chosen"
        rates = _rates(curves, chosen if point == "chosen" else curves.equal)
        stored = StoredThreshold(
            **dict(rates),
            collection=params.collection,
            model=pipeline.model,
            point=point,
            own_trials=len(curves.trials.own),
            stranger_trials=len(curves.trials.strangers),
            stored_at=datetime.now(UTC),
        )
        await directory.store_threshold(tenant, stored)
    audit(
        "calibrate",
        recordings=len(recordings),
        collection=params.collection,
        threshold=stored.threshold if stored else None,
        model=pipeline.model,
    )
    if prefers(request, PNG, over=_JSON):
        from service.calibration.picture import draw_curves  # a tenth of a second to import

        caption = f"{len(curves.trials.own)} trials of owners, {len(curves.trials.strangers)} of strangers"
        png = await asyncio.to_thread(draw_curves, curves, chosen, f"{pipeline.model}: {caption}")
        return Response(png, media_type=PNG)
    return CalibrateAnswer(
        model=pipeline.model,
        score_type=scorer.score_type,
        speakers=len(set(params.speaker)),
        own_trials=len(curves.trials.own),
        stranger_trials=len(curves.trials.strangers),
        target_fpr=target_fpr,
        chosen=_rates(curves, chosen),
        default=_rates(curves, _default(recordings, scorer, target_fpr)),
        equal=_rates(curves, curves.equal),
        curves=[
            RatesAnswer(threshold=t, false_accept_rate=a, false_reject_rate=r)
            for t, a, r in zip(curves.thresholds, curves.false_accept, curves.false_reject, strict=True)
        ],
        warnings=_warnings(curves, target_fpr),
        audio=[audio_answer(recording.prepared.audio) for recording in recordings],
        stored=threshold_answer(stored, pipeline.model) if stored else None,
    )


def _require_speakers(speakers: Sequence[str], files: int) -> None:
    """Raises BadRequest where there would be no trial."""
    if len(speakers) != files:
        raise BadRequest(
            f"There are {files} files and {len(speakers)} speakers. Give one `speaker` for each file, in "
            "their order, for example -F speaker=ann -F audio=@ann1.wav -F speaker=bob -F audio=@bob1.wav."
        )
    if len(set(speakers)) < 2 or len(set(speakers)) == len(speakers):
        raise BadRequest(
            "Send recordings of at least two speakers, and at least two recordings of one of them. "
            "Else there is nothing to compare."
        )


def _rates(curves: ErrorCurves, threshold: float) -> RatesAnswer:
    accepted, refused = curves.at(threshold)
    return RatesAnswer(threshold=threshold, false_accept_rate=accepted, false_reject_rate=refused)


def _default(recordings: Sequence[EmbeddedRecording], scorer: Scorer, target_fpr: float) -> float:
    """The mean of the model's thresholds for recordings of these lengths and lines."""
    thresholds = [
        scorer.threshold(target_fpr, seconds=audio.speech_s, narrow=audio.narrow)
        for audio in (recording.prepared.audio for recording in recordings)
    ]
    return float(np.mean(thresholds))


def _warnings(curves: ErrorCurves, target_fpr: float) -> list[str]:
    strangers, own = len(curves.trials.strangers), len(curves.trials.own)
    warnings = []
    if strangers * target_fpr < 1:
        warnings.append(
            f"{strangers} trials of strangers cannot show a rate of {target_fpr:g}: `chosen` lies just above "
            "the best of them. Send more speakers and recordings."
        )
    if own < 10:
        warnings.append(f"With {own} trials of owners, rates of refused owners are rough.")
    return warnings
