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

from benchmarks.redis_server import RedisServer
from tests.corpora import EXAMPLES, write_stand_ins
from tests.made_once import made_once

settings.register_profile("twofold", deadline=None)  # a busy machine must not fail a test
settings.load_profile("twofold")

MARKED_BY_FIXTURE = {
    "speech_data": "speech",
    "service": "process",
    "start_redis": "redis",
    "start_service": "process",
    "trainable_models": "slow",
    "tiny_barlow_twins": "slow",
}
SLOW = (
    "benchmarks",
    "service/generation/test_inverse.py",
    "service/generation/test_pghi.py",
    "trainer/autodecompose/test_train.py",
    "trainer/barlow_twins/test_bundle.py",
    "trainer/bundles/test_voice.py",
    "trainer/finetuning",
    "trainer/gaae",
    "trainer/metrics",
    "trainer/peers/ecapa",
    "trainer/reproduce",
    "trainer/scoring/test_by_seconds.py",
    "trainer/syntone",
)
# The first to begin, longest first: a long one that begins last runs alone at the end.
LONG = (
    "trainer/reproduce/gaae",
    "service/jobs/test_kill.py",
    "trainer/reproduce/autodecompose",
    "trainer/test_pretrain.py",
    "service/jobs/test_redis.py",
    "trainer/gaae/test_train.py",
    "trainer/gaae/test_export.py",
    "service/jobs/test_worker.py",
    "service/test_tenants.py",
    "service/test_erasure.py",
    "trainer/finetuning/test_finetune.py",
    "service/test_replicas.py",
    "trainer/gaae/test_memory.py",
    "benchmarks/test_encoders.py",
    "test_tours.py",
    "test_examples.py",
    "trainer/reproduce/test_flops.py",
)
# Their tests share trainings: package-scoped fixtures, made once where all run in one process.
TOGETHER = ("trainer/reproduce/gaae", "trainer/reproduce/autodecompose")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks tests by what they need, and keeps those together that share a module's or package's fixtures."""
    items.sort(key=lambda item: next((i for i, long in enumerate(LONG) if _place(item).startswith(long)), 99))
    for item in items:
        place = _place(item)
        for fixture, mark in MARKED_BY_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
        if hasattr(getattr(item, "module", None), "subprocess"):
            item.add_marker("process")
        if place.startswith(SLOW):
            item.add_marker("slow")
        if config.pluginmanager.hasplugin("xdist"):
            group = next((folder for folder in TOGETHER if place.startswith(folder)), place)
            item.add_marker(pytest.mark.xdist_group(group))


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).as_posix()


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


@pytest.fixture(scope="session")
def trainable_models(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with autodecompose/1.0.0: random weights, but real graphs and scoring."""
    torch = pytest.importorskip("torch")
    from trainer.audio.folders import read_folder
    from trainer.autodecompose.bundle import autodecompose_voice
    from trainer.autodecompose.objective import Objective
    from trainer.autodecompose.settings import TrainSettings
    from trainer.bundles.voice import export_voice_bundle
    from trainer.training.settings import override

    small = {"encoder": "dense", "decoder": "dense", "width": "16", "bt_width": "32"}

    def make(models: Path) -> None:
        torch.manual_seed(0)
        voice = autodecompose_voice(Objective(override(TrainSettings(), small)))
        folder = models / "autodecompose" / "1.0.0"
        export_voice_bundle(voice, read_folder(examples), folder, training={"data": ["examples"]})

    return made_once(tmp_path_factory, "trainable_models", make)


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
