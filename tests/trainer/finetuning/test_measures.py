from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bundle.vectors import unit
from trainer.finetuning.measures import JobCrops, identification, separation
from trainer.finetuning.report import Change, Measures, judge

SPEAKERS, RECORDINGS, CROPS, DIM = 4, 3, 5, 16


def job(spread: float, seed: int = 0) -> tuple[JobCrops, np.ndarray]:
    """Crops of recordings of speakers, the last crop of each recording set aside, and their embeddings."""
    rng = np.random.default_rng(seed)
    voice = np.repeat(rng.normal(size=(SPEAKERS, DIM)), RECORDINGS * CROPS, axis=0)
    names = np.repeat([f"s{i}" for i in range(SPEAKERS)], RECORDINGS * CROPS)
    recordings = np.repeat([f"r{i}" for i in range(SPEAKERS * RECORDINGS)], CROPS)
    held_out = np.tile(np.arange(CROPS) == CROPS - 1, SPEAKERS * RECORDINGS)
    crops = JobCrops(
        np.zeros((len(names), 1), np.float32), held_out, recordings, np.arange(len(names)), names
    )
    return crops, unit((voice + spread * rng.normal(size=voice.shape)).astype(np.float32))


def test_voices_that_are_apart_are_identified_and_noise_is_not() -> None:
    crops, embeddings = job(spread=0.1)
    assert identification(crops, embeddings) == 1
    crops, embeddings = job(spread=100)
    chance = identification(crops, embeddings)
    assert chance is not None
    assert chance < 0.6


def test_a_speaker_of_one_recording_is_enrolled_with_the_rest_of_it() -> None:
    crops, embeddings = job(spread=0.1)
    alone = replace(crops, recordings=crops.speakers)
    assert identification(alone, embeddings) == 1
    assert identification(replace(crops, speakers=np.full(len(embeddings), "")), embeddings) is None
    assert identification(replace(crops, speakers=np.full(len(embeddings), "one")), embeddings) is None


def test_separation_is_the_share_of_pairs_in_the_right_order() -> None:
    crops, embeddings = job(spread=0.1)
    by_voice = replace(crops, recordings=crops.speakers)
    assert separation(by_voice, embeddings) == pytest.approx(1, abs=0.01)
    crops, embeddings = job(spread=100)
    assert separation(crops, embeddings) == pytest.approx(0.5, abs=0.15)
    scores = embeddings[crops.held_out] @ embeddings.T
    same = crops.recordings[crops.held_out][:, None] == crops.recordings[None]
    itself = np.flatnonzero(crops.held_out)[:, None] == np.arange(len(embeddings))[None]
    target, nontarget = scores[same & ~itself], scores[~same]
    assert separation(crops, embeddings) == pytest.approx(np.mean(target[:, None] > nontarget[None]))
    assert separation(replace(crops, recordings=np.full(len(embeddings), "r")), embeddings) is None


def test_the_verdict_is_about_voices_and_says_why() -> None:
    worse, same, better = Change(0.9, 0.8), Change(0.9, 0.9), Change(0.8, 0.9)
    loss = Change(1.0, 0.5)
    for identified, separated, verdict, word in (
        (better, worse, "better", "identification"),
        (worse, better, "not_better", "identification"),
        (same, better, "better", "recordings"),
        (None, worse, "not_better", "recordings"),
        (same, same, "not_better", "no difference"),
        (None, None, "not_better", "unknown"),
    ):
        judged, reason = judge(Measures(loss, None, separated, identified))
        assert judged == verdict
        assert word in reason
    assert "80.0 % to 90.0 %" in judge(Measures(loss, None, better, None))[1]
