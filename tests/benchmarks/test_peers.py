from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("librosa", reason="the peer needs the `bench` extra")
pytest.importorskip("torch", reason="the peer needs the `train` extra")

from benchmarks.peers import PeerMissingError, Resemblyzer


@pytest.fixture(scope="module")
def peer() -> Resemblyzer:
    try:
        return Resemblyzer.load()
    except PeerMissingError as error:
        pytest.skip(str(error))


def test_embeddings_are_unit_vectors_at_any_batch_size(peer: Resemblyzer) -> None:
    crops = np.random.default_rng(0).normal(scale=0.1, size=(65, 16384)).astype(np.float32)
    embeddings = peer.embed(crops)
    assert embeddings.shape == (65, 256)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(embeddings[-1:], peer.embed(crops[-1:]), atol=1e-5)


@pytest.mark.parametrize("seconds", [0.4, 1.6, 2.0, 9.7])
def test_utterances_of_any_length_give_one_unit_vector(peer: Resemblyzer, seconds: float) -> None:
    samples = np.random.default_rng(0).normal(scale=0.01, size=round(16_000 * seconds)).astype(np.float32)
    embedding = peer.embed_utterance(samples)
    assert embedding.shape == (256,)
    assert np.linalg.norm(embedding) == pytest.approx(1, rel=1e-5)
