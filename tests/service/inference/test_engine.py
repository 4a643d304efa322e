"""An engine on a real, small bundle; and on the shipped one where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundle.arrays import Float32
from bundle.voice import VoiceBundle
from service.errors import Conflict
from service.inference import Engine, content_frames, content_hop
from service.metrics import Metrics
from tests.service.conftest import newest_shipped
from trainer.audio.folders import read_audio

TOLERANCE = 1e-5


@pytest.fixture(scope="module", params=["tiny", "shipped"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    folder: Path = (
        request.getfixturevalue("tiny_models") / "autodecompose" / "0.1.0"
        if request.param == "tiny"
        else newest_shipped("autodecompose")
    )
    engine = Engine(VoiceBundle.load(folder), threads=1, max_batch=8, max_queue=100, observer=Metrics())
    yield engine
    engine.close()


def noise(*shape: int) -> Float32:
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)


def test_a_batch_equals_single_calls(engine: Engine) -> None:
    waveforms = noise(11, 16384)

    async def both(encode: str) -> tuple[Float32, Float32]:
        call = getattr(engine, encode)
        one_by_one = [await call(waveforms[i : i + 1]) for i in range(len(waveforms))]
        return await call(waveforms), np.concatenate(one_by_one)

    for encode in ("embed", "content"):
        together, single = asyncio.run(both(encode))
        np.testing.assert_allclose(together, single, atol=TOLERANCE)


def test_shapes_and_unit_length(engine: Engine) -> None:
    embeddings = asyncio.run(engine.embed(noise(3, 16384)))
    assert embeddings.shape == (3, engine.bundle.embedding_dim)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=TOLERANCE)
    frames = asyncio.run(engine.content(noise(3, 16384)))
    assert frames.shape == (3, 64, engine.bundle.content_dim)


@pytest.mark.parametrize("samples", [256, 5000, 16384, 16385, 16384 * 2 + 256 * 3 + 17, 16384 * 3])
def test_content_has_one_vector_for_every_16_ms(engine: Engine, samples: int) -> None:
    frames = asyncio.run(content_frames(engine, noise(samples)))
    assert frames.shape == (samples // 256, engine.bundle.content_dim)
    assert np.isfinite(frames).all()


def test_content_frames_are_where_they_were_said(tiny_models: Path) -> None:
    """The tiny model looks at each frame alone, so that every frame is known."""
    bundle = VoiceBundle.load(tiny_models / "autodecompose" / "0.1.0")
    engine = Engine(bundle, threads=1, max_batch=8, max_queue=100, observer=Metrics())
    samples = noise(16384 + 256 * 5 + 100)

    async def frame(i: int) -> Float32:
        crop = np.resize(samples[i * 256 : (i + 1) * 256], (1, 16384))
        return (await engine.content(crop))[0, 0]

    async def scenario() -> None:
        frames = await content_frames(engine, samples)
        for i in (0, 1, 63, 64, 66, 68):
            np.testing.assert_allclose(frames[i], await frame(i), atol=TOLERANCE)

    asyncio.run(scenario())
    engine.close()


def test_content_does_not_depend_on_where_crops_begin(examples: Path) -> None:
    """Of the shipped model: frames at the ends of crops had up to fifteen times the length of others."""
    engine = Engine(
        VoiceBundle.load(newest_shipped("autodecompose")),
        threads=1,
        max_batch=8,
        max_queue=100,
        observer=Metrics(),
    )
    samples = read_audio(examples / "audio" / "1998" / "1998-15444-0005.opus")
    late = 25  # frames

    async def scenario() -> tuple[Float32, Float32]:
        return await content_frames(engine, samples), await content_frames(engine, samples[late * 256 :])

    frames, later = asyncio.run(scenario())
    lengths = np.linalg.norm(frames, axis=1)
    assert lengths.max() < 4 * np.median(lengths)
    cosines = (frames[late:] * later).sum(axis=1) / (lengths[late:] * np.linalg.norm(later, axis=1))
    assert np.percentile(cosines, 10) > 0.7  # 0.3 where crops do not overlap
    engine.close()


def test_content_is_not_offered_without_its_encoder(tmp_path: Path, write_bundle: Any) -> None:
    bundle = VoiceBundle.load(write_bundle(tmp_path, "0.1.0", name="barlow_twins"))
    with pytest.raises(Conflict, match=r"barlow_twins/0\.1\.0 has no content encoder"):
        content_hop(bundle)
