from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bundle.vectors import unit
from trainer.training.clusters import pseudo_speakers


def voices(people: int, recordings: int, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (people · recordings, 32) around a direction a person, and who speaks."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), recordings)
    directions = rng.normal(size=(people, 32))
    return unit((directions[who] + spread * rng.normal(size=(who.size, 32))).astype(np.float32)), who


def test_people_are_found_in_each_corpus_and_corpora_never_mix() -> None:
    many, who = voices(12, 10, 0.3, seed=0)
    single, _ = voices(20, 1, 0.3, seed=1)
    utterances = np.concatenate([many, single])
    corpora = ["many"] * len(many) + ["single"] * len(single)
    labels = pseudo_speakers(utterances, corpora, 32)
    assert sorted(set(labels)) == list(range(32))
    assert len(set(labels[:120])) == 12
    assert all(len(Counter(labels[:120][who == person])) == 1 for person in range(12))
    assert len(set(labels[120:])) == 20  # one recording each: nobody is joined with another
    assert not set(labels[:120]) & set(labels[120:])


def test_what_tells_corpora_apart_does_not_count() -> None:
    utterances, who = voices(6, 8, 0.2, seed=2)
    moved = unit(utterances + 3)
    labels = pseudo_speakers(moved, ["one"] * 24 + ["two"] * 24, 6)
    assert [len(set(labels[who == person])) for person in range(6)] == [1] * 6


@pytest.mark.parametrize("clusters", [1, 49])
def test_a_count_that_cannot_be_is_refused(clusters: int) -> None:
    utterances, _ = voices(6, 8, 0.2, seed=2)
    with pytest.raises(ValueError, match=f"{clusters} clusters of 48 recordings"):
        pseudo_speakers(utterances, ["one"] * 24 + ["two"] * 24, clusters)
