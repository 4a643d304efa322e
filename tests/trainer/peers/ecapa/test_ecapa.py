from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from trainer.audio.cache import ClipCache, build_cache
from trainer.audio.folders import contiguous_crops, read_folder
from trainer.peers.ecapa.networks import EcapaTdnn, Res2Conv
from trainer.peers.ecapa.objective import LabelledSampler, SpeakerClassifier
from trainer.peers.ecapa.settings import EcapaSettings
from trainer.training.distributed import Group
from trainer.training.loop import train
from trainer.training.margin import aam_softmax

TINY = EcapaSettings(
    mixed_precision=False,
    channels=32,
    res2_scale=4,
    bottleneck=8,
    width=12,
    batch=8,
    epochs=50,
    acoustics=None,
)


def test_one_embedding_a_crop_of_any_length() -> None:
    network = EcapaTdnn(80, 16, 4, 8, 12).eval()
    for frames in (30, 64):
        assert network(torch.rand(3, frames, 80)).shape == (3, 12)


def test_loudness_and_equaliser_are_taken_off() -> None:
    """In decibels a fixed filter adds a constant to each band."""
    network = EcapaTdnn(80, 16, 4, 8, 12).eval()
    mel = torch.rand(2, 64, 80)
    torch.testing.assert_close(network(mel + torch.rand(80)), network(mel), atol=1e-4, rtol=1e-4)


def test_res2_hears_further_from_group_to_group() -> None:
    torch.manual_seed(0)
    layer = Res2Conv(64, 3, dilation=2, scale=4).eval()
    x = torch.zeros(1, 64, 33)
    with torch.no_grad():
        x[0, :, 16] = 1
        changed = (layer(x) - layer(torch.zeros_like(x))).abs()[0]
    reach = [int(np.ptp(np.flatnonzero(group.sum(dim=0) > 0))) for group in changed.chunk(4)]
    assert reach[0] == 0
    assert reach == sorted(reach)
    assert reach[-1] > reach[1]
    with pytest.raises(ValueError, match="multiple"):
        Res2Conv(10, 3, 2, 4)


def test_without_a_margin_it_is_the_scaled_softmax() -> None:
    cosine, speaker = torch.rand(5, 7) * 2 - 1, torch.tensor([0, 6, 3, 3, 1])
    torch.testing.assert_close(aam_softmax(cosine, speaker, 0.0, 30.0), F.cross_entropy(30 * cosine, speaker))


def test_the_margin_is_added_to_the_own_angle() -> None:
    theta = torch.tensor([[0.5, 1.2, 2.0]])
    m, s = 0.2, 4.0
    target, others = math.exp(s * math.cos(0.7)), math.exp(s * math.cos(1.2)) + math.exp(s * math.cos(2.0))
    loss = aam_softmax(theta.cos(), torch.tensor([0]), m, s)
    assert float(loss) == pytest.approx(-math.log(target / (target + others)), rel=1e-5)


def test_the_loss_rises_with_the_own_angle_up_to_pi() -> None:
    losses = [
        float(aam_softmax(torch.tensor([[math.cos(t), 0.0]]), torch.tensor([0]), 0.2, 30.0))
        for t in np.linspace(0.01, math.pi - 0.01, 50)
    ]
    assert losses == sorted(losses)


def test_batches_name_who_speaks(tone_cache: ClipCache) -> None:
    sampler = LabelledSampler(tone_cache, None, 12, 0)
    assert sampler.speakers == 4
    batch = sampler.at(3)
    pitch = np.abs(np.fft.rfft(batch.pair.first.numpy())).argmax(axis=1)  # a pitch a speaker
    for speaker in range(4):
        same = pitch[batch.speaker.numpy() == speaker]
        assert np.ptp(same) < 0.1 * same.mean()


def test_it_learns_to_tell_voices_apart(examples: Path, tmp_path: Path) -> None:
    clips = read_folder(examples)[:9]  # three of each of three speakers
    speech = build_cache(clips, tmp_path / "cache", warn=pytest.fail)
    sampler = LabelledSampler(speech, None, TINY.batch, 0)
    assert sampler.speakers == 3
    torch.manual_seed(0)
    objective = SpeakerClassifier(TINY, sampler.speakers)
    train(TINY, objective, sampler, tmp_path, group=Group(0, 1, torch.device("cpu")))
    crops = [contiguous_crops(speech.clip(i)) for i in range(len(speech))]
    labels = np.repeat(sampler.labels, [len(rows) for rows in crops])
    with torch.no_grad():
        embeddings = objective.embed(torch.from_numpy(np.concatenate(crops)))
        guesses = (embeddings @ F.normalize(objective.W, dim=1).T).argmax(dim=1)
    assert (guesses.numpy() == labels).mean() > 0.8


def test_settings_survive_json() -> None:
    for settings in (EcapaSettings(), TINY):
        assert EcapaSettings.from_json(settings.to_json()) == settings
