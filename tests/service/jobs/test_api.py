"""/finetune without any worker: what is taken in, what is refused, how a job is shown and called off."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.jobs import Activation, SqliteJobStore
from service.settings import Settings
from tests.service.conftest import StartService
from tests.service.jobs.conftest import House, wait_for
from tests.service.jobs.test_store import new_job
from tests.service.signals import encode, noise, speech

FIELDS = {"job_id", "state", "step", "steps", "progress", "loss", "eta_s", "created_at", "started_at"}
FIELDS |= {"finished_at", "parent", "model", "version", "version_removed", "report", "activation", "error"}


@pytest.fixture
def job_id(house: House, recordings: list[bytes]) -> Iterator[str]:
    """A job that waits; it is canceled at the end."""
    job_id = house.submit(*recordings)
    yield job_id
    house.http.delete(f"/finetune/{job_id}")


def job_folders(house: House) -> list[str]:
    """Folders of recordings."""
    folder = house.folders.state_dir / "jobs"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The data of the stream's events, each of which is called `job`."""
    for name, data in named_events(answer):
        assert name == "job"
        yield data


def named_events(answer: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and data of the stream's events."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        if line.startswith("data:"):
            yield name, json.loads(line.removeprefix("data:"))


def test_a_job_is_accepted_shown_and_listed(house: House, recordings: list[bytes]) -> None:
    files = [("audio", ("a.opus", data)) for data in recordings]
    form = {"steps": "7", "activate": "if_better", "same_voice_seconds": "2.5"}
    answer = house.http.post("/finetune", files=files, data=form)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    assert answer.json() == {"job_id": job_id, "state": "queued"}
    assert answer.headers["location"] == f"/finetune/{job_id}"
    shown = house.http.get(answer.headers["location"]).json()
    assert shown.keys() == FIELDS
    assert (shown["state"], shown["step"], shown["steps"], shown["progress"]) == ("queued", 0, 7, 0.0)
    assert (shown["parent"], shown["model"]) == ("autodecompose/1.0.0", None)
    assert house.http.get("/finetune").json()["jobs"][0] == shown
    record = house.record(job_id)
    assert (record.same_voice_seconds, record.activate) == (2.5, "if_better")
    assert len(record.files) == len(list(house.folders.job(job_id).audio.iterdir())) == 2
    canceled = house.http.delete(f"/finetune/{job_id}")
    assert (canceled.status_code, canceled.json()["state"]) == (202, "canceled")
    assert job_folders(house) == []


def test_a_raw_body_is_taken_too(house: House, recordings: list[bytes]) -> None:
    headers = {"Content-Type": "audio/ogg"}
    answer = house.http.post("/finetune?steps=3", content=max(recordings, key=len), headers=headers)
    assert answer.status_code == 202, answer.text
    assert house.job(answer.json()["job_id"])["steps"] == 3
    house.http.delete(answer.headers["location"])


def test_canceling_twice_is_a_conflict(house: House, job_id: str) -> None:
    assert house.http.delete(f"/finetune/{job_id}").status_code == 202
    again = house.http.delete(f"/finetune/{job_id}")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert "canceled" in again.json()["detail"]


@pytest.mark.parametrize("call", [("GET", ""), ("DELETE", ""), ("GET", "/events"), ("GET", "/report.png")])
def test_unknown_jobs_are_not_found(house: House, call: tuple[str, str]) -> None:
    answer = house.http.request(call[0], f"/finetune/nobody{call[1]}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


REFUSED: list[tuple[Callable[[], bytes | None], dict[str, str], int, str]] = [
    (lambda: None, {"steps": "3"}, 400, "bad_request"),
    (lambda: b"no audio at all", {}, 415, "unsupported_media"),
    (lambda: encode(noise(8.0)), {}, 422, "no_speech"),
    (lambda: encode(speech(2.0)), {}, 422, "insufficient_speech"),
    (lambda: encode(speech(8.0))[:-4000], {}, 422, "invalid_audio"),
    (lambda: encode(speech(8.0)), {"steps": "-1"}, 422, "validation_error"),
    (lambda: encode(speech(8.0)), {"steps": "1000000"}, 422, "validation_error"),
    (lambda: encode(speech(8.0)), {"activate": "always"}, 422, "validation_error"),
    (lambda: encode(speech(8.0)), {"same_voice_seconds": "nan"}, 422, "validation_error"),
    (lambda: encode(speech(8.0)), {"speaker_ids": "nobody"}, 404, "not_found"),
]


@pytest.mark.parametrize(("build", "form", "status", "code"), REFUSED)
def test_what_cannot_be_fine_tuned_with_is_refused_at_once(
    house: House, build: Callable[[], bytes | None], form: dict[str, str], status: int, code: str
) -> None:
    before = house.http.get("/finetune").json()["jobs"]
    data = build()
    fields = [(name, (None, value)) for name, value in form.items()]
    files = [*fields, *([("audio", ("a.wav", data))] if data else [])]
    answer = house.http.post("/finetune", files=files)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert house.http.get("/finetune").json()["jobs"] == before
    assert job_folders(house) == []


def test_retained_audio_of_speakers_is_used(house: House, recordings: list[bytes]) -> None:
    long = max(recordings, key=len)
    for speaker_id, retain in (("ada", "true"), ("grace", "true"), ("mute", "false")):
        form = {"speaker_id": speaker_id, "retain_audio": retain}
        answer = house.http.post("/speakers", files={"audio": long}, data=form)
        assert answer.status_code == 201, answer.text
    refused = house.http.post("/finetune", files=[("speaker_ids", (None, "mute"))])
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "retain_audio" in refused.json()["detail"]
    for fields in (["ada,grace"], ["ada", "grace"], ["ada", "ada, grace"]):
        form = [("speaker_ids", (None, value)) for value in fields]
        answer = house.http.post("/finetune", files=[*form, ("audio", ("a", recordings[0]))])
        assert answer.status_code == 202, answer.text
        record = house.record(answer.json()["job_id"])
        assert sorted(file.speaker_id for file in record.files) == ["", "ada", "grace"]
        assert all(
            (house.folders.job(record.job_id).audio / file.name).stat().st_size for file in record.files
        )
        house.http.delete(answer.headers["location"])


def test_who_is_erased_is_in_no_job_any_more(house: House, recordings: list[bytes]) -> None:
    long = max(recordings, key=len)
    for speaker_id in ("erika", "otto"):
        form = {"speaker_id": speaker_id, "retain_audio": "true"}
        assert house.http.post("/speakers", files={"audio": long}, data=form).status_code == 201
    of_erika, of_otto = (
        house.http.post("/finetune", files=[("speaker_ids", (None, name))]).json()["job_id"]
        for name in ("erika", "otto")
    )
    folder = house.folders.job(of_erika).path
    assert folder.stat().st_mode & 0o077 == 0
    assert house.http.delete("/speakers/erika").status_code == 204
    assert house.http.get(f"/finetune/{of_erika}").json()["state"] == "canceled"
    assert not folder.exists()
    assert house.http.get(f"/finetune/{of_otto}").json()["state"] == "queued"
    assert house.http.delete("/speakers/otto").status_code == 204


def test_pages(house: House, recordings: list[bytes]) -> None:
    ids = [house.submit(*recordings) for _ in range(3)]
    first = house.http.get("/finetune", params={"limit": 2}).json()
    assert [job["job_id"] for job in first["jobs"]] == [ids[2], ids[1]]
    second = house.http.get("/finetune", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [job["job_id"] for job in second["jobs"]] == [ids[0]]
    for job_id in ids:
        house.http.delete(f"/finetune/{job_id}")


def test_the_stream_shows_changes_and_ends_with_the_job(house: House, job_id: str) -> None:
    with house.http.stream("GET", f"/finetune/{job_id}/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = events(answer)
        assert next(stream) == house.job(job_id)
        assert house.http.delete(f"/finetune/{job_id}").status_code == 202
        rest = list(stream)  # it ends by itself
    assert rest == [house.job(job_id)]
    assert rest[0]["state"] == "canceled"
    with house.http.stream("GET", f"/finetune/{job_id}/events") as answer:
        assert list(events(answer)) == rest  # of a job that is over: once


def test_a_watcher_who_leaves_changes_nothing(house: House, job_id: str) -> None:
    with house.service.client() as other, other.stream("GET", f"/finetune/{job_id}/events") as answer:
        next(events(answer))
    assert house.job(job_id)["state"] == "queued"
    assert house.service.process.poll() is None


def test_streams_end_when_the_service_is_told_to_stop(
    open_house: Callable[..., House], recordings: list[bytes]
) -> None:
    house = open_house(shutdown_grace_s=600)
    job_id = house.submit(*recordings)
    seen: list[tuple[str, dict[str, Any]]] = []
    first = threading.Event()

    def watch() -> None:
        with house.service.client() as http, http.stream("GET", f"/finetune/{job_id}/events") as answer:
            for event in named_events(answer):
                seen.append(event)
                first.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    first.wait()
    assert house.service.stop() == 0
    watcher.join()
    assert [name for name, _ in seen] == ["job", "end"]
    assert seen[0][1]["state"] == "queued"
    assert seen[1][1]["code"] == "stopping"  # or it would look as if the job were over


def test_queue_and_disk_are_bounded(open_house: Callable[..., House], recordings: list[bytes]) -> None:
    house = open_house(finetune_queue=1, finetune_disk_bytes=2**20)
    job_id = house.submit(*recordings)
    files = [("audio", ("a.opus", data)) for data in recordings]
    full = house.http.post("/finetune", files=files)
    assert (full.status_code, full.json()["code"]) == (429, "overloaded")
    assert int(full.headers["retry-after"]) > 0
    assert job_folders(house) == [job_id]
    house.http.delete(f"/finetune/{job_id}")
    large = house.http.post("/finetune", files=[("audio", (str(i), recordings[1])) for i in range(8)])
    assert (large.status_code, large.json()["code"]) == (429, "overloaded"), large.text
    assert "TWOFOLD_FINETUNE_DISK_BYTES" in large.json()["detail"]
    assert job_folders(house) == []
    house.submit(*recordings)  # there is room again


def test_keys_have_queues_of_their_own(open_house: Callable[..., House], recordings: list[bytes]) -> None:
    keys = ["a" * 16, "b" * 16]
    house = open_house(finetune_queue=1, api_keys=",".join(keys))
    files = [("audio", ("a.opus", data)) for data in recordings]
    statuses = [
        house.http.post("/finetune", files=files, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (keys[0], keys[0], keys[1])
    ]
    assert statuses == [202, 429, 202]
    assert house.http.get("/finetune").status_code == 401
    assert all(key not in house.folders.store.read_bytes().decode(errors="ignore") for key in keys)


def test_a_parent_without_weights_takes_no_steps(http: httpx.Client, recordings: list[bytes]) -> None:
    answer = http.post("/finetune?steps=1", files=[("audio", ("a.opus", data)) for data in recordings])
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "weights" in answer.json()["detail"]


def test_a_better_version_takes_over_when_that_was_asked_for(
    start_service: StartService, tiny_models: Path, tmp_path: Path
) -> None:
    store = SqliteJobStore(tmp_path / "jobs.sqlite")
    pending = Activation(state="pending", reason="")
    done = {"state": "succeeded", "finished_at": datetime.now(UTC), "activation": pending}
    versions = [("0.2.0", "0.1.0"), ("0.1.0", "9.9.9"), ("0.2.0", "0.3.0")]  # parents, and what came of them
    jobs = [
        new_job(job_id=f"{i:032x}", parent=parent, version=version, **done)
        for i, (parent, version) in enumerate(versions)
    ]
    for job in jobs:
        store.add(job, most_open=9, most_bytes=10**9)
    service = start_service(tiny_models, state_dir=tmp_path)
    with service.client() as http:
        wait_for(store.unsettled, lambda left: not left)
        assert http.get("/models").json()["active"] == "0.1.0"
        shown = [http.get(f"/finetune/{job.job_id}").json()["activation"] for job in jobs]
    assert [activation["state"] for activation in shown] == ["active", "failed", "declined"]
    assert "9.9.9" in shown[1]["reason"]
    assert "0.1.0 serves now" in shown[2]["reason"]
    store.close()
    service.stop()


def test_a_cancellation_that_its_worker_never_heard_of_is_done_by_the_service(
    start_service: StartService, tiny_models: Path, tmp_path: Path
) -> None:
    store = SqliteJobStore(tmp_path / "jobs.sqlite")
    dead = replace(
        new_job(state="running", cancel_requested=True, token=1, lease_owner="x"),
        lease_until=datetime.now(UTC),
    )
    store.add(dead, most_open=9, most_bytes=10**9)
    service = start_service(tiny_models, state_dir=tmp_path)
    wait_for(store.unsettled, lambda left: not left)
    assert store.get(dead.job_id).state == "canceled"
    store.close()
    service.stop()


def test_without_torch_steps_are_refused_and_the_answer_says_what_to_do(
    tmp_path: Path, trainable_models: Path, recordings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as where it is not installed
    app = create_app(Settings(models_dir=trainable_models, state_dir=tmp_path))

    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            return await client.post("/finetune?steps=3", files={"audio": recordings[0]})

    answer = asyncio.run(scenario())
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "steps=0" in answer.json()["detail"]
    assert not (tmp_path / "jobs").exists()


def test_the_service_imports_no_torch_for_jobs(house: House, job_id: str) -> None:
    assert house.job(job_id)["state"] == "queued"
    libraries = Path(f"/proc/{house.service.process.pid}/maps").read_text()
    assert "onnxruntime" in libraries
    assert "libtorch" not in libraries


def test_messages_hold_no_more_than_the_id(house: House, recordings: list[bytes]) -> None:
    job_id = house.submit(*recordings, steps=1)
    message = max(house.folders.messages.iterdir())
    sent: dict[str, Any] = json.loads(message.read_text())
    assert sent["content-type"] == "application/json"
    assert sent["headers"]["argsrepr"] == f"['{job_id}']"
    assert house.http.delete(f"/finetune/{job_id}").status_code == 202
