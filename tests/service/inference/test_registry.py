"""Versions, and switching between them while requests run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import Conflict, NotFound, NotReady
from service.inference import ActiveModelFile, Engine, ModelRegistry
from service.jobs import Folders
from service.metrics import Metrics

CROPS = np.random.default_rng(0).uniform(-1, 1, (2, 16384)).astype(np.float32)


@pytest.fixture
def models(tmp_path: Path, write_bundle: Any) -> Path:
    folder = tmp_path / "models"
    write_bundle(folder, "0.1.0", seed=1, day=1)
    write_bundle(folder, "0.2.0", seed=2, day=2)
    write_bundle(tmp_path / "state" / "models", "0.3.0", seed=3, day=3)
    return folder


@pytest.fixture
def make(models: Path) -> Callable[[], ModelRegistry]:
    state = models.parent / "state"
    engine = partial(Engine, threads=1, max_batch=4, max_queue=100, observer=Metrics())
    return lambda: ModelRegistry(
        [models, state / "models"], ActiveModelFile(state / "active_model.json"), engine
    )


async def nothing(_: Engine) -> None:
    return None


def test_lists_all_and_starts_with_the_newest_shipped(make: Callable[[], ModelRegistry]) -> None:
    async def scenario() -> None:
        registry = make()
        assert [b.version for b in registry.list()] == ["0.1.0", "0.2.0", "0.3.0"]
        assert registry.active is None
        with pytest.raises(NotReady), registry.lease():
            pass
        await registry.start()
        assert registry.active is not None
        assert registry.active.version == "0.2.0"
        await registry.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("models_dir", "serves"),
    [
        ("models", "autodecompose/0.2.0"),  # however new the other one is
        ("models/autodecompose", "autodecompose/0.2.0"),
        ("models/autodecompose/0.1.0", "autodecompose/0.1.0"),
        ("models/barlow_twins", "barlow_twins/0.9.0"),
        ("models/barlow_twins/0.9.0", "barlow_twins/0.9.0"),
    ],
)
def test_autodecompose_is_the_default_and_a_path_chooses_another(
    models: Path, write_bundle: Any, models_dir: str, serves: str
) -> None:
    write_bundle(models, "0.8.0", name="barlow_twins", day=8)
    write_bundle(models, "0.9.0", name="barlow_twins", day=9)
    state = models.parent / "state"
    folders = Folders(state, models.parent / models_dir)
    engine = partial(Engine, threads=1, max_batch=4, max_queue=100, observer=Metrics())

    async def scenario() -> None:
        registry = ModelRegistry(
            [folders.models_dir, state / "models"], ActiveModelFile(state / "active_model.json"), engine
        )
        await registry.start()
        assert registry.active is not None
        assert registry.active.id == serves
        # A worker finds the parent of a job at the same place, and a version of the state folder as ever.
        assert folders.bundle(*serves.split("/")) == registry.active.path
        assert folders.bundle("autodecompose", "0.3.0") == state / "models" / "autodecompose" / "0.3.0"
        await registry.close()

    asyncio.run(scenario())


def test_a_version_is_never_removed_while_a_replica_switches_to_it(make: Callable[[], ModelRegistry]) -> None:
    async def scenario() -> None:
        first, second = make(), make()
        await first.start()
        await second.start()

        async def remove(_: Engine) -> None:
            await second.remove("0.3.0")

        with pytest.raises(NotFound):  # removed before the switch: the switch is refused
            await first.activate("0.3.0", remove)
        for registry in (first, second):
            assert registry.active is not None
            assert registry.active.version == "0.2.0"
            assert [b.version for b in registry.list()] == ["0.1.0", "0.2.0"]
        third = make()
        await third.start()
        assert third.active is not None
        assert third.active.version == "0.2.0"
        for registry in (first, second, third):
            await registry.close()

    asyncio.run(scenario())


def test_what_another_replica_has_activated_is_not_removed(make: Callable[[], ModelRegistry]) -> None:
    async def scenario() -> None:
        first, second = make(), make()
        await first.start()
        await second.start()
        await first.activate("0.3.0", nothing)
        with pytest.raises(Conflict, match="serves"):
            await second.remove("0.3.0")
        assert [b.version for b in second.list()] == ["0.1.0", "0.2.0", "0.3.0"]
        for registry in (first, second):
            await registry.close()

    asyncio.run(scenario())


def test_the_active_version_outlives_the_process(make: Callable[[], ModelRegistry]) -> None:
    async def scenario() -> None:
        first = make()
        await first.start()

        async def says(engine: Engine) -> str:
            assert first.active is not None
            assert (first.active.version, engine.bundle.version) == ("0.2.0", "0.3.0")
            return "carried"

        assert await first.activate("0.3.0", says) == "carried"
        await first.close()
        second = make()
        await second.start()
        assert second.active is not None
        assert second.active.version == "0.3.0"
        await second.close()

    asyncio.run(scenario())


def test_no_request_fails_during_a_switch(make: Callable[[], ModelRegistry]) -> None:
    async def scenario() -> None:
        registry = make()
        await registry.start()
        switching = True
        seen: set[str] = set()

        async def requests() -> None:
            while switching:
                with registry.lease() as engine:
                    embeddings = await engine.embed(CROPS)
                    assert embeddings.shape == (2, 8)
                    seen.add(engine.bundle.version)

        clients = [asyncio.create_task(requests()) for _ in range(4)]
        for version in ("0.1.0", "0.3.0", "0.2.0", "0.1.0"):
            await registry.activate(version, nothing)
        switching = False
        await asyncio.gather(*clients)
        assert seen >= {"0.2.0", "0.1.0"}
        await registry.close()

    asyncio.run(scenario())


def test_the_old_engine_closes_when_its_last_request_ends(make: Callable[[], ModelRegistry]) -> None:
    async def scenario() -> None:
        registry = make()
        await registry.start()
        with registry.lease() as old:
            await registry.activate("0.1.0", nothing)
            assert (await old.embed(CROPS)).shape == (2, 8)
        await registry.close()
        with pytest.raises(NotReady):
            await old.embed(CROPS)

    asyncio.run(scenario())


def test_a_damaged_version_is_refused_and_the_old_one_serves_on(
    make: Callable[[], ModelRegistry], models: Path
) -> None:
    (models / "autodecompose" / "0.1.0" / "voice.onnx").write_bytes(b"something else")

    async def scenario() -> None:
        registry = make()
        await registry.start()
        with pytest.raises(Conflict, match=r"voice\.onnx"):
            await registry.activate("0.1.0", nothing)
        with pytest.raises(NotFound):
            await registry.activate("9.9.9", nothing)

        async def fails(_: Engine) -> None:
            raise RuntimeError("carry-over failed")

        with pytest.raises(RuntimeError, match="carry-over"):
            await registry.activate("0.3.0", fails)
        with registry.lease() as engine:
            assert engine.bundle.version == "0.2.0"
        await registry.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("damage", ["tampered", "unreadable", "vanished", "no models", "garbled state"])
def test_a_start_that_fails_says_why_and_can_be_mended(
    make: Callable[[], ModelRegistry], models: Path, write_bundle: Any, damage: str
) -> None:
    active_file = models.parent / "state" / "active_model.json"
    if damage == "tampered":
        (models / "autodecompose" / "0.2.0" / "voice.onnx").write_bytes(b"something else")
    elif damage == "unreadable":
        write_bundle(models, "0.9.0", name="barlow_twins")  # which must not step in
        for manifest in models.glob("autodecompose/*/bundle.json"):
            manifest.write_text("?")
    elif damage == "vanished":
        active_file.write_text(json.dumps({"version": "7.0.0"}))
    elif damage == "no models":
        models.rename(models.with_name("elsewhere"))
    else:
        active_file.write_text("?")

    async def scenario() -> None:
        registry = make()
        await registry.start()
        assert registry.active is None
        assert registry.not_ready_because
        await registry.activate("0.3.0", nothing)
        with registry.lease() as engine:
            assert engine.bundle.version == "0.3.0"
        await registry.close()

    asyncio.run(scenario())


def test_odd_folders_are_passed_over(make: Callable[[], ModelRegistry], models: Path) -> None:
    broken = models / "autodecompose" / "broken"
    broken.mkdir()
    (broken / "bundle.json").write_text("{}")
    twin = models / "other" / "0.1.0"
    twin.mkdir(parents=True)
    (twin / "bundle.json").write_text((models / "autodecompose/0.1.0/bundle.json").read_text())
    assert [b.version for b in make().list()] == ["0.1.0", "0.2.0", "0.3.0"]
