from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bundle.vectors import unit
from trainer.autodecompose.settings import TrainSettings
from trainer.training.clusters import pseudo_speakers


def voices(people: int, recordings: int, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (people · recordings, 128) around a direction a person, and who speaks."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), recordings)
    directions = rng.normal(size=(people, 128))
    return unit((directions[who] + spread * rng.normal(size=(who.size, 128))).astype(np.float32)), who


def test_people_are_found_in_each_corpus_and_corpora_never_mix() -> None:
    many, who = voices(12, 10, 0.3, seed=0)
    single, _ = voices(20, 1, 0.3, seed=1)
    utterances = np.concatenate([many, single])
    labels = pseudo_speakers(utterances, ["many"] * len(many) + ["single"] * len(single))
    assert sorted(set(labels)) == list(range(32))
    assert len(set(labels[:120])) == 12
    assert all(len(Counter(labels[:120][who == person])) == 1 for person in range(12))
    assert len(set(labels[120:])) == 20  # one recording each: nobody is joined with another
    assert not set(labels[:120]) & set(labels[120:])


def test_what_tells_corpora_apart_does_not_count() -> None:
    utterances, who = voices(6, 8, 0.2, seed=2)
    labels = pseudo_speakers(unit(utterances + 3), ["one"] * 24 + ["two"] * 24)
    assert [len(set(labels[who == person])) for person in range(6)] == [1] * 6
    assert len(set(labels)) == 6


def test_copies_in_another_codec_are_no_groups_of_their_own() -> None:
    utterances, _ = voices(8, 6, 0.45, seed=3)
    copies = unit(utterances + 0.01 * np.random.default_rng(4).normal(size=utterances.shape))
    labels = pseudo_speakers(np.concatenate([utterances, copies.astype(np.float32)]), ["all"] * 96)
    assert len(set(labels)) == 8  # without the rule the pairs of copies would have the widest silhouette
    assert np.array_equal(labels[:48], labels[48:])


def test_a_corpus_is_cut_into_as_many_as_are_given() -> None:
    utterances, who = voices(200, 3, 1.6, seed=6)  # narrow silhouettes: unless told, nobody is joined
    corpora = ["many"] * len(who)
    assert len(set(pseudo_speakers(utterances, corpora))) == len(who)
    labels = pseudo_speakers(utterances, corpora, {"many": 200})
    assert len(set(labels)) == 200
    joined = labels[:, None] == labels[None, :]
    same = who[:, None] == who[None, :]
    others = ~np.eye(len(who), dtype=bool)
    assert same[joined & others].mean() > 0.5  # 0.3 % at random


def test_counts_that_cannot_be_read_are_named() -> None:
    assert TrainSettings(cluster_counts="common_voice:2000,crowd:200").counts() == {
        "common_voice": 2000,
        "crowd": 200,
    }
    with pytest.raises(ValueError, match=r"corpus:count.*'many'"):
        TrainSettings(cluster_counts="common_voice:many").counts()


def test_a_single_recording_is_a_voice() -> None:
    utterances, _ = voices(1, 1, 0.1, seed=5)
    assert pseudo_speakers(utterances, ["one"]).tolist() == [0]
