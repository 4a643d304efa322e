"""The queue of clips, without HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from service.errors import Conflict, Overloaded
from service.generation import GenerationDesk
from service.inference import ActiveModelFile, Engine, ModelRegistry
from service.metrics import Metrics
from tests.service.generation.tiny_generator import write_generator


def no_engine(_: object) -> Engine:
    raise AssertionError("no voice model is asked for")


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry([tmp_path / "models"], ActiveModelFile(tmp_path / "active.json"), no_engine)


def test_a_full_queue_refuses_and_is_empty_again(registry: ModelRegistry, tmp_path: Path) -> None:
    write_generator(tmp_path / "models", "0.1.0")

    async def scenario(desk: GenerationDesk) -> None:
        bundle = await desk.bundle()
        many = asyncio.create_task(desk.clips(bundle, "low", range(6)))  # more than fit, but alone
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await desk.clips(bundle, "low", [0])
        assert refused.value.retry_after_s
        given_up = asyncio.create_task(desk.clips(bundle, "high tone", range(4)))
        assert len(await many) == 6
        with pytest.raises(Overloaded):
            await given_up
        left = asyncio.create_task(desk.clips(bundle, "low", range(4)))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        first, again = await asyncio.gather(*(desk.clips(bundle, "low", [0, 1]) for _ in range(2)))
        np.testing.assert_array_equal(first, again)

    with closing(GenerationDesk(registry, 1, 4, Metrics())) as desk:
        asyncio.run(scenario(desk))


def test_without_numba_it_says_what_to_install(
    registry: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_generator(tmp_path / "models", "0.1.0")
    monkeypatch.setattr("service.generation.desk.can_compile", lambda: False)

    async def scenario(desk: GenerationDesk) -> None:
        with pytest.raises(Conflict, match="pip install numba"):
            await desk.clips(await desk.bundle(), "low", [0])

    with closing(GenerationDesk(registry, 1, 4, Metrics())) as desk:
        asyncio.run(scenario(desk))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"latent_dim": 5}, "does not match its manifest"),
        ({"labels": ["a", "a"]}, None),
        ({"labels": []}, None),
        ({"prior": {"distribution": "cauchy", "mean": 0, "std": 1}}, None),
    ],
)
def test_bundles_that_do_not_fit_are_refused(
    registry: ModelRegistry, tmp_path: Path, change: dict[str, object], complaint: str | None
) -> None:
    write_generator(tmp_path / "models", "0.1.0", **change)

    async def scenario(desk: GenerationDesk) -> None:
        if complaint is None:  # cannot be read: as if it were not there
            assert await desk.find() is None
            return
        with pytest.raises(Conflict, match=complaint):
            await desk.clips(await desk.bundle(), "low", [0])

    with closing(GenerationDesk(registry, 1, 4, Metrics())) as desk:
        asyncio.run(scenario(desk))


@pytest.mark.parametrize(
    ("name", "graph", "complaint"),
    [("style", b"no graph", "style of gaae/0.1.0 cannot be loaded"), ("generator", None, "cannot be run")],
)
def test_a_graph_that_is_none_or_another_is_refused(
    registry: ModelRegistry, tmp_path: Path, name: str, graph: bytes | None, complaint: str
) -> None:
    folder = write_generator(tmp_path / "models", "0.1.0")
    manifest = json.loads((folder / "bundle.json").read_text())
    data = (folder / manifest["files"]["style"]["path"]).read_bytes() if graph is None else graph
    (folder / manifest["files"][name]["path"]).write_bytes(data)
    manifest["files"][name]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(manifest))

    async def scenario(desk: GenerationDesk) -> None:
        with pytest.raises(Conflict, match=complaint):
            await desk.clips(await desk.bundle(), "low", [0])

    with closing(GenerationDesk(registry, 1, 4, Metrics())) as desk:
        asyncio.run(scenario(desk))


@pytest.mark.parametrize(
    ("change", "complaint"), [({"bins": 129}, "half of the window"), ({"frames": 40}, "do not make a second")]
)
def test_a_spectrogram_is_of_one_second(tmp_path: Path, change: dict[str, int], complaint: str) -> None:
    from bundle.folders import read_bundle
    from bundle.manifest import BundleError

    folder = write_generator(tmp_path, "0.1.0")
    form = json.loads((folder / "bundle.json").read_text())["spectrogram"] | change
    other = write_generator(tmp_path, "0.2.0", spectrogram=form)
    with pytest.raises(BundleError, match=complaint):
        read_bundle(other)
