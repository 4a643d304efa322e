"""The Redis of the tests is a real one: what was written is there after a restart."""

from __future__ import annotations

from redis import Redis

from tests.conftest import StartRedis


def test_restarts_keep_what_was_written(start_redis: StartRedis) -> None:
    server = start_redis()
    with Redis.from_url(server.url) as client:
        client.set("a", 1)
    for end in (server.stop, server.kill):
        end()
        server.start()
        with Redis.from_url(server.url) as client:
            assert client.incr("a") > 1


def test_the_shared_one_can_be_emptied(redis_url: str, empty_redis_url: str) -> None:
    assert redis_url == empty_redis_url
    with Redis.from_url(empty_redis_url) as client:
        assert client.dbsize() == 0
