from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle.scoring import Scorer, Scoring
from bundle.vectors import unit
from service.errors import NotFound
from service.speakers import VoiceIndex, Voiceprints
from service.speakers.rows import ExactRows
from service.speakers.split_rows import SplitRows

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


def voiceprints(ids: tuple[str, ...], matrix: np.ndarray) -> list[Voiceprints]:
    return [Voiceprints(ids, matrix, {i: f"name of {i}" for i in ids})]


@pytest.fixture(params=[50_000, 0], ids=["float32", "bytes"])
def exact_up_to(request: pytest.FixtureRequest) -> int:
    size: int = request.param
    return size


@pytest.fixture
def index(exact_up_to: int) -> VoiceIndex:
    return empty_index(exact_up_to)


def empty_index(exact_up_to: int) -> VoiceIndex:
    return VoiceIndex("m/1", make_scorer(), exact_up_to=exact_up_to)


def test_search_is_exact_and_best_first(exact_up_to: int) -> None:
    scorer, prints = make_scorer(), voices(200)
    index = VoiceIndex("m/1", scorer, voiceprints(tuple(map(str, range(200))), prints), exact_up_to)
    probe = voices(1, seed=1)[0]
    expected = sorted(((scorer.score(probe, v), str(i)) for i, v in enumerate(prints)), reverse=True)[:7]
    hits = index.search(probe, 7)
    assert [h.speaker_id for h in hits] == [speaker_id for _, speaker_id in expected]
    assert [h.name for h in hits] == [f"name of {speaker_id}" for _, speaker_id in expected]
    assert [h.score for h in hits] == pytest.approx([score for score, _ in expected], abs=2e-5)


def test_empty_index_finds_nobody(index: VoiceIndex) -> None:
    assert index.search(voices(1)[0], 5) == []
    assert len(index) == 0
    index.remove("nobody")


def test_more_asked_than_enrolled(index: VoiceIndex) -> None:
    index.put("a", None, voices(1)[0])
    (hit,) = index.search(voices(1)[0], 100)
    assert (hit.speaker_id, hit.score) == ("a", pytest.approx(1, abs=2e-5))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(IDS), st.one_of(st.none(), st.integers(0, 50))), max_size=200))
def test_any_history_of_writes_equals_a_dictionary(history: list[tuple[str, int | None]]) -> None:
    index = empty_index(exact_up_to=4)  # so it changes to bytes on the way
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
    assert scores == {k: pytest.approx(scorer.score(probe, v), abs=2e-5) for k, v in model.items()}


def test_grows_beyond_every_capacity() -> None:
    index, prints = empty_index(exact_up_to=500), voices(1000)
    for i, v in enumerate(prints):
        index.put(str(i), None, v)
    assert len(index) == 1000
    assert all(index.search(prints[i], 1)[0].speaker_id == str(i) for i in range(0, 1000, 37))


def test_removed_voices_are_overwritten(index: VoiceIndex) -> None:
    for i, v in enumerate(voices(3)):
        index.put(str(i), None, v)
    index.remove("1")
    index.remove("2")
    rows = index._all.shelves[""].rows
    if isinstance(rows, ExactRows):
        arrays = [rows._matrix]
    else:
        assert isinstance(rows, SplitRows)
        arrays = [rows._blocks[0].upper, rows._blocks[0].lower]
    assert all(array[0].any() and not array[1:].any() for array in arrays)
    assert [hit.speaker_id for hit in index.search(voices(3)[1], 3)] == ["0"]


@pytest.mark.parametrize("k", [1, 5, 100])
def test_bytes_find_what_float32_finds(k: int) -> None:
    n = (1 << 16) + 500  # more than a block
    crowd = unit(voices(n) + 3 * voices(1, seed=3))  # alike, so that many scores lie close together
    exact, split = ExactRows(DIM), SplitRows(DIM, threads=2)
    for rows in (exact, split):
        rows.write(0, crowd)
        for row in range(0, n, 7):
            rows.clear(row)
    for probe in [*voices(5, seed=1), crowd[1], crowd[-1]]:
        best = np.sort(exact.read(exact.nearest(probe, k)) @ probe)
        np.testing.assert_allclose(np.sort(crowd[split.nearest(probe, k)] @ probe), best, atol=2e-5)
    np.testing.assert_allclose(split.read([1, n - 1]), crowd[[1, n - 1]], atol=2e-5)


def test_a_voice_of_another_tenant_is_never_found(index: VoiceIndex) -> None:
    prints = voices(20)
    for i, v in enumerate(prints):
        index.put(f"~acme/{i}" if i % 2 else str(i), None, v)
    assert [hit.speaker_id for hit in index.search(prints[3], 1, "acme")] == ["~acme/3"]
    assert all(not hit.speaker_id.startswith("~") for hit in index.search(prints[3], 20))
    assert index.search(prints[3], 5, "other") == []
    assert (index.counts(""), index.counts("acme"), index.counts("other")) == ((10, 0), (10, 0), (0, 0))


def test_a_hundred_thousand_voices() -> None:
    prints = voices(100_000, dim=256)
    index = VoiceIndex("m/1", make_scorer(256), voiceprints(tuple(map(str, range(100_000))), prints))
    index.put("new", None, voices(1, seed=5, dim=256)[0])
    index.remove("17")
    assert index.search(prints[54_321], 3)[0].speaker_id == "54321"
    assert index.search(voices(1, seed=5, dim=256)[0], 1)[0].speaker_id == "new"
    assert index.search(prints[17], 1)[0].score < 0.9
    assert len(index) == 100_000


def test_searches_while_others_write(index: VoiceIndex) -> None:
    prints = voices(300)
    index.put("fixed", None, prints[0])
    stop = threading.Event()

    def write() -> None:
        for i in range(1, 300):
            index.put(str(i), None, prints[i])
            if i > 20:
                index.remove(str(i - 20))
        for i in range(1, 300):
            index.remove(str(i))
        stop.set()

    writer = threading.Thread(target=write)
    writer.start()
    centred = index.scorer.centred(prints)
    while not stop.is_set():
        hits = index.search(prints[0], 3)
        assert hits[0].speaker_id == "fixed"
        # Rows are used again: a name never comes with the score of the voice that was there before.
        for hit in hits[1:]:
            score = float(centred[int(hit.speaker_id)] @ centred[0])
            assert hit.score == pytest.approx(score, abs=1e-4)
    writer.join()
    assert len(index) == 1


def test_stale_speakers_are_known_and_not_searched(index: VoiceIndex) -> None:
    first, second = voices(2)
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


def test_one_voice_scores_as_the_search_does(index: VoiceIndex) -> None:
    prints = voices(3)
    index.put("a", "Ada", prints[0])
    centred = index.centred("a")
    assert centred is not None
    (hit,) = index.search(prints[1], 1)
    assert index.scorer.score_centred(prints[1], centred) == pytest.approx(hit.score, abs=2e-5)
