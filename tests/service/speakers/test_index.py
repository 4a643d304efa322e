from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle.scoring import Scorer, Scoring
from service.errors import NotFound
from service.speakers import VoiceIndex, Voiceprints

DIM = 16
IDS = [f"s{i}" for i in range(12)]


def make_scorer(dim: int = DIM) -> Scorer:
    mean = np.random.default_rng(9).normal(scale=0.05, size=dim)
    return Scorer(
        Scoring.model_validate(
            {
                "score_type": "centred_cosine",
                "mean": mean.tolist(),
                "calibration": {"slope": 10, "intercept": -3},
                "false_accept": [{"fpr": 0.01, "threshold": 0.4}],
                "fitted_on": "a test",
            }
        )
    )


def voices(n: int, seed: int = 0, dim: int = DIM) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def voiceprints(ids: tuple[str, ...], matrix: np.ndarray) -> Voiceprints:
    return Voiceprints(ids, matrix, {i: f"name of {i}" for i in ids})


def empty_index() -> VoiceIndex:
    return VoiceIndex("m/1", make_scorer(), voiceprints((), np.zeros((0, 0), np.float32)))


def test_search_is_exact_and_best_first() -> None:
    scorer, prints = make_scorer(), voices(200)
    index = VoiceIndex("m/1", scorer, voiceprints(tuple(map(str, range(200))), prints))
    probe = voices(1, seed=1)[0]
    expected = sorted(((scorer.score(probe, v), str(i)) for i, v in enumerate(prints)), reverse=True)[:7]
    hits = index.search(probe, 7)
    assert [h.speaker_id for h in hits] == [speaker_id for _, speaker_id in expected]
    assert [h.name for h in hits] == [f"name of {speaker_id}" for _, speaker_id in expected]
    assert [h.score for h in hits] == pytest.approx([score for score, _ in expected], abs=1e-5)


def test_empty_index_finds_nobody() -> None:
    index = empty_index()
    assert index.search(voices(1)[0], 5) == []
    assert len(index) == 0
    index.remove("nobody")


def test_more_asked_than_enrolled() -> None:
    index = empty_index()
    index.put("a", None, voices(1)[0])
    (hit,) = index.search(voices(1)[0], 100)
    assert (hit.speaker_id, hit.score) == ("a", pytest.approx(1, abs=1e-6))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(IDS), st.one_of(st.none(), st.integers(0, 50))), max_size=200))
def test_any_history_of_writes_equals_a_dictionary(history: list[tuple[str, int | None]]) -> None:
    index = empty_index()
    model: dict[str, np.ndarray] = {}
    for speaker_id, seed in history:
        if seed is None:
            index.remove(speaker_id)
            model.pop(speaker_id, None)
        else:
            model[speaker_id] = voices(1, seed)[0]
            index.put(speaker_id, None, model[speaker_id])
    assert len(index) == len(model)
    probe = voices(1, seed=99)[0]
    scores = {h.speaker_id: h.score for h in index.search(probe, len(IDS))}
    scorer = make_scorer()
    assert scores == {k: pytest.approx(scorer.score(probe, v), abs=1e-5) for k, v in model.items()}


def test_grows_beyond_every_capacity() -> None:
    index, prints = empty_index(), voices(1000)
    for i, v in enumerate(prints):
        index.put(str(i), None, v)
    assert len(index) == 1000
    assert all(index.search(prints[i], 1)[0].speaker_id == str(i) for i in range(0, 1000, 37))


def test_removed_voices_are_overwritten() -> None:
    index = empty_index()
    for i, v in enumerate(voices(3)):
        index.put(str(i), None, v)
    index.remove("1")
    index.remove("2")
    assert not index._matrix[1:].any()


def test_a_hundred_thousand_voices() -> None:
    prints = voices(100_000, dim=256)
    index = VoiceIndex("m/1", make_scorer(256), voiceprints(tuple(map(str, range(100_000))), prints))
    index.put("new", None, voices(1, seed=5, dim=256)[0])
    index.remove("17")
    assert index.search(prints[54_321], 3)[0].speaker_id == "54321"
    assert index.search(voices(1, seed=5, dim=256)[0], 1)[0].speaker_id == "new"
    assert index.search(prints[17], 1)[0].score < 0.9
    assert len(index) == 100_000


def test_searches_while_others_write() -> None:
    index, prints = empty_index(), voices(300)
    index.put("fixed", None, prints[0])
    stop = threading.Event()

    def write() -> None:
        for i in range(1, 300):
            index.put(str(i), None, prints[i])
        for i in range(1, 300):
            index.remove(str(i))
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not stop.is_set():
        assert index.search(prints[0], 1)[0].speaker_id == "fixed"
    writer.join()
    assert len(index) == 1


def test_stale_speakers_are_known_and_not_searched() -> None:
    index, (first, second) = empty_index(), voices(2)
    index.put("a", "Ada", first)
    index.put("b", "Bob", None)
    assert (len(index), index.stale) == (1, 1)
    assert [h.speaker_id for h in index.search(second, 5)] == ["a"]
    assert index.centred("b") is None
    index.put("b", "Bob", second)
    index.put("a", "Ada", None)
    assert (len(index), index.stale) == (1, 1)
    (hit,) = index.search(second, 5)
    assert (hit.speaker_id, hit.name) == ("b", "Bob")
    index.remove("a")
    assert index.stale == 0
    with pytest.raises(NotFound, match="'a'"):
        index.centred("a")


def test_one_voice_scores_as_the_search_does() -> None:
    index, prints = empty_index(), voices(3)
    index.put("a", "Ada", prints[0])
    centred = index.centred("a")
    assert centred is not None
    (hit,) = index.search(prints[1], 1)
    assert index.scorer.score_centred(prints[1], centred) == pytest.approx(hit.score, abs=1e-6)
