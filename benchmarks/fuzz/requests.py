"""Requests that Schemathesis makes of the OpenAPI document: each call by itself, then along its links."""

from __future__ import annotations

import io
import random
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Flaky
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary

from benchmarks.fuzz.clips import clips
from benchmarks.fuzz.place import TENANTS, Place
from benchmarks.fuzz.tally import Tally

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_STEPS = 10  # requests of one walk along the links
_WALKS = 20  # between two seeds
_USABLE = 0.7  # share of cases that get a recording and an id that the service can use
_LONGEST_S = 120.0
_AUDIO = ("audio/wav", "audio/flac", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/webm", "audio/amr")
_RAW = (*_AUDIO, "application/octet-stream")
_ARCHIVES = ("application/zip", "application/x-tar", "application/gzip")
_LINES = "application/x-ndjson"
_NEEDED = ("archive", "audio", "speaker_id", "label", "style")
_ENDLESS = [
    f"/{jobs}/{{job_id}}/events" for jobs in ("finetune", "diarize", "enrolments")
]  # as long as a job


@schemathesis.serializer(*_AUDIO, *_ARCHIVES, _LINES)
def _as_it_is(_: schemathesis.SerializationContext, value: Any) -> bytes:
    return serialize_binary(value)


def send_requests(place: Place, examples: Path, cases: int, seed: int, tally: Tally) -> None:
    """Sends at least `cases` requests, half of them call by call and half along links.

    A fault is a 5xx, an answer that the document does not have, the id of another tenant's speaker, no
    answer, and a service that is not ready afterwards.
    """
    document = httpx.get(f"{place.url}/openapi.json", trust_env=False).json()
    schema = schemathesis.openapi.from_dict(document).exclude(path=_ENDLESS)
    sender = _Sender(place, examples, seed, tally)
    operations: list[Any] = list(schema.get_all_operations())
    for operation in operations:
        _send_each(operation.ok(), sender, -(-cases // 2 // len(operations)), seed)
    walk: Any = _walks(schema, sender)
    for number in range(cases):
        if tally.cases >= cases:
            break
        walk._hypothesis_internal_use_seed = seed + number  # what hypothesis.seed sets on functions
        with suppress(Flaky):  # the same request has another answer when somebody was enrolled meanwhile
            walk.run(settings=_settings(_WALKS, stateful_step_count=_STEPS))
    if httpx.get(f"{place.url}/readyz", trust_env=False).status_code != 200:
        tally.fault("not ready", "after the last request")


class _Sender:
    """Sends cases: with keys of several tenants, and mostly with a recording that can be used."""

    def __init__(self, place: Place, examples: Path, seed: int, tally: Tally) -> None:
        self.chance = random.Random(seed)
        self._place = place
        self._tally = tally
        self._clips = clips(examples)
        self._enrolled: dict[str, set[str]] = {
            tenant: set() for tenant in TENANTS
        }  # also who was erased since
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, case: schemathesis.Case[Any], tenant: str) -> schemathesis.Response | None:
        """The answer to the case, dressed for a tenant; it is counted. None where there was none."""
        if self.chance.random() < _USABLE:
            self._give_clip(case)
        if self.chance.random() < 0.2:
            tenant = self.chance.choice(TENANTS)
        if self.chance.random() < _USABLE:
            self._give_id(case, tenant)
        key = self.chance.choices((self._place.keys[tenant], "unknown", None), (94, 3, 3))[0]
        if key:
            case.headers["Authorization"] = f"Bearer {key}"
        started = time.perf_counter()
        try:
            answer = case.call(base_url=self._place.url, session=self._session, timeout=_LONGEST_S)
        except requests.RequestException as error:
            self._tally.fault("no answer", f"{case.method} {case.path}: {error!r}")
            return None
        self._tally.answered(f"{case.method} {case.path}", answer.status_code, time.perf_counter() - started)
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            causes = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
            for cause in causes:
                self._tally.fault(type(cause).__name__, f"{case.as_curl_command()}: {cause}")
        self._look_for_strangers(case, answer, tenant)
        return answer

    def _give_clip(self, case: schemathesis.Case[Any]) -> None:
        clip = self.chance.choice(self._clips)
        body: Any = case.body
        if case.media_type == "multipart/form-data" and isinstance(body, dict) and "audio" in body:
            case.body = self._few(body) | {"audio": [clip] if isinstance(body["audio"], list) else clip}
        elif case.media_type == "multipart/form-data" and isinstance(body, dict) and "archive" in body:
            case.body = self._few(body) | {"archive": self._archive(clip)}
        elif case.media_type in _ARCHIVES:
            case.body = self._archive(clip)
        elif case.media_type in _RAW:
            case.body = clip
        else:
            return
        case.query = self._few(case.query or {})

    def _archive(self, clip: bytes) -> bytes:
        with zipfile.ZipFile(data := io.BytesIO(), "w") as archive:
            for name in ("zip-a/1", "zip-a/2", f"zip-{self.chance.randrange(9)}"):
                archive.writestr(name, clip)
        return data.getvalue()

    def _few(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """What is required, and little of what is not: most of that makes a request fail."""
        return {k: v for k, v in parameters.items() if k in _NEEDED or self.chance.random() < 0.1}

    def _give_id(self, case: schemathesis.Case[Any], tenant: str) -> None:
        """The id of somebody who is enrolled, where the call takes one."""
        takers: list[Any] = [case.path_parameters]
        if case.path == "/verify":
            takers += [case.query, case.body]
        for taker in takers:
            if isinstance(taker, dict) and "speaker_id" in taker and self._enrolled[tenant]:
                taker["speaker_id"] = self.chance.choice(sorted(self._enrolled[tenant]))

    def _look_for_strangers(
        self, case: schemathesis.Case[Any], answer: schemathesis.Response, tenant: str
    ) -> None:
        """Remembers who enrolled whom, and whether an answer names another tenant's speaker."""
        if answer.status_code == 201:
            self._enrolled[tenant].add(answer.json()["speaker_id"])
        elif answer.status_code == 200 and case.path in ("/speakers", "/identify"):
            named = answer.json()["speakers" if case.path == "/speakers" else "candidates"]
            others = set().union(*self._enrolled.values()) - self._enrolled[tenant]
            if strangers := others & {speaker["speaker_id"] for speaker in named}:
                self._tally.fault("another tenant's", f"{case.path} of {tenant!r}: {strangers}")


def _send_each(operation: Any, sender: _Sender, cases: int, seed: int) -> None:
    """Sends up to `cases` different requests of one call."""

    @hypothesis.seed(seed)
    @_settings(cases)
    @hypothesis.given(case=operation.as_strategy())
    def send(case: schemathesis.Case[Any]) -> None:
        sender.send(case, sender.chance.choice(TENANTS))

    send()


def _walks(schema: Any, sender: _Sender) -> Any:
    """The state machine of the links. Each of its walks is one tenant's."""

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.tenant = sender.chance.choice(TENANTS)

        def call(self, case: schemathesis.Case[Any], **_: Any) -> schemathesis.Response:
            answer = sender.send(case, self.tenant)
            if answer is None:
                hypothesis.reject()
            return answer

        def validate_response(self, *_: Any, **__: Any) -> None:
            """The sender has done it."""

    return Walk


def _settings(examples: int, **more: Any) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=max(examples, 1),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        **more,
    )
