"""The client for Python, both forms, against a real service and against answers that are put off."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from service.app import create_app
from service.client import AsyncClient, Client, ClientError, ServiceRefused, ServiceUnreachable, answers
from service.client.folders import EnrolOutcome
from service.client.make_synchronous import synchronous
from service.settings import Settings
from tests.service.conftest import RunningService, Voice

CLIENT = Path(inspect.getfile(Client)).parent


def test_the_synchronous_client_is_made_of_the_other() -> None:
    made = synchronous((CLIENT / "asynchronous.py").read_text())
    assert (CLIENT / "synchronous.py").read_text() == made, "run python -m service.client.make_synchronous"


def test_every_answer_has_the_fields_of_the_openapi_document(tmp_path: Path) -> None:
    schemas = create_app(Settings(state_dir=tmp_path)).openapi()["components"]["schemas"]
    kinds = [
        kind for _, kind in inspect.getmembers(answers, inspect.isclass) if issubclass(kind, answers.Answer)
    ]
    assert len(kinds) > 20
    for kind in set(kinds) - {answers.Answer}:
        document, ours = schemas[kind.__name__], kind.model_json_schema()
        for name in kind.model_fields:
            assert name in document["properties"], f"{kind.__name__}.{name}"
            wanted, given = document["properties"][name], ours["properties"][name]
            assert _kinds(given) == _kinds(wanted), f"{kind.__name__}.{name}"


def _kinds(schema: dict[str, Any]) -> set[str]:
    """What a value may be: JSON types, and names of schemas."""
    if "anyOf" in schema:
        return {kind for part in schema["anyOf"] for kind in _kinds(part)}
    if "$ref" in schema:
        return {schema["$ref"].rpartition("/")[2]}
    items = _kinds(schema["items"]) if schema.get("items") else set()
    return {schema.get("type", "any"), *(f"of {kind}" for kind in items)}


def test_a_voice_is_enrolled_found_and_erased(
    service: RunningService, voices: list[Voice], tmp_path: Path
) -> None:
    file = tmp_path / "probe.opus"
    file.write_bytes(voices[0].probe)
    with Client(service.url) as client:
        given_at = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
        enrolled = client.enrol(
            "client-ann",
            file,
            name="Ann",
            metadata={"a": 1},
            collection=["door", "staff"],
            consent="At the door.",
            consent_at=given_at,
            retain_audio=True,
        )
        assert enrolled.consent is not None
        assert (enrolled.consent.text, enrolled.consent.given_at) == ("At the door.", given_at)
        assert client.move("client-ann", ["staff"]).collections == ["staff"]
        assert [s.speaker_id for s in client.speakers(collection=["door", "staff"])] == ["client-ann"]
        assert client.identify(voices[0].probe, collection=["door"]).searched == 0
        assert (enrolled.name, enrolled.metadata, enrolled.audio[0].codec) == ("Ann", {"a": 1}, "opus")
        assert client.add_audio("client-ann", voices[0].enrol[0]).utterances == 2
        identified = client.identify(voices[0].probe, threshold=0.5)
        assert identified.match is not None
        assert identified.match.speaker_id == "client-ann"
        assert client.verify("client-ann", file).accepted
        assert client.diarize(file).speakers
        assert "client-ann" in [speaker.speaker_id for speaker in client.speakers()]
        assert client.speaker("client-ann").created_at == enrolled.created_at
        assert client.ready().model == client.models().model
        client.delete("client-ann")
        with pytest.raises(ServiceRefused) as refused:
            client.speaker("client-ann")
    assert (refused.value.status, refused.value.code) == (404, "not_found")


def test_the_same_with_asyncio(service: RunningService, voices: list[Voice]) -> None:
    async def scenario() -> list[str]:
        async with AsyncClient(service.url) as client:
            await client.enrol("client-bob", voices[0].probe)
            embedded, content = await asyncio.gather(
                client.embed(voices[0].probe, segments=True), client.content(voices[0].short)
            )
            assert len(embedded.results[0].embedding) == embedded.dim
            assert len(content.results[0].frames[0]) == content.dim
            ids = [speaker.speaker_id async for speaker in client.speakers()]
            assert [job async for job in client.jobs()] == []
            await client.delete("client-bob")
            return ids

    assert "client-bob" in asyncio.run(scenario())


def test_a_folder_is_enrolled_with_progress(
    service: RunningService, voices: list[Voice], tmp_path: Path
) -> None:
    for name, data in (("client-a", voices[0].probe), ("client-b", voices[1].probe), ("client-c", b"?")):
        (tmp_path / f"{name}.opus").write_bytes(data)
    told: list[EnrolOutcome] = []
    with Client(service.url) as client:
        outcomes = client.enrol_all(tmp_path, progress=told.append)
        for outcome in outcomes[:2]:
            client.delete(outcome.speaker_id)
    assert told == outcomes
    assert [(outcome.done, outcome.people, outcome.answer is not None) for outcome in outcomes] == [
        (1, 3, True),
        (2, 3, True),
        (3, 3, False),
    ]


def _problem(status: int, code: str, waiting: str | None = "0") -> httpx.Response:
    body = {"type": "", "title": "", "status": status, "detail": "Later.", "code": code}
    headers = {"Content-Type": "application/problem+json"} | ({"Retry-After": waiting} if waiting else {})
    return httpx.Response(status, headers=headers, content=json.dumps(body))


def _client(*given: httpx.Response, **options: Any) -> tuple[Client, list[httpx.Request]]:
    """A client that gets these answers, one after another, and the requests it sends."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        sent.append(request)
        return given[len(sent) - 1]

    return Client(transport=httpx.MockTransport(answer), **options), sent


_LABELS = {"model": "gaae/1", "labels": ["a"], "language": None}


def test_a_call_that_is_put_off_is_sent_again() -> None:
    client, sent = _client(
        _problem(429, "overloaded"), _problem(503, "not_ready"), httpx.Response(200, json=_LABELS)
    )
    assert client.labels().labels == ["a"]
    assert len(sent) == 3


@pytest.mark.parametrize(
    ("answer", "call"),
    [
        (_problem(429, "overloaded", "3600"), lambda client: client.labels()),  # too long to wait
        (_problem(503, "store_unavailable"), lambda client: client.enrol("ann", b"x")),  # perhaps stored
        (_problem(500, "internal", None), lambda client: client.labels()),
        (_problem(422, "no_speech", None), lambda client: client.identify(b"x")),
    ],
)
def test_other_refusals_are_told_at_once(answer: httpx.Response, call: Callable[[Client], object]) -> None:
    client, sent = _client(answer)
    with pytest.raises(ServiceRefused, match="Later"):
        call(client)
    assert len(sent) == 1


def test_retries_end_and_carry_the_whole_recording(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(b"sound")
    client, sent = _client(*[_problem(503, "not_ready")] * 2, retries=1)
    with pytest.raises(ServiceRefused):
        client.embed(file)
    assert [b"sound" in request.content for request in sent] == [True, True]


_JOB = dict.fromkeys(answers.JobAnswer.model_fields) | {
    "job_id": "j",
    "state": "running",
    "step": 1,
    "steps": 2,
    "progress": 0.5,
    "created_at": "2026-01-01T00:00:00Z",
    "parent": "a/1",
    "version_removed": False,
}
_OVER = _JOB | {"state": "succeeded", "finished_at": "2026-01-01T00:00:01Z"}


def test_a_cut_stream_of_events_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.client.synchronous._PAUSE_S", 0)
    streams = [httpx.Response(200, text=f"data:{json.dumps(job)}\n\n: beat\n\n") for job in (_JOB, _OVER)]
    client, sent = _client(*streams)
    states: list[str] = []
    assert client.wait("j", lambda job: states.append(job.state)).state == "succeeded"
    assert states == ["running", "succeeded"]
    assert len(sent) == 2
    cut, _ = _client(*streams[:1] * 2, retries=1)
    with pytest.raises(ClientError, match="the job continues"):
        cut.wait("j")
    end = httpx.Response(200, text='event: end\ndata: {"code": "x", "detail": "The store is away."}\n\n')
    ended, _ = _client(end, retries=0)
    with pytest.raises(ClientError, match="The store is away"):
        ended.wait("j")


def test_what_is_wrong_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="ASCII"):
        Client(key="sésame")
    with pytest.raises(ClientError, match="cannot be read"):
        Client().embed(tmp_path / "missing.wav")
    with pytest.raises(ServiceUnreachable, match="No service answers"):
        Client("http://127.0.0.1:9").labels()


def test_a_field_of_a_newer_service_is_an_attribute() -> None:
    answer = answers.LabelsAnswer.model_validate({**_LABELS, "mood": "merry"})
    assert isinstance(answer, BaseModel)
    assert answer.mood == "merry"  # type: ignore[attr-defined]
