from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the peer needs the `train` extra")

from trainer.peers.resemblyzer import PeerMissingError, Resemblyzer, mel_spectrogram


@pytest.fixture(scope="module")
def peer() -> Resemblyzer:
    try:
        return Resemblyzer.load()
    except PeerMissingError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("peer")
def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.peers.resemblyzer.WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(PeerMissingError, match=r"0\.1\.4"):
        Resemblyzer.load()


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


def test_mel_spectrogram_is_librosas() -> None:
    librosa = pytest.importorskip("librosa", reason="only to compare with")
    samples = np.random.default_rng(0).normal(scale=0.1, size=(2, 16384)).astype(np.float32)
    expected = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=400, hop_length=160, n_mels=40)
    np.testing.assert_allclose(mel_spectrogram(samples), expected.swapaxes(1, 2), rtol=1e-4, atol=1e-6)
