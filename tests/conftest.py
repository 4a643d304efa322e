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

from tests.corpora import EXAMPLES, write_stand_ins
from tests.redis_server import RedisServer

settings.register_profile("twofold", deadline=None)  # a busy machine must not fail a test
settings.load_profile("twofold")


@pytest.fixture(scope="session")
def speech_data() -> Path:
    """TWOFOLD_DATA, the corpora of docs/data.md: for what `examples` and `corpora` cannot show."""
    folder = os.environ.get("TWOFOLD_DATA")
    if not folder:
        pytest.skip("TWOFOLD_DATA is unset: this test needs the corpora of docs/data.md")
    return Path(folder)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The corpus in examples/: three recordings of each of six readers."""
    return EXAMPLES


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of speechocean762, arabic_speech_commands and nemo.

    The real ones where TWOFOLD_DATA is set; else small ones, cut from examples/ with labels that are made up.
    """
    if folder := os.environ.get("TWOFOLD_DATA"):
        return Path(folder)
    stand_ins = tmp_path_factory.mktemp("stand_ins")
    write_stand_ins(stand_ins)
    return stand_ins


StartRedis = Callable[..., RedisServer]
# What outlives a kill; a power cut, which takes an fsync for each write, is not tested.
KEPT = ("--appendonly", "yes", "--save", "")


@pytest.fixture(scope="session")
def start_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartRedis]:
    """`start_redis(*options)` starts one on a free port; every one is stopped at the end."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (apt-get install redis-server): this test needs one")
    with ExitStack() as stack:

        def start(*options: str) -> RedisServer:
            server = RedisServer(Path(binary), tmp_path_factory.mktemp("redis"), options or KEPT)
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
