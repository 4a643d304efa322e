"""C7, C9 and C19: records and messages of jobs that cannot be read, and a Redis behind a socket."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError
from redis import Redis
from redis.connection import parse_url
from structlog.testing import capture_logs

from service.jobs import CeleryQueue, Folders, make_celery, open_store
from service.jobs.queue import QUEUE
from service.jobs.sweeper import Sweeper
from service.settings import Settings
from tests.conftest import StartRedis
from tests.service.in_process import serving
from tests.service.jobs.conftest import wait_for
from tests.service.jobs.test_store import ROOMY, new_job

Damage = Callable[[str, Callable[[str], str]], None]


@pytest.fixture(params=["embedded", "redis"])
def settings(request: pytest.FixtureRequest, tiny_models: Path, tmp_path: Path) -> Settings:
    url = request.getfixturevalue("empty_redis_url") if request.param == "redis" else ""
    return Settings(models_dir=tiny_models, state_dir=tmp_path / "state", redis_url=url)


@pytest.fixture
def folders(settings: Settings) -> Folders:
    return Folders(settings.state_dir, settings.models_dir)


@pytest.fixture
def damage(settings: Settings, folders: Folders) -> Iterator[Damage]:
    """Changes the stored record of a job behind the store's back."""
    if url := settings.redis_url.get_secret_value():
        with Redis.from_url(url, decode_responses=True) as client:

            def in_redis(job_id: str, change: Callable[[str], str]) -> None:
                key = f"twofold:job:{job_id}"
                client.set(key, change(str(client.get(key))))

            yield in_redis
    else:

        def in_file(job_id: str, change: Callable[[str], str]) -> None:
            with closing(sqlite3.connect(folders.store)) as db, db:
                ((record,),) = db.execute("SELECT record FROM jobs WHERE job_id = ?", (job_id,)).fetchall()
                db.execute("UPDATE jobs SET record = ? WHERE job_id = ?", (change(record), job_id))

        yield in_file


def paused(record: str) -> str:
    """The record as a later release may write it."""
    return json.dumps(json.loads(record) | {"state": "paused"}, separators=(",", ":"))


def cut(record: str) -> str:
    return record[: record.index('"files"')]


def test_c7_an_unreadable_record_is_said_and_all_else_goes_on(
    settings: Settings, folders: Folders, damage: Damage, speech: bytes
) -> None:
    audio = {"files": {"audio": ("a.opus", speech)}}
    with serving(settings) as http:
        http.post("/speakers", data={"speaker_id": "ann", "retain_audio": "true"}, **audio)
        jobs = []
        for change in (paused, cut, lambda _: ""):
            job_id = http.post("/finetune", data={"speaker_ids": "ann"}).json()["job_id"]
            damage(job_id, change)
            jobs.append(job_id)
        assert [job["job_id"] for job in http.get("/finetune").json()["jobs"]] == jobs[::-1]
        for job_id in jobs:
            shown = http.get(f"/finetune/{job_id}").json()
            assert (shown["state"], "cannot be read" in shown["error"]) == ("failed", True)
            assert http.delete(f"/finetune/{job_id}").status_code == 409
            assert "event: job" in http.get(f"/finetune/{job_id}/events").text
        good = http.post("/finetune", **audio).json()["job_id"]
        # The recordings of a record that no release can read are nobody's.
        wait_for(folders.jobs, lambda left: left == sorted([jobs[0], good]))
        assert http.delete("/speakers/ann").status_code == 204
        wait_for(folders.jobs, lambda left: left == [good])
        assert [e for e in http.get("/erasures").json()["erasures"] if e["speaker_id"]] == []
        assert http.delete(f"/finetune/{good}").json()["state"] == "canceled"
        assert 'status="500"' not in http.get("/metrics").text


def test_c7_an_idle_worker_looks_past_it(settings: Settings, folders: Folders, damage: Damage) -> None:
    sent: list[str] = []

    class Queue:
        def send(self, job_id: str) -> None:
            sent.append(job_id)

    with closing(open_store(settings, folders)) as store:
        bad, good = new_job(), new_job()
        for job in (bad, good):
            store.add(job, **ROOMY)
        damage(bad.job_id, cut)
        sweeper = Sweeper(store, Queue(), folders)
        sweeper.sweep()
        sweeper.tidy()
    assert sent == [good.job_id]


def test_c9_a_redis_behind_a_socket_takes_jobs(
    start_redis: StartRedis, tiny_models: Path, tmp_path: Path, speech: bytes
) -> None:
    socket = tmp_path / "a %20b.sock"
    start_redis("--unixsocket", str(socket))
    url = f"unix://{str(socket).replace('%', '%25').replace(' ', '%20')}?db=3"
    settings = Settings(models_dir=tiny_models, state_dir=tmp_path / "state", redis_url=url)
    with serving(settings) as http:
        answer = http.post("/finetune", files={"audio": ("a.opus", speech)})
        assert answer.status_code == 202, answer.text
    with Redis.from_url(url) as client:
        assert client.llen(QUEUE) == 1  # in the same database as the record
    app = make_celery(settings, Folders(settings.state_dir, settings.models_dir))
    with app.connection_for_read() as connection, connection.SimpleQueue(QUEUE) as queue:
        message = queue.get(timeout=10)
        assert message.payload[0] == [answer.json()["job_id"]]
        message.ack()


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://user:p%40ss@[::1]:7000/2",
        "redis://host?db=4&password=secret",
        "rediss://:secret@host:6380/1?ssl_cert_reqs=none",
    ],
)
def test_c9_queue_and_records_are_in_one_database(url: str, tmp_path: Path) -> None:
    app = make_celery(Settings(redis_url=url), Folders(tmp_path, tmp_path))
    records, queue = parse_url(url), app.connection_for_write()
    assert int(queue.virtual_host) == records.get("db", 0)
    assert (queue.userid, queue.password) == (records.get("username"), records.get("password"))
    assert (queue.hostname, queue.port) == (records["host"], records.get("port", 6379))


@pytest.mark.parametrize(
    "url",
    [
        "unix://redis.sock",
        "unix://",
        "unix:///",
        "redis://host/one",
        "redis://host?db=x",
        "http://host",
        "host:6379",
    ],
)
def test_c9_what_leads_nowhere_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError, match=r"Redis|socket"):
        Settings(redis_url=url)


POISON = {
    "empty": b"",
    "binary": b"\x80\xff\x00" * 9,
    "half": b'{"body": "W10=", "properties": {',
    "number": b"5",
    "list": b"[]",
    "object": b"{}",
    "body": b'{"body": 5, "properties": {"delivery_tag": "x", "body_encoding": "base64"}}',
}


@pytest.mark.parametrize("settings", ["embedded"], indirect=True)
def test_c19_what_is_no_message_is_set_aside(settings: Settings, folders: Folders) -> None:
    app = make_celery(settings, folders)
    for name, content in POISON.items():
        (folders.messages / f"00_{name}.{QUEUE}.msg").write_bytes(content)
    (folders.messages / f"00_folder.{QUEUE}.msg").mkdir()
    CeleryQueue(app).send("good")
    with (
        capture_logs() as logs,
        app.connection_for_read() as connection,
        connection.SimpleQueue(QUEUE) as queue,
    ):
        message = queue.get(timeout=10)
        assert message.payload[0] == ["good"]
        message.ack()
    aside = [file.name for file in folders.messages.iterdir()]
    assert sorted(log["file"] for log in logs if log["event"] == "message_set_aside") == sorted(aside)
    assert len(aside) == len(POISON) + 1
