"""`AsyncClient`: every call of a running service, for asyncio.

service/client/synchronous.py is made of this file by `python -m service.client.make_synchronous`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import httpx

from service.client import answers
from service.client.archive import NDJSON, parts_of
from service.client.errors import ClientError, ServiceRefused
from service.client.folders import AT_ONCE, EnrolOutcome, packed, people_of
from service.client.requests import DEFAULT_URL, Recording, as_form, fields_of, headers_of, said, url_part

_PAUSE_S = 1.0  # before a stream of events is opened again, or a job is looked at again
_PAGE = 1000  # speakers; 100 jobs
_JSON = {"Accept": "application/json"}
_NPY = {"Accept": "application/x-npy"}


class AsyncClient:
    """Calls a running service. An asynchronous context manager, which closes its connections.

    A recording is a path, or the bytes of an audio file. A call that fails raises a `ClientError`. One that
    the service puts off (429 or 503 with `Retry-After`) is sent again after the time that it names.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        key: str | None = None,
        *,
        timeout_s: float = 300.0,
        retries: int = 3,
        longest_wait_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Connects at the first call. Raises ClientError for a key that fits in no header.

        Args:
            retries: how often a call is sent again; 0: never.
            longest_wait_s: a call that would have to wait longer fails at once.
            transport: instead of HTTP, as `httpx.AsyncClient` takes it.
        """
        self._url = url
        self._retries = retries
        self._longest_wait_s = longest_wait_s
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers_of(key), timeout=timeout_s, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    # ---- voices ----

    async def embed(self, *recordings: Recording, segments: bool = False) -> answers.EmbedAnswer:
        """The voice embedding of each recording; with `segments`, also of every 1.024 s of speech."""
        answer = await self._send("POST", "/embed", recordings, segments=segments)
        return answers.EmbedAnswer.model_validate_json(answer.content)

    async def embed_npy(self, *recordings: Recording) -> bytes:
        """The voice embedding of each recording, as a file for `numpy.load`: (recordings, dim)."""
        return (await self._send("POST", "/embed", recordings, headers=_NPY)).content

    async def content(self, *recordings: Recording) -> answers.ContentAnswer:
        """What is said in each recording, as a vector a frame."""
        answer = await self._send("POST", "/content", recordings)
        return answers.ContentAnswer.model_validate_json(answer.content)

    async def content_npy(self, recording: Recording) -> bytes:
        """What is said in a recording, as a file for `numpy.load`: (frames, dim)."""
        return (await self._send("POST", "/content", [recording], headers=_NPY)).content

    async def enrol(
        self,
        speaker_id: str | None,
        *recordings: Recording,
        name: str | None = None,
        metadata: Mapping[str, object] | None = None,
        collection: Sequence[str] = (),
        consent: str | None = None,
        consent_at: datetime | None = None,
        retain_audio: bool = False,
        strict: bool = False,
    ) -> answers.EnrolledAnswer:
        """Enrols a voice. Without an id the service draws one.

        Args:
            collection: names of the collections that the voice is in from now on.
            consent: what the person agreed to, in words.
            consent_at: when that was, with a time zone. Default: now.
            retain_audio: the service keeps the recordings, for later models.
            strict: recordings that do not fit one voice are refused.
        """
        answer = await self._send(
            "POST",
            "/speakers",
            recordings,
            writes=True,
            speaker_id=speaker_id,
            name=name,
            metadata=None if metadata is None else json.dumps(metadata),
            collection=collection,
            consent=consent,
            consent_at=None if consent_at is None else consent_at.isoformat(),
            retain_audio=retain_audio,
            strict=strict or None,
        )
        return answers.EnrolledAnswer.model_validate_json(answer.content)

    async def enrol_from_diarization(
        self, speaker_id: str | None, job_id: str, label: str, *, name: str | None = None
    ) -> answers.EnrolledAnswer:
        """Enrols a voice that a diarization in the background found, as `unknown 2`."""
        answer = await self._send(
            "POST",
            "/speakers",
            [],
            writes=True,
            speaker_id=speaker_id,
            from_job=job_id,
            label=label,
            name=name,
        )
        return answers.EnrolledAnswer.model_validate_json(answer.content)

    async def add_audio(
        self, speaker_id: str, *recordings: Recording, retain_audio: bool = False, strict: bool = False
    ) -> answers.EnrolledAnswer:
        """Adds recordings to an enrolled voice."""
        answer = await self._send(
            "POST",
            f"/speakers/{url_part(speaker_id)}/audio",
            recordings,
            writes=True,
            retain_audio=retain_audio,
            strict=strict or None,
        )
        return answers.EnrolledAnswer.model_validate_json(answer.content)

    async def enrol_all(
        self,
        folder: str | os.PathLike[str],
        *,
        collection: Sequence[str] = (),
        consent: str | None = None,
        retain_audio: bool = False,
        strict: bool = False,
        progress: Callable[[EnrolOutcome], None] | None = None,
    ) -> list[EnrolOutcome]:
        """Enrols everybody of a folder: a folder of recordings for each person, or a file for each.

        Whoever is enrolled already, or is refused, is an outcome with a reason, and the others go on.
        `collection` and `consent` are of everybody, as `enrol` takes them. `progress` is called after each
        person. Raises ClientError if the service cannot be reached.
        """
        people = people_of(Path(folder))
        outcomes = []
        for done, (speaker_id, files) in enumerate(people.items(), 1):
            answer: answers.EnrolledAnswer | None = None
            reason, complete = "", False
            try:
                answer = await self.enrol(
                    speaker_id,
                    *files[:AT_ONCE],
                    collection=collection,
                    consent=consent,
                    retain_audio=retain_audio,
                    strict=strict,
                )
                for start in range(AT_ONCE, len(files), AT_ONCE):
                    more = files[start : start + AT_ONCE]
                    answer = await self.add_audio(speaker_id, *more, retain_audio=retain_audio, strict=strict)
                complete = True
            except ServiceRefused as error:
                reason = str(error)
                if answer is None and error.code == "conflict":
                    enrolled = (await self.speaker(speaker_id)).utterances
                    complete = enrolled >= len(files)
                    reason = f"Enrolled already, with {enrolled} recordings."
                    if not complete:
                        reason += (
                            f" The folder has {len(files)}: add the rest, POST /speakers/{speaker_id}/audio"
                        )
            outcomes.append(EnrolOutcome(speaker_id, done, len(people), answer, reason, complete))
            if progress is not None:
                progress(outcomes[-1])
        return outcomes

    async def enrol_archive(
        self,
        archive: Recording,
        *,
        collection: Sequence[str] = (),
        consent: str | None = None,
        retain_audio: bool = False,
        strict: bool = False,
        progress: Callable[[answers.BulkAnswer], None] | None = None,
    ) -> answers.BulkAnswer:
        """Sends a zip, a tar or a folder at once; the service enrols everybody of it in the background.

        The other arguments are those of `enrol_all`. `progress` is called each second until the job is over.
        """
        folder = not isinstance(archive, bytes) and Path(archive).is_dir()
        started = await self._send(
            "POST",
            "/enrolments",
            [packed(Path(os.fsdecode(archive))) if folder else archive],
            "archive",
            writes=True,
            collection=collection,
            consent=consent,
            retain_audio=retain_audio,
            strict=strict or None,
        )
        return await self.wait_for_enrolments(started.json()["job_id"], progress)

    async def wait_for_enrolments(
        self, job_id: str, progress: Callable[[answers.BulkAnswer], None] | None = None
    ) -> answers.BulkAnswer:
        """The report of an archive, once it is enrolled. `progress` is called each second until then."""
        while True:
            job = await self.enrolments(job_id)
            if progress is not None:
                progress(job)
            if job.finished_at is not None:
                return job
            await asyncio.sleep(_PAUSE_S)

    async def enrolments(self, job_id: str) -> answers.BulkAnswer:
        """How far an archive is enrolled, and what became of each recording."""
        answer = await self._send("GET", f"/enrolments/{url_part(job_id)}")
        return answers.BulkAnswer.model_validate_json(answer.content)

    async def end_enrolments(self, job_id: str) -> None:
        """Ends the enrolment of an archive. Whoever is enrolled already stays."""
        await self._send("DELETE", f"/enrolments/{url_part(job_id)}")

    async def speakers(self, *, collection: Sequence[str] = ()) -> AsyncIterator[answers.SpeakerAnswer]:
        """Every enrolled voice, or those in any of some collections, in the order of the ids."""
        cursor: str | None = None
        while True:
            params = {"limit": _PAGE, "cursor": cursor, "collection": collection}
            answer = await self._send("GET", "/speakers", params=params)
            page = answers.SpeakersAnswer.model_validate_json(answer.content)
            for speaker in page.speakers:
                yield speaker
            if (cursor := page.next_cursor) is None:
                return

    async def speaker(self, speaker_id: str) -> answers.SpeakerAnswer:
        """One enrolled voice."""
        answer = await self._send("GET", f"/speakers/{url_part(speaker_id)}")
        return answers.SpeakerAnswer.model_validate_json(answer.content)

    async def delete(self, speaker_id: str) -> None:
        """Erases a voice and its retained audio. Cannot be undone."""
        await self._send("DELETE", f"/speakers/{url_part(speaker_id)}")

    async def recordings(self, speaker_id: str) -> answers.RecordingsAnswer:
        """What a voiceprint is made of."""
        answer = await self._send("GET", f"/speakers/{url_part(speaker_id)}/recordings")
        return answers.RecordingsAnswer.model_validate_json(answer.content)

    async def recording(self, speaker_id: str, number: int) -> bytes:
        """The retained audio of one recording: Ogg Opus."""
        path = f"/speakers/{url_part(speaker_id)}/recordings/{number}"
        return (await self._send("GET", path, headers={"Accept": "audio/ogg"})).content

    async def remove_recording(self, speaker_id: str, number: int) -> None:
        """Erases one recording. The voiceprint is then made from the others."""
        await self._send("DELETE", f"/speakers/{url_part(speaker_id)}/recordings/{number}")

    async def erasures(self) -> answers.ErasuresAnswer:
        """Erasures that are not finished, and what is left."""
        return answers.ErasuresAnswer.model_validate_json((await self._send("GET", "/erasures")).content)

    async def rename(
        self, speaker_id: str, name: str | None, *, metadata: Mapping[str, object] | None = None
    ) -> answers.SpeakerAnswer:
        """Changes a speaker's name, and the metadata if they are given. None: no name."""
        changes = {"name": name} | ({} if metadata is None else {"metadata": metadata})
        return await self._change(speaker_id, changes)

    async def move(self, speaker_id: str, collections: Sequence[str]) -> answers.SpeakerAnswer:
        """From now on the speaker is in these collections and in no other."""
        return await self._change(speaker_id, {"collections": list(collections)})

    async def _change(self, speaker_id: str, changes: Mapping[str, object]) -> answers.SpeakerAnswer:
        answer = await self._send("PATCH", f"/speakers/{url_part(speaker_id)}", json=changes)
        return answers.SpeakerAnswer.model_validate_json(answer.content)

    async def export_gallery(self, *, audio: bool = True) -> AsyncIterator[str]:
        """All voices as lines of JSON; with `audio`, retained recordings too.

        Raises ClientError where the last line is missing: then the service failed in the middle.
        """
        with said(self._url):
            async with self._http.stream("GET", "/gallery", params=fields_of({"audio": audio})) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise ServiceRefused.of(answer)
                line = ""
                async for line in answer.aiter_lines():
                    yield line
                if not line.startswith('{"end":'):
                    raise ClientError("The service ended the export in its middle: export again.")

    async def import_gallery(self, lines: Iterable[str]) -> answers.ImportAnswer:
        """Enrols the speakers of an exported gallery, in several calls if it is large.

        Ids that are enrolled stay as they are: an import that failed can be sent again.
        """
        parts = []
        for body in parts_of(lines):
            answer = await self._send(
                "POST", "/gallery", headers={"Content-Type": NDJSON}, content=body.encode()
            )
            parts.append(answers.ImportAnswer.model_validate_json(answer.content))
        return answers.ImportAnswer(
            imported=[speaker_id for part in parts for speaker_id in part.imported],
            reembedded=[speaker_id for part in parts for speaker_id in part.reembedded],
            skipped=[speaker_id for part in parts for speaker_id in part.skipped],
            thresholds=[collection for part in parts for collection in part.thresholds],
            model=parts[-1].model,
        )

    async def identify(
        self,
        recording: Recording,
        *,
        collection: Sequence[str] = (),
        top_k: int | None = None,
        threshold: float | None = None,
        target_fpr: float | None = None,
    ) -> answers.IdentifyAnswer:
        """Who speaks, among the enrolled voices and nobody. `collection` keeps to some of the voices."""
        answer = await self._send(
            "POST",
            "/identify",
            [recording],
            collection=collection,
            top_k=top_k,
            threshold=threshold,
            target_fpr=target_fpr,
        )
        return answers.IdentifyAnswer.model_validate_json(answer.content)

    async def verify(
        self,
        speaker_id: str,
        recording: Recording,
        *,
        collection: Sequence[str] = (),
        threshold: float | None = None,
        target_fpr: float | None = None,
    ) -> answers.VerifyAnswer:
        """Whether it is this speaker, who has to be in one of the collections if there are any."""
        answer = await self._send(
            "POST",
            "/verify",
            [recording],
            speaker_id=speaker_id,
            collection=collection,
            threshold=threshold,
            target_fpr=target_fpr,
        )
        return answers.VerifyAnswer.model_validate_json(answer.content)

    async def calibrate(
        self,
        recordings: Mapping[str, Sequence[Recording]],
        *,
        target_fpr: float | None = None,
        collection: str | None = None,
        store: Literal["chosen", "equal"] | None = None,
    ) -> answers.CalibrateAnswer:
        """What thresholds do on your own recordings, by who speaks in them. No recording is stored.

        With `collection`, the threshold of `store` is: from then on it decides about those voices.
        """
        pairs = [(speaker, recording) for speaker, several in recordings.items() for recording in several]
        answer = await self._send(
            "POST",
            "/calibrate",
            [recording for _, recording in pairs],
            speaker=[speaker for speaker, _ in pairs],
            target_fpr=target_fpr,
            collection=collection,
            store=store,
        )
        return answers.CalibrateAnswer.model_validate_json(answer.content)

    async def thresholds(self) -> answers.ThresholdsAnswer:
        """The stored thresholds of collections, and whether they count under the model that serves."""
        return answers.ThresholdsAnswer.model_validate_json((await self._send("GET", "/thresholds")).content)

    async def remove_threshold(self, collection: str) -> None:
        """Removes the threshold of a collection: the model's own decides there again."""
        await self._send("DELETE", f"/thresholds/{url_part(collection)}")

    async def diarize(
        self,
        recording: Recording,
        *,
        collection: Sequence[str] = (),
        num_speakers: int | None = None,
        min_speakers: int | None = None,
        max_speakers: int | None = None,
        target_fpr: float | None = None,
    ) -> answers.DiarizeAnswer:
        """Who speaks when in a recording of several people. Names are of the voices in `collection`."""
        answer = await self._send(
            "POST",
            "/diarize",
            [recording],
            collection=collection,
            num_speakers=num_speakers,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            target_fpr=target_fpr,
        )
        return answers.DiarizeAnswer.model_validate_json(answer.content)

    async def diarize_in_background(
        self,
        recording: Recording,
        *,
        collection: Sequence[str] = (),
        num_speakers: int | None = None,
        target_fpr: float | None = None,
        progress: Callable[[answers.LongDiarizeAnswer], None] | None = None,
    ) -> answers.LongDiarizeAnswer:
        """Who speaks when in a recording of hours. `progress` is called each second until it is over."""
        started = await self._send(
            "POST",
            "/diarize",
            [recording],
            background=True,
            collection=collection,
            num_speakers=num_speakers,
            target_fpr=target_fpr,
        )
        while True:
            job = await self.diarization(started.json()["job_id"])
            if progress is not None:
                progress(job)
            if job.finished_at is not None:
                return job
            await asyncio.sleep(_PAUSE_S)

    async def diarization(self, job_id: str) -> answers.LongDiarizeAnswer:
        """A diarization in the background. The service forgets it after a while, and at a restart."""
        answer = await self._send("GET", f"/diarize/{url_part(job_id)}")
        return answers.LongDiarizeAnswer.model_validate_json(answer.content)

    # ---- generation ----

    async def generate(
        self, label: str, *, seed: int | None = None, n: int = 1, style: Recording | None = None
    ) -> answers.GenerateAnswer:
        """Clips of a second for a label, one of `labels`."""
        recordings = [] if style is None else [style]
        answer = await self._send("POST", "/generate", recordings, "style", label=label, seed=seed, n=n)
        return answers.GenerateAnswer.model_validate_json(answer.content)

    async def labels(self) -> answers.LabelsAnswer:
        """What can be generated."""
        return answers.LabelsAnswer.model_validate_json((await self._send("GET", "/generate/labels")).content)

    # ---- fine-tuning ----

    async def finetune(
        self,
        *recordings: Recording,
        speaker_ids: list[str] | None = None,
        steps: int | None = None,
        same_voice_seconds: float | None = None,
        activate: Literal["never", "if_better"] = "never",
    ) -> answers.FinetuneAnswer:
        """Starts a job on recordings, on the retained audio of speakers, or on both."""
        answer = await self._send(
            "POST",
            "/finetune",
            recordings,
            writes=True,
            speaker_ids=",".join(speaker_ids) if speaker_ids else None,
            steps=steps,
            same_voice_seconds=same_voice_seconds,
            activate=activate,
        )
        return answers.FinetuneAnswer.model_validate_json(answer.content)

    async def jobs(self) -> AsyncIterator[answers.JobAnswer]:
        """Every job, newest first."""
        cursor: str | None = None
        while True:
            answer = await self._send("GET", "/finetune", params={"cursor": cursor})
            page = answers.JobsAnswer.model_validate_json(answer.content)
            for job in page.jobs:
                yield job
            if (cursor := page.next_cursor) is None:
                return

    async def job(self, job_id: str) -> answers.JobAnswer:
        """A job as it is now."""
        answer = await self._send("GET", f"/finetune/{url_part(job_id)}")
        return answers.JobAnswer.model_validate_json(answer.content)

    async def cancel(self, job_id: str) -> None:
        """Cancels an unfinished job."""
        await self._send("DELETE", f"/finetune/{url_part(job_id)}")

    async def follow(self, job_id: str) -> AsyncIterator[answers.JobAnswer]:
        """The job after every change, until it is over. A stream that is cut is opened again.

        Raises ClientError if it ends again and again before the job does.
        """
        why = "The service closed the connection, but the job continues."
        for attempt in range(self._retries + 1):
            if attempt:
                await asyncio.sleep(_PAUSE_S)
            path = f"/finetune/{url_part(job_id)}/events"
            with said(self._url):
                async with self._http.stream("GET", path) as answer:
                    if not answer.is_success:
                        await answer.aread()
                        raise ServiceRefused.of(answer)
                    with suppress(httpx.TransportError):  # cut in the middle
                        event = ""
                        async for line in answer.aiter_lines():
                            name, _, value = line.partition(":")
                            if name == "event":
                                event = value.strip()
                            elif name == "data" and event == "end":
                                why = json.loads(value)["detail"]
                            elif name == "data":
                                job = answers.JobAnswer.model_validate_json(value)
                                yield job
                                if job.finished_at is not None:
                                    return
        raise ClientError(why)

    async def wait(
        self, job_id: str, progress: Callable[[answers.JobAnswer], None] | None = None
    ) -> answers.JobAnswer:
        """The job, once it is over. `progress` is called after every change."""
        async for job in self.follow(job_id):
            if progress is not None:
                progress(job)
        return job

    # ---- models and the service ----

    async def models(self) -> answers.ModelsAnswer:
        """Every version, and the one that serves."""
        return answers.ModelsAnswer.model_validate_json((await self._send("GET", "/models")).content)

    async def activate(self, version: str) -> answers.ActivateAnswer:
        """Switches to a version, given as `1.1.0` or `autodecompose/1.1.0`."""
        path = f"/models/{url_part(version, folders=True)}/activate"
        answer = await self._send("POST", path, writes=True)
        return answers.ActivateAnswer.model_validate_json(answer.content)

    async def remove_model(self, version: str) -> None:
        """Removes a fine-tuned version that does not serve."""
        await self._send("DELETE", f"/models/{url_part(version, folders=True)}")

    async def ready(self) -> answers.ReadyAnswer:
        """Which model serves. Waits, as every call does, while it is being loaded."""
        return answers.ReadyAnswer.model_validate_json((await self._send("GET", "/readyz")).content)

    async def _send(
        self,
        method: str,
        path: str,
        recordings: tuple[Recording, ...] | list[Recording] | None = None,
        file_field: str = "audio",
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] = _JSON,
        writes: bool = False,
        content: bytes | None = None,
        json: object = None,
        **form: object,
    ) -> httpx.Response:
        """The answer to a call, sent again where the service says so. Recordings are streamed from disk."""
        attempt = 0
        while True:
            with said(self._url), ExitStack() as files:
                parts = None if recordings is None else as_form(recordings, file_field, form, files)
                answer = await self._http.request(
                    method,
                    path,
                    params=fields_of(params),
                    headers=headers,
                    files=parts,
                    content=content,
                    json=json,
                )
            if answer.is_success:
                return answer
            error = ServiceRefused.of(answer)
            wait_s = error.wait_s(writes=writes) if isinstance(error, ServiceRefused) else None
            if wait_s is None or wait_s > self._longest_wait_s or attempt == self._retries:
                raise error
            attempt += 1
            await asyncio.sleep(wait_s)
