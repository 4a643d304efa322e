"""Erased means gone: after every kind of death, no file holds a byte of the voice. The letters are cases."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from cryptography.fernet import Fernet
from redis import Redis

from benchmarks.redis_server import RedisServer
from service.jobs import Folders, Job, JobFile, JobStore, RedisJobStore, SqliteJobStore
from service.jobs.files import UnreadableAudio
from service.jobs.tidy import forget, tidy
from service.settings import Settings
from service.speakers import (
    AudioCipher,
    Consent,
    Embedding,
    Gallery,
    NewUtterance,
    RedisGallery,
    SqliteGallery,
)
from tests.service.in_process import serving

LIMIT_S = 30.0
SPEAKER, NAME, METADATA = "zq-speaker-7f3a", "Zerlina Quast-7f3a", "zq-metadata-7f3a"
COLLECTION, CONSENT = "zq-collection-7f3a", Consent("zq-consent-7f3a", datetime(2026, 11, 24, tzinfo=UTC))
AUDIO = np.random.default_rng(7).bytes(20_000)
MEAN = np.linspace(0.1234, 0.5678, 8).astype(np.float32)
OTHER = Embedding(np.ones(8, np.float32), 3, 0.5)
#: Bytes that are in no file of a store but through this speaker.
WORDS = tuple(word.encode() for word in (SPEAKER, NAME, METADATA, COLLECTION, CONSENT.text))
TRACES = (*WORDS, MEAN.tobytes(), AUDIO[5000:5064], AUDIO[-64:])
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def traces_in(folder: Path, traces: Sequence[bytes] = TRACES) -> list[tuple[str, bytes]]:
    """Which file beneath the folder holds which trace."""
    places = []
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):  # replaced just now
            content = file.read_bytes()
            places += [(str(file.relative_to(folder)), trace) for trace in traces if trace in content]
    return places


def wait_for(reached: Callable[[], bool], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not reached():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


def enrol(gallery: Gallery) -> None:
    embedding = Embedding(MEAN, 3, 0.5)
    utterance = NewUtterance(
        speech_s=3.0, snr_db=20.0, model="autodecompose/0.2.0", embedding=embedding, audio=AUDIO
    )
    gallery.enrol(
        SPEAKER,
        name=NAME,
        metadata={"note": METADATA},
        utterances=[utterance],
        collections=[COLLECTION],
        consent=CONSENT,
    )


def job(job_id: str = "0123456789abcdef", **changes: Any) -> Job:
    fields: dict[str, Any] = {
        "job_id": job_id,
        "client": "c",
        "created_at": NOW,
        "name": "autodecompose",
        "parent": "0.2.0",
        "version": f"ft-{job_id}",
        "steps": 9,
        "same_voice_seconds": 10.0,
        "activate": "never",
        "files": (JobFile("000.audio", SPEAKER),),
        "size_bytes": len(AUDIO),
    }
    return Job(**fields | changes)


def stored(store: JobStore, job: Job) -> Job:
    store.add(job, most_open=9, most_bytes=10**9)
    return job


def no_erasure_is_left(http: httpx.Client) -> None:
    answer: dict[str, Any] = {}

    def none() -> bool:
        answer.update(http.get("/erasures").json())
        return answer == {"erasures": [], "left": []}

    wait_for(none, lambda: answer)
    assert http.get("/readyz").json()["notices"] == []


@pytest.fixture
def settings(tiny_models: Path, tmp_path: Path) -> Settings:
    return Settings(models_dir=tiny_models, state_dir=tmp_path / "state")


def test_da_db_dc_df_a_start_finishes_what_a_killed_one_left(settings: Settings) -> None:
    """As if server and worker had been killed right after the erasure was stored."""
    state, folders = settings.state_dir, Folders(settings.state_dir, settings.models_dir)
    gallery, store = SqliteGallery(state / "speakers.sqlite"), SqliteJobStore(folders.store)
    enrol(gallery)
    # (a) Its worker was killed between the end of the job and the deletion of its folder.
    ended = stored(store, job(state="succeeded", finished_at=NOW, step=9))
    folders.job(ended.job_id).write_audio({"000.audio": AUDIO})
    # (b) The server was killed before the record of the job was stored.
    with folders.job("0123456789abcde0").submitting():
        folders.job("0123456789abcde0").write_audio({"000.audio": AUDIO})
    # (f) One that is queued.
    queued = stored(store, job("0123456789abcde1"))
    folders.job(queued.job_id).write_audio({"000.audio": AUDIO})
    # (c) A reader holds a snapshot, so that the log cannot be emptied.
    reader = sqlite3.connect(state / "speakers.sqlite")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM speakers").fetchall()
    gallery.delete(SPEAKER)
    gallery.close()
    store.close()
    assert {trace for _, trace in traces_in(state)} == set(TRACES)

    with serving(settings) as http:
        wait_for(lambda: "voice store" in http.get("/erasures").text, lambda: http.get("/erasures").text)
        (erasure,) = http.get("/erasures").json()["erasures"]
        assert erasure["speaker_id"] is None  # jobs are clean
        (notice,) = http.get("/readyz").json()["notices"]
        assert notice.startswith("Erasures that are not finished: 1. Left: voice store (")
        assert not list((state / "jobs").iterdir())
        assert http.get(f"/finetune/{queued.job_id}").json()["state"] == "canceled"
        reader.close()
        no_erasure_is_left(http)
        assert traces_in(state) == []
    assert traces_in(state) == []


def test_a_removed_recording_is_in_no_file(tmp_path: Path) -> None:
    with closing(SqliteGallery(tmp_path / "speakers.sqlite")) as gallery:
        enrol(gallery)
        gallery.add_utterances(SPEAKER, [NewUtterance(3.0, 20.0, "autodecompose/0.2.0", OTHER)])
        gallery.remove_utterance(SPEAKER, 1)
        (erasure,) = gallery.erasures()
        gallery.jobs_are_clean(erasure.erasure_id)
        assert gallery.clean() == {}
        assert gallery.erasures() == []
        assert {trace for _, trace in traces_in(tmp_path)} == set(WORDS)


def test_dc_a_server_killed_after_its_answer(
    start_service: Any, tiny_models: Path, settings: Settings, voices: Any
) -> None:
    state = settings.state_dir
    service = start_service(tiny_models, state_dir=state)
    with service.client() as http:
        form = {
            "speaker_id": SPEAKER,
            "name": NAME,
            "metadata": f'{{"a": "{METADATA}"}}',
            "retain_audio": "true",
        }
        assert (
            http.post("/speakers", data=form, files={"audio": ("a.opus", voices[0].probe)}).status_code == 201
        )
        with closing(SqliteGallery(state / "speakers.sqlite")) as gallery:
            (utterance,) = gallery.get(SPEAKER).utterances
            audio = gallery.audio(utterance.utterance_id) or b""
        traces = [SPEAKER.encode(), NAME.encode(), METADATA.encode(), audio[3000:3064], audio[-64:]]
        assert {trace for _, trace in traces_in(state, traces)} == set(traces)
        reader = sqlite3.connect(state / "speakers.sqlite")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM speakers").fetchall()
        assert http.delete(f"/speakers/{SPEAKER}").status_code == 204
        assert http.get("/erasures").json()["left"][0]["place"] == "voice store"
    service.process.kill()
    service.process.wait()
    assert traces_in(state, traces)
    with serving(settings) as http:
        assert len(http.get("/erasures").json()["erasures"]) == 1
        reader.close()
        no_erasure_is_left(http)
        assert traces_in(state, traces) == []


def test_db_a_submission_is_told_from_what_a_killed_one_left(settings: Settings) -> None:
    folders = Folders(settings.state_dir, settings.models_dir)
    script = (
        "import sys, time; from pathlib import Path; from service.jobs import Folders\n"
        "folder = Folders(Path(sys.argv[1]), Path()).job('0123456789abcdef')\n"
        "with folder.submitting():\n"
        "    folder.write_audio({'000.audio': b'x' * 1000})\n"
        "    print('stored', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(settings.state_dir)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"stored\n"
    with closing(SqliteJobStore(folders.store)) as store:
        assert forget(SPEAKER, store, folders) == {"jobs/0123456789abcdef": "The job is being stored."}
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert tidy(store, folders) == {}
    assert folders.jobs() == []


def test_da_recordings_of_jobs_are_encrypted(tmp_path: Path) -> None:
    cipher = AudioCipher([Fernet.generate_key().decode()])
    folder = Folders(tmp_path, tmp_path).job("j")
    files = (JobFile("000.audio", ""), JobFile("001.audio", ""))
    with folder.submitting():
        folder.write_audio({"000.audio": cipher.seal(AUDIO), "001.audio": AUDIO})
    assert [file for file, _ in traces_in(tmp_path)] == ["jobs/j/audio/001.audio"] * 2
    with folder.readable_audio(files, cipher) as paths:
        assert [path.read_bytes() for path in paths] == [AUDIO, AUDIO]  # also one from before there was a key
        assert [path.read_bytes() for path in paths] == [AUDIO, AUDIO]
        assert [file for file, _ in traces_in(tmp_path)] == ["jobs/j/audio/001.audio"] * 2
    with (
        pytest.raises(UnreadableAudio, match="TWOFOLD_AUDIO_KEY"),
        folder.readable_audio(files, AudioCipher()),
    ):
        pass


@pytest.fixture
def redis(start_redis: Any, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    # Compressed, a file could hold a trace that is not seen.
    server = start_redis("--rdbcompression", "no", *request.param)
    yield server
    server.stop()


def worked_off(gallery: Gallery, store: JobStore, folders: Folders) -> bool:
    """One step of what the service does twice a second; whether nothing is left."""
    for erasure in gallery.erasures():
        if erasure.speaker_id and not forget(erasure.speaker_id, store, folders):
            gallery.jobs_are_clean(erasure.erasure_id)
    gallery.clean()
    return not gallery.erasures()


@pytest.mark.parametrize(
    "redis",
    [
        ("--appendonly", "yes", "--save", ""),
        ("--appendonly", "no", "--save", "3600 1"),
        ("--appendonly", "yes", "--save", "3600 1"),
    ],
    indirect=True,
    ids=["append-only file", "snapshot", "both"],
)
def test_dd_de_df_files_of_redis_after_kills_at_each_step(redis: RedisServer, tmp_path: Path) -> None:
    folders = Folders(tmp_path, tmp_path)
    with (
        closing(RedisGallery(redis.url)) as gallery,
        closing(RedisJobStore(redis.url)) as store,
        Redis.from_url(redis.url) as admin,
    ):
        snapshots = bool(admin.config_get("save")["save"])
        for i in range(20):
            admin.set(f"other:{i}", "x")
        enrol(gallery)
        stored(store, job(state="succeeded", finished_at=NOW, step=9))
        stored(store, job("0123456789abcde1"))
        if snapshots:
            admin.save()
        assert {trace for _, trace in traces_in(redis.folder)} == set(TRACES)
        gallery.delete(SPEAKER)
        # A newer change, in the same piece of the stream of changes.
        gallery.enrol("another", name=None, metadata={}, utterances=[NewUtterance(3.0, 20.0, "m/1", OTHER)])
        if snapshots:
            admin.save()  # what was acknowledged is as durable as Redis keeps it
        # Twice Redis is killed while it writes a file anew.
        for _ in range(2):
            admin.config_set("rdb-key-save-delay", 200_000)  # microseconds

            def writing() -> bool:
                worked_off(gallery, store, folders)
                state = admin.info("persistence")
                return bool(state["aof_rewrite_in_progress"] or state["rdb_bgsave_in_progress"])

            wait_for(writing, lambda: admin.info("persistence"))
            assert gallery.erasures()
            children = Path(f"/proc/{redis.pid}/task/{redis.pid}/children").read_text().split()
            redis.kill()
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
            redis.start()
        wait_for(lambda: worked_off(gallery, store, folders), gallery.clean)
        left = [file for file, _ in traces_in(redis.folder)]
        assert left == []
        assert [j.state for j in store.list(limit=9).jobs] == ["succeeded", "canceled"]
        assert [fields for _, fields in admin.xrange("twofold:changes")] == [{b"speaker": b"another"}]
    redis.kill()
    assert traces_in(redis.folder) == []


def test_a_clock_that_is_set_back_holds_no_erasure(start_redis: Any, tmp_path: Path) -> None:
    redis = start_redis("--appendonly", "yes", "--save", "")
    with (
        closing(RedisGallery(redis.url)) as gallery,
        closing(RedisJobStore(redis.url)) as store,
        Redis.from_url(redis.url) as admin,
    ):
        enrol(gallery)
        gallery.delete(SPEAKER)
        ((number, stored_erasure),) = admin.hgetall("twofold:erasures").items()
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        admin.hset(
            "twofold:erasures", number, json.dumps(json.loads(stored_erasure) | {"requested_at": tomorrow})
        )
        folders = Folders(tmp_path, tmp_path)
        wait_for(lambda: worked_off(gallery, store, folders), gallery.clean)
    redis.stop()


def test_dd_a_redis_that_refuses_is_named(start_redis: Any, tmp_path: Path) -> None:
    redis = start_redis("--appendonly", "yes", "--save", "", "--rename-command", "BGREWRITEAOF", "")
    with closing(RedisGallery(redis.url)) as gallery, closing(RedisJobStore(redis.url)) as store:
        enrol(gallery)
        gallery.delete(SPEAKER)
        reasons: list[str] = []

        def refused() -> bool:
            worked_off(gallery, store, Folders(tmp_path, tmp_path))
            reasons.append(str(gallery.clean()))
            return "Redis refuses" in reasons[-1]

        wait_for(refused, lambda: reasons[-1])
        assert "append-only file" in reasons[-1]
        assert len(gallery.erasures()) == 1
    redis.stop()
