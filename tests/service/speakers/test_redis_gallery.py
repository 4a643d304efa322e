"""What only Redis can get wrong: outages, full memory, other replicas, remains of erased voices."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from redis import Redis

from benchmarks.redis_server import RedisServer
from service.errors import Conflict, NotReady, StoreUnavailable
from service.speakers import Embedding, Gallery, NewUtterance, RedisGallery
from tests.conftest import StartRedis

MODEL = "m/1"
LIMIT_S = 30.0


@pytest.fixture
def server(start_redis: StartRedis) -> Iterator[RedisServer]:
    server = start_redis()
    yield server
    server.stop()


@pytest.fixture
def gallery(server: RedisServer) -> Iterator[RedisGallery]:
    opened = RedisGallery(server.url)
    yield opened
    opened.close()


@pytest.fixture
def admin(server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(server.url) as client:
        yield client


def utterance(*, model: str = MODEL, audio: bytes | None = None, fill: float = 0.5) -> NewUtterance:
    return NewUtterance(6.0, 20.0, model, Embedding(np.full(256, fill, np.float32), 6, 0.5), audio)


def enrol(gallery: Gallery, speaker_id: str, *utterances: NewUtterance, name: str | None = None) -> None:
    gallery.enrol(speaker_id, name=name, metadata={}, utterances=utterances or [utterance()])


def test_out_of_reach_is_unavailable_then_recovers(gallery: RedisGallery, server: RedisServer) -> None:
    enrol(gallery, "ada")
    for end in (server.stop, server.kill):
        end()
        for call in (
            gallery.count,
            lambda: gallery.get("ada"),
            lambda: gallery.list(limit=9),
            lambda: list(gallery.voiceprints(MODEL)),
            lambda: enrol(gallery, "bob"),
            lambda: gallery.delete("ada"),
        ):
            with pytest.raises(StoreUnavailable) as error:
                call()
            assert error.value.retry_after_s
            assert "127.0.0.1" not in error.value.detail
        server.start()
        assert [s.speaker_id for s in gallery.list(limit=9).speakers] == ["ada"]
    enrol(gallery, "bob")
    assert gallery.count() == 2


def test_full_memory_stores_nothing_by_halves(gallery: RedisGallery, admin: Redis) -> None:
    enrol(gallery, "ada")
    before = admin.dbsize()
    admin.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable):
        enrol(gallery, "bob", utterance(audio=bytes(1000)))
    with pytest.raises(StoreUnavailable):
        gallery.add_utterances("ada", [utterance(audio=bytes(1000))])
    assert gallery.get("ada").utterances[0].speech_s == 6.0  # reading goes on
    admin.config_set("maxmemory", 0)
    assert admin.dbsize() == before
    enrol(gallery, "bob", utterance(audio=bytes(1000)))
    assert gallery.count() == 2


def test_two_replicas_never_give_out_the_same(server: RedisServer) -> None:
    replicas = [RedisGallery(server.url) for _ in range(4)]

    def attempt(i: int) -> bool:
        try:
            enrol(replicas[i % 4], f"s{i // 4}")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(40))) == 10
    speakers = replicas[0].list(limit=100).speakers
    assert len({u.utterance_id for s in speakers for u in s.utterances}) == 10
    for replica in replicas:
        replica.close()


def test_changes_are_announced_in_order_without_gaps(gallery: RedisGallery, admin: Redis) -> None:
    enrol(gallery, "ada")
    gallery.add_utterances("ada", [utterance()])
    with pytest.raises(Conflict):
        enrol(gallery, "ada")
    first, _ = gallery.get("ada").utterances
    gallery.add_embeddings("ada", "m/2", {first.utterance_id: utterance().embedding})  # not the active model
    gallery.delete("ada")
    assert admin.xrange("twofold:changes") == [(f"{i}-0".encode(), {b"speaker": b"ada"}) for i in (1, 2, 3)]
    # No voice in there, so that none outlives its speaker.
    assert sorted(admin.keys()) == [
        b"twofold:changes",
        b"twofold:erasures",
        b"twofold:revision",
        b"twofold:utterances",
    ]


def test_another_model_took_over(gallery: RedisGallery, admin: Redis) -> None:
    enrol(gallery, "ada")
    admin.set("twofold:active_model", "m/2")
    with pytest.raises(NotReady):
        enrol(gallery, "bob")
    with pytest.raises(NotReady):
        gallery.add_utterances("ada", [utterance()])
    assert len(gallery.get("ada").utterances) == gallery.count() == 1
    enrol(gallery, "bob", utterance(model="m/2"))
    (ada,) = gallery.get("ada").utterances
    revision = int(admin.get("twofold:revision"))
    assert gallery.add_embeddings("ada", "m/2", {ada.utterance_id: utterance().embedding})
    assert int(admin.get("twofold:revision")) == revision + 1


def test_erased_voice_leaves_no_bytes_behind(
    gallery: RedisGallery, server: RedisServer, admin: Redis
) -> None:
    admin.config_set("appendfsync", "always")  # files are read at once
    secret = np.random.default_rng(0).bytes(50_000)
    voice = np.float32(0.123456)
    gallery.enrol("kept", name=None, metadata={}, utterances=[utterance()])
    enrol(gallery, "zq-ada", utterance(audio=secret, fill=float(voice)), name="Ada Secret")
    traces = [secret[i : i + 64] for i in range(0, len(secret), 1000)]
    traces += [b"Ada Secret", b"zq-ada", np.full(8, voice, "<f4").tobytes()]

    def on_disk() -> bytes:
        content = b""
        for file in server.folder.rglob("*"):
            with suppress(FileNotFoundError, IsADirectoryError):  # replaced just now
                content += file.read_bytes()
        return content

    assert all(trace in on_disk() for trace in traces)
    gallery.clean()  # nothing was erased: nothing is done
    assert all(trace in on_disk() for trace in traces)
    gallery.delete("zq-ada")
    enrol(gallery, "bob")
    deadline = time.monotonic() + LIMIT_S
    for erasure in gallery.erasures():
        gallery.jobs_are_clean(erasure.erasure_id)
    with ThreadPoolExecutor(1) as pool:
        # A replica waits for the next change while the stream is written anew.
        newest = int(admin.get("twofold:revision") or 0)
        reading = pool.submit(lambda: admin.xread({"twofold:changes": f"{newest}-0"}, block=60_000))
        while gallery.erasures() and time.monotonic() < deadline:
            gallery.clean()
            time.sleep(0.05)
            assert not reading.done()
        enrol(gallery, "cyd")
        assert reading.result() == [
            [b"twofold:changes", [(f"{newest + 1}-0".encode(), {b"speaker": b"cyd"})]]
        ]
    assert not [trace for trace in traces if trace in on_disk()]
    server.kill()
    server.start()
    assert [s.speaker_id for s in gallery.list(limit=9).speakers] == ["bob", "cyd", "kept"]
