from __future__ import annotations

import numpy as np
import pytest
import torch

from bundle.audio import CROP_SAMPLES
from trainer.audio.cache import ClipCache
from trainer.training.ahead import batches, workers_for
from trainer.training.batches import PairSampler


def test_a_batch_depends_on_seed_and_step_alone(tone_cache: ClipCache) -> None:
    sampler = PairSampler(tone_cache, tone_cache, batch=4, seed=1)
    later = sampler.at(7)
    again = PairSampler(tone_cache, tone_cache, batch=4, seed=1).at(7)
    other = PairSampler(tone_cache, tone_cache, batch=4, seed=2).at(7)
    assert torch.equal(later.first, again.first)
    assert torch.equal(later.second, again.second)
    assert later.noise is not None
    assert again.noise is not None
    assert torch.equal(later.noise, again.noise)
    assert not torch.equal(later.first, other.first)
    assert later.noise.shape == (8, CROP_SAMPLES)


def test_both_crops_are_of_one_recording(tone_cache: ClipCache) -> None:
    sampler = PairSampler(tone_cache, None, batch=12, seed=0)
    batch = sampler.at(0)
    for first, second in zip(batch.first.numpy(), batch.second.numpy(), strict=True):
        pitches = [int(np.abs(np.fft.rfft(crop)).argmax()) for crop in (first, second)]
        assert abs(pitches[0] - pitches[1]) <= 1


def test_an_epoch_visits_every_recording_as_often_as_it_has_crops(tone_cache: ClipCache) -> None:
    sampler = PairSampler(tone_cache, None, batch=6, seed=0)
    assert sampler.steps_per_epoch == 12 * 2 // 6  # 2.5 s are two whole crops
    assert sorted(sampler.visits.tolist()) == sorted(list(range(12)) * 2)


def test_same_voice_seconds_bounds_the_distance(tone_cache: ClipCache) -> None:
    """A ramp instead of tones: the first sample of a crop tells where it was cut."""
    ramp = np.arange(tone_cache.samples.size) % 32768
    marked = ClipCache(ramp.astype(np.int16), tone_cache.offsets, tone_cache.clips)
    near = PairSampler(marked, None, batch=12, seed=0, same_voice_seconds=0.1).at(0)
    apart = (near.first[:, 0] - near.second[:, 0]).abs() * 32768
    assert torch.minimum(apart, 32768 - apart).max() <= 1600


def test_the_second_crop_is_of_another_recording_of_the_pseudo_speaker(tone_cache: ClipCache) -> None:
    """Each recording holds its own number: a crop tells which it was cut from."""
    numbered = np.repeat(np.arange(12, dtype=np.int16), tone_cache.lengths)
    marked = ClipCache(numbered, tone_cache.offsets, tone_cache.clips)
    voices = np.asarray([0] * 6 + [1] * 5 + [2])
    batch = PairSampler(marked, None, batch=12, seed=0, voices=voices).at(0)
    first, second = ((crops[:, 0] * 32768).int().numpy() for crops in (batch.first, batch.second))
    assert batch.voice is not None
    assert batch.voice.tolist() == voices[first].tolist() == voices[second].tolist()
    assert ((first == second) == (voices[first] == 2)).all()  # who has one recording is his own pair


def test_noise_is_drawn_by_its_length(tone_cache: ClipCache) -> None:
    lengths = np.asarray([0, 16_384, 20 * 16_384])
    samples = np.concatenate([np.full(16_384, 1), np.full(19 * 16_384, 2)]).astype(np.int16)
    noise = ClipCache(samples, lengths, tone_cache.clips[:2])
    drawn = PairSampler(tone_cache, noise, batch=64, seed=0).at(0).noise
    assert drawn is not None
    assert (drawn[:, 0] * 32768 == 2).float().mean() > 0.85


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more than the cores of a pinned run
def test_workers_cut_the_same_batches_in_the_same_order(tone_cache: ClipCache) -> None:
    sampler = PairSampler(tone_cache, tone_cache, batch=4, seed=1)
    draws = range(3, 12, 2)  # as of the second of two processes that went on at a step
    cut = list(batches(sampler, draws, workers=2))
    assert len(cut) == len(draws)
    for ours, theirs in zip(cut, batches(sampler, draws, workers=0), strict=True):
        assert torch.equal(ours.first, theirs.first)
        assert torch.equal(ours.second, theirs.second)
        assert ours.noise is not None
        assert theirs.noise is not None
        assert torch.equal(ours.noise, theirs.noise)
    assert workers_for(torch.device("cpu")) == 0
    assert 1 <= workers_for(torch.device("cuda")) <= 4
