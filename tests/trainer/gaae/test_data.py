from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer.audio.cache import build_cache
from trainer.audio.folders import DataError
from trainer.gaae.data import GaaeSampler, Guidance, one_second, read_labelled, read_pool


def test_a_share_of_each_class_keeps_its_labels(guidance: Guidance) -> None:
    everything = read_labelled(replace(guidance, share=100.0), seed=0)
    half = read_labelled(guidance, seed=0)
    counts, halves = Counter(y for _, y in everything), Counter(y for _, y in half)
    assert counts == {0: 9, 1: 9, 2: 9}  # three train speakers, three takes
    assert halves == {y: round(0.5 * n) for y, n in counts.items()}
    assert {clip.path for clip, _ in half} < {clip.path for clip, _ in everything}
    for clip, y in everything:
        assert (clip.split, clip.labels["word"]) == ("train", guidance.labels[y])


def test_the_draw_follows_the_seed_and_a_tiny_share_is_one_clip(guidance: Guidance) -> None:
    draws = [frozenset(clip.path for clip, _ in read_labelled(guidance, seed)) for seed in (0, 0, 1, 2)]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3
    assert Counter(y for _, y in read_labelled(replace(guidance, share=0.1), 0)) == {0: 1, 1: 1, 2: 1}


def test_an_unknown_class_or_column_says_what_there_is(guidance: Guidance) -> None:
    with pytest.raises(DataError, match=r"word is 'zorro'; it has .*cancel.*--label"):
        read_labelled(replace(guidance, labels=("zorro",)), 0)
    with pytest.raises(DataError, match="no such column"):
        read_labelled(replace(guidance, label_column="colour"), 0)


def test_the_pool_is_all_of_the_split_or_the_classes_alone(guidance: Guidance, corpora: Path) -> None:
    guidance = replace(guidance, labels=guidance.labels[:2])
    pool = read_pool(guidance)
    assert {clip.split for clip in pool} == {"train"}
    assert {clip.labels["word"] for clip in pool} > set(guidance.labels)
    of_classes = read_pool(replace(guidance, pool="classes"))
    assert {clip.labels["word"] for clip in of_classes} == set(guidance.labels)
    plain = corpora / "arabic_speech_commands" / "audio" / "00000001"  # no metadata.tsv: no splits
    both = read_pool(replace(guidance, unlabelled=(*guidance.unlabelled, plain)))
    assert len(both) == len(pool) + len(list(plain.iterdir()))


def test_a_second_is_cut_or_filled_with_zeros_at_its_end() -> None:
    ramp = np.arange(20_000, dtype=np.float32)
    np.testing.assert_array_equal(one_second(ramp), ramp[:16_000])
    short = one_second(ramp[1:100])
    np.testing.assert_array_equal(short[:99], ramp[1:100])
    assert short.size == 16_000
    assert not short[99:].any()


def sampler(guidance: Guidance, cache: Path, *, seed: int = 0, second: str = "random") -> GaaeSampler:
    pairs = read_labelled(guidance, 0)
    labelled = build_cache([clip for clip, _ in pairs], cache, warn=pytest.fail)
    unlabelled = build_cache(read_pool(guidance), cache, warn=pytest.fail)
    return GaaeSampler(unlabelled, labelled, [y for _, y in pairs], (5, 3), seed, second)


def test_a_batch_is_told_by_its_number_and_the_seed(guidance: Guidance, tmp_path: Path) -> None:
    first, again = sampler(guidance, tmp_path).at(7), sampler(guidance, tmp_path).at(7)
    assert first.x_u.shape == (5, 16_000)
    assert first.x_l.shape == (3, 16_000)
    assert first.y_l.shape == (3,)
    for name in ("x_u", "x_l", "y_l"):
        assert torch.equal(getattr(first, name), getattr(again, name))
    assert not torch.equal(first.x_u, sampler(guidance, tmp_path).at(8).x_u)
    assert not torch.equal(first.x_u, sampler(guidance, tmp_path, seed=1).at(7).x_u)


def test_labelled_audio_comes_with_its_own_label(guidance: Guidance, tmp_path: Path) -> None:
    draws = sampler(guidance, tmp_path)
    batch = draws.at(0)
    known = {draws.labelled.clip(i).tobytes(): y for i, y in enumerate(draws.classes)}
    assert [known[row.numpy().tobytes()] for row in batch.x_l] == batch.y_l.tolist()


def test_of_long_audio_any_second_is_drawn_or_the_first(
    guidance: Guidance, examples: Path, tmp_path: Path
) -> None:
    long = replace(guidance, unlabelled=(examples,), split="test")
    pool = read_pool(long)[:1]
    labelled = build_cache([clip for clip, _ in read_labelled(guidance, 0)][:1], tmp_path, warn=pytest.fail)
    unlabelled = build_cache(pool, tmp_path, warn=pytest.fail)
    assert unlabelled.lengths[0] > 3 * 16_000
    first = GaaeSampler(unlabelled, labelled, [0], (4, 1), 0, "first").at(0).x_u
    assert torch.equal(first, torch.from_numpy(unlabelled.clip(0)[:16_000]).expand(4, -1))
    drawn = GaaeSampler(unlabelled, labelled, [0], (4, 1), 0, "random").at(0).x_u
    assert len({row.numpy().tobytes() for row in drawn}) == 4
