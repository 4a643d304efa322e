"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from redis import Redis

from tests.redis_server import RedisServer

settings.register_profile("twofold", deadline=None)  # a busy machine must not fail a test
settings.load_profile("twofold")


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """Folder of real recordings: corpora with a metadata.tsv each."""
    folder = os.environ.get("TWOFOLD_DATA")
    if not folder:
        pytest.skip("TWOFOLD_DATA is unset: this test needs real speech")
    return Path(folder)


StartRedis = Callable[..., RedisServer]
DURABLE = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")


@pytest.fixture(scope="session")
def start_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRedis]:
    """`start_redis(*options)` starts one on a free port, as deployed; every one is stopped at the end."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server): this test needs one")
    with ExitStack() as stack:

        def start(*options: str) -> RedisServer:
            server = RedisServer(Path(binary), tmp_path_factory.mktemp("redis"), options or DURABLE)
            stack.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture(scope="session")
def redis_url(start_redis: StartRedis) -> str:
    """A Redis that all tests share and none stops; for one with nothing in it, see `empty_redis_url`."""
    return start_redis().url


@pytest.fixture
def empty_redis_url(redis_url: str) -> str:
    """The shared Redis, emptied."""
    with Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url
