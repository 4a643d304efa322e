"""What every gallery has to do. A new implementation joins by one more entry in IMPLEMENTATIONS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import Conflict, NotFound, Overloaded, StoreUnavailable
from service.speakers import (
    Consent,
    Embedding,
    Gallery,
    Measures,
    NewUtterance,
    RedisGallery,
    SqliteGallery,
    Voiceprints,
    redis_gallery,
    sqlite_voiceprints,
)
from service.tenants import Tenant
from tests.service.speakers.test_thresholds import DOOR, STAFF

DIM = 8
MODEL = "m/1"


def sqlite(request: pytest.FixtureRequest) -> Callable[[], Gallery]:
    folder: Path = request.getfixturevalue("tmp_path")
    return lambda: SqliteGallery(folder / "gallery.sqlite")


def redis(request: pytest.FixtureRequest) -> Callable[[], Gallery]:
    url: str = request.getfixturevalue("empty_redis_url")
    return lambda: RedisGallery(url)


IMPLEMENTATIONS = [sqlite, redis]


@pytest.fixture(params=IMPLEMENTATIONS, ids=lambda make: make.__name__)
def reopen(request: pytest.FixtureRequest) -> Callable[[], Gallery]:
    """Opens the same store, each time anew."""
    opener: Callable[[], Gallery] = request.param(request)
    return opener


@pytest.fixture
def gallery(reopen: Callable[[], Gallery]) -> Iterator[Gallery]:
    opened = reopen()
    yield opened
    opened.close()


def embedding(seed: int, n_crops: int = 3) -> Embedding:
    crops = np.random.default_rng(seed).normal(size=(n_crops, DIM)).astype(np.float32)
    crops /= np.linalg.norm(crops, axis=1, keepdims=True)
    return Embedding(crops.mean(axis=0), n_crops, cohesion=0.5)


def utterance(seed: int, *, model: str = MODEL, audio: bytes | None = None, n_crops: int = 3) -> NewUtterance:
    return NewUtterance(
        speech_s=1.5 + seed, snr_db=20.0, model=model, embedding=embedding(seed, n_crops), audio=audio
    )


def enrol(gallery: Gallery, speaker_id: str, *utterances: NewUtterance, name: str | None = None) -> None:
    gallery.enrol(speaker_id, name=name, metadata={}, utterances=utterances or [utterance(1)])


def all_voiceprints(gallery: Gallery, model: str) -> Voiceprints:
    """The parts as one, in the order of ids."""
    parts = list(gallery.voiceprints(model))
    names = {speaker_id: name for part in parts for speaker_id, name in part.names.items()}
    rows = {i: row for part in parts for i, row in zip(part.speaker_ids, part.matrix, strict=True)}
    ids = tuple(sorted(rows))
    return Voiceprints(ids, np.array([rows[i] for i in ids], np.float32), names)


def test_an_imported_speaker_is_as_old_as_its_recordings(gallery: Gallery) -> None:
    first, second = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 3, 4, 5, tzinfo=UTC)
    new = [replace(utterance(1), created_at=first), replace(utterance(2), created_at=second)]
    enrol(gallery, "ada", *new)
    read = gallery.get("ada")
    assert read.created_at == first
    assert [u.created_at for u in read.utterances] == [first, second]


def test_enrolled_speaker_reads_back(gallery: Gallery, reopen: Callable[[], Gallery]) -> None:
    metadata = {"room": "Kitchen ☕", "n": 3, "nested": {"a": [1, None]}}
    new = [utterance(1, audio=b"fLaC..."), utterance(2)]
    stored = gallery.enrol("ada", name="Ada Ł", metadata=metadata, utterances=new)
    gallery.close()
    other = reopen()
    read = other.get("ada")
    for speaker in (stored, read):
        assert (speaker.speaker_id, speaker.name, speaker.metadata) == ("ada", "Ada Ł", metadata)
        assert speaker.created_at.utcoffset() is not None
        assert [u.speech_s for u in speaker.utterances] == [2.5, 3.5]
        assert [u.retained for u in speaker.utterances] == [True, False]
        assert speaker.speech_s == 6.0
        for enrolled, given in zip(speaker.utterances, new, strict=True):
            (model, stored_embedding), *rest = enrolled.embeddings.items()
            assert (model, rest) == (MODEL, [])
            assert np.array_equal(stored_embedding.mean, given.embedding.mean)
            assert (stored_embedding.n_crops, stored_embedding.cohesion) == (3, 0.5)
    assert stored.created_at == read.created_at
    assert other.audio(read.utterances[0].utterance_id) == b"fLaC..."
    assert other.audio(read.utterances[1].utterance_id) is None
    other.close()


def test_optional_fields_may_be_missing(gallery: Gallery) -> None:
    lone = NewUtterance(1.0, None, MODEL, Embedding(embedding(1, 1).mean, 1, None))
    speaker = gallery.enrol("ada", name=None, metadata={}, utterances=[lone])
    assert speaker.name is None
    assert speaker.utterances[0].snr_db is None
    assert speaker.utterances[0].embeddings[MODEL].cohesion is None


def test_collections_and_consent_are_stored(gallery: Gallery, reopen: Callable[[], Gallery]) -> None:
    consent = Consent("Recognise me at the door ☕", datetime(2026, 11, 25, 9, 30, tzinfo=UTC))
    new: dict[str, Any] = {"name": None, "metadata": {}, "utterances": [utterance(1)]}
    gallery.enrol("ada", **new, collections=["door", "staff"], consent=consent)
    gallery.enrol("bob", **new, collections=["staff"])
    enrol(gallery, "cleo")
    assert gallery.collections() == {"ada": ["door", "staff"], "bob": ["staff"]}
    assert gallery.change("bob", {"collections": []}).collections == ()
    assert gallery.change("cleo", {"collections": ["door"]}).collections == ("door",)
    assert gallery.change("ada", {"name": "Ada"}).consent == consent
    other = reopen()
    assert (other.get("ada").collections, other.get("ada").consent) == (("door", "staff"), consent)
    assert other.get("cleo").consent is None
    other.delete("cleo")
    assert other.collections() == {"ada": ["door", "staff"]}
    other.close()


def test_a_tenant_has_its_limit(gallery: Gallery) -> None:
    new: dict[str, Any] = {"name": None, "metadata": {}, "utterances": [utterance(1)], "most": 1}
    for speaker_id in ("ada", "~acme/ada"):
        gallery.enrol(speaker_id, **new)
    for speaker_id in ("bob", "~acme/bob"):
        with pytest.raises(Overloaded, match="TWOFOLD_MAX_SPEAKERS"):
            gallery.enrol(speaker_id, **new)
    gallery.delete("ada")
    gallery.enrol("bob", **new)
    assert gallery.count() == 2


def test_taken_id_is_a_conflict_and_changes_nothing(gallery: Gallery) -> None:
    enrol(gallery, "ada", name="first")
    with pytest.raises(Conflict, match="/speakers/ada/audio"):
        enrol(gallery, "ada", name="second")
    assert gallery.get("ada").name == "first"
    assert len(gallery.get("ada").utterances) == 1


def test_voiceprint_is_the_mean_over_all_crops(gallery: Gallery) -> None:
    enrol(gallery, "ada", utterance(1, n_crops=2), utterance(2, n_crops=5))
    speaker = gallery.add_utterances("ada", [utterance(3, n_crops=1)])
    expected = 2 * embedding(1, 2).mean + 5 * embedding(2, 5).mean + embedding(3, 1).mean
    expected /= np.linalg.norm(expected)
    voiceprint = speaker.voiceprint(MODEL)
    assert voiceprint is not None
    np.testing.assert_allclose(voiceprint, expected, atol=1e-6)
    everything = all_voiceprints(gallery, MODEL)
    assert everything.speaker_ids == ("ada",)
    np.testing.assert_allclose(everything.matrix, [expected], atol=1e-6)


def test_voiceprints_are_one_matrix_of_one_model(gallery: Gallery) -> None:
    enrol(gallery, "b", utterance(1), utterance(2))
    enrol(gallery, "a", utterance(3))
    enrol(gallery, "other", utterance(4, model="m/2"))
    everything = all_voiceprints(gallery, MODEL)
    assert everything.speaker_ids == ("a", "b")
    assert everything.matrix.dtype == np.float32
    for speaker_id, row in zip(everything.speaker_ids, everything.matrix, strict=True):
        np.testing.assert_allclose(row, gallery.get(speaker_id).voiceprint(MODEL), atol=1e-6)
    assert all_voiceprints(gallery, "m/2").speaker_ids == ("other",)
    assert all_voiceprints(gallery, "m/3").speaker_ids == ()
    assert gallery.get("other").voiceprint(MODEL) is None


def test_voiceprints_of_recordings_that_came_at_different_times(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_voiceprints, "_AT_ONCE", 3)
    monkeypatch.setattr(redis_gallery, "_AT_ONCE", 3)
    for number in range(4):
        enrol(gallery, f"s{number}", utterance(number), utterance(10 + number))
    for number in range(3):
        speaker = gallery.add_utterances(f"s{number}", [utterance(20 + number)])
    last = speaker.utterances[-1].utterance_id
    gallery.add_embeddings("s2", "m/2", {last: embedding(31)})
    everything = all_voiceprints(gallery, MODEL)
    assert everything.speaker_ids == ("s0", "s1", "s2", "s3")
    for speaker_id, row in zip(everything.speaker_ids, everything.matrix, strict=True):
        np.testing.assert_allclose(row, gallery.get(speaker_id).voiceprint(MODEL), atol=1e-6)
    assert all_voiceprints(gallery, "m/2").speaker_ids == ("s2",)
    assert len(all_voiceprints(gallery, "m/2").names) == 4


def test_unknown_speaker_is_not_found(gallery: Gallery) -> None:
    for call in (
        lambda: gallery.get("nobody"),
        lambda: gallery.delete("nobody"),
        lambda: gallery.add_utterances("nobody", [utterance(1)]),
    ):
        with pytest.raises(NotFound, match="nobody"):
            call()
    assert gallery.audio(12345) is None
    assert gallery.count() == 0


def test_pages_cover_everyone_once_in_order(gallery: Gallery) -> None:
    ids = [f"s{i:02d}" for i in np.random.default_rng(0).permutation(7)]
    for speaker_id in ids:
        enrol(gallery, speaker_id)
    seen, after = [], None
    for _ in range(4):
        page = gallery.list(limit=2, after=after)
        seen += [s.speaker_id for s in page.speakers]
        after = page.next_after
    assert seen == sorted(ids)
    assert after is None
    assert [s.speaker_id for s in gallery.list(limit=7).speakers] == sorted(ids)
    assert gallery.list(limit=7).next_after is None
    assert gallery.list(limit=5, after="zzz").speakers == ()


def test_names_come_with_the_voiceprints_of_stale_speakers_too(gallery: Gallery) -> None:
    assert all_voiceprints(gallery, MODEL).names == {}
    enrol(gallery, "a", name="Ada")
    enrol(gallery, "b")
    assert all_voiceprints(gallery, MODEL).names == {"a": "Ada", "b": None}
    assert all_voiceprints(gallery, "m/3").names == {"a": "Ada", "b": None}


def test_delete_erases_the_speaker_and_frees_the_id(gallery: Gallery) -> None:
    enrol(gallery, "ada", utterance(1, audio=b"audio"), name="first")
    enrol(gallery, "bob")
    (gone,) = gallery.get("ada").utterances
    gallery.delete("ada")
    with pytest.raises(NotFound):
        gallery.get("ada")
    assert gallery.audio(gone.utterance_id) is None
    assert all_voiceprints(gallery, MODEL).speaker_ids == ("bob",)
    assert gallery.count() == 1
    enrol(gallery, "ada", utterance(2), name="second")
    (new,) = gallery.get("ada").utterances
    assert gallery.get("ada").name == "second"
    # Work begun on an erased recording must not land on a later one.
    assert new.utterance_id != gone.utterance_id


def test_embeddings_of_another_model_join_the_old_ones(gallery: Gallery) -> None:
    enrol(gallery, "ada", utterance(1), utterance(2))
    first, second = (u.utterance_id for u in gallery.get("ada").utterances)
    assert gallery.add_embeddings("ada", "m/2", {first: embedding(11), second: embedding(12)})
    assert gallery.add_embeddings("ada", "m/2", {second: embedding(13)})  # again: replaces
    speaker = gallery.get("ada")
    assert (speaker.map_error("m/1"), speaker.map_error("m/2")) == (None, None)
    assert [sorted(u.embeddings) for u in speaker.utterances] == [["m/1", "m/2"]] * 2
    assert np.array_equal(speaker.utterances[1].embeddings["m/2"].mean, embedding(13).mean)
    assert np.array_equal(speaker.utterances[1].embeddings["m/1"].mean, embedding(2).mean)


def test_what_was_measured_is_stored_with_its_recording(gallery: Gallery) -> None:
    measures = Measures(second_voice=(1.5, 4.0), bandwidth_hz=3400)
    enrol(gallery, "ada", utterance(1), replace(utterance(2), measures=measures))
    assert [u.measures for u in gallery.get("ada").utterances] == [Measures(), measures]


def test_who_was_enrolled_over_narrow_lines_alone(gallery: Gallery) -> None:
    narrow, wide = (replace(utterance(1), measures=Measures(bandwidth_hz=hz)) for hz in (3400, 7900))
    enrol(gallery, "ann", narrow, utterance(2))
    enrol(gallery, "bob", narrow, wide)
    enrol(gallery, "cy", utterance(1))  # of a release that did not measure it
    assert gallery.narrow() == {"ann"}
    assert [gallery.get(i).narrow for i in ("ann", "bob", "cy")] == [True, False, False]


def test_thresholds_are_of_a_collection_of_a_tenant(gallery: Gallery, reopen: Callable[[], Gallery]) -> None:
    acme, operator = Tenant("acme"), Tenant()
    other = replace(STAFF, threshold=0.4, false_accept_rate=0.0)
    for tenant, threshold in ((acme, STAFF), (operator, STAFF), (acme, DOOR), (acme, other)):
        gallery.store_threshold(tenant, threshold)
    gallery.close()
    again = reopen()
    stored = sorted(again.thresholds(), key=lambda pair: (pair[0], pair[1].collection))
    assert stored == [("", STAFF), ("acme", DOOR), ("acme", other)]
    again.remove_threshold(acme, "staff")
    with pytest.raises(NotFound, match="'staff'"):
        again.remove_threshold(acme, "staff")
    assert sorted(tenant for tenant, _ in again.thresholds()) == ["", "acme"]
    again.close()


def test_a_recording_is_removed_and_the_others_keep_their_numbers(
    gallery: Gallery, reopen: Callable[[], Gallery]
) -> None:
    enrol(gallery, "ada", utterance(1, audio=b"one"), utterance(2), name="Ada")
    enrol(gallery, "bob", utterance(4))
    (first, _) = gallery.get("ada").utterances
    left = gallery.remove_utterance("ada", 1)
    assert [u.number for u in left.utterances] == [2]
    assert gallery.audio(first.utterance_id) is None
    np.testing.assert_allclose(
        all_voiceprints(gallery, MODEL).matrix[0], gallery.get("ada").voiceprint(MODEL), atol=1e-6
    )
    assert not gallery.add_embeddings("ada", "m/2", {first.utterance_id: embedding(9)})
    (erasure,) = gallery.erasures()
    assert erasure.speaker_id == "ada"  # its audio was retained, and may be in jobs
    added = gallery.add_utterances("ada", [utterance(3)])
    assert [(u.number, u.speech_s) for u in added.utterances] == [(2, 3.5), (3, 4.5)]
    assert [u.number for u in gallery.get("bob").utterances] == [1]
    gallery.close()
    other = reopen()
    assert [u.number for u in other.remove_utterance("ada", 2).utterances] == [3]
    assert other.erasures()[-1].speaker_id is None  # no audio: nothing in jobs
    for speaker_id, number, error in (
        ("ada", 3, Conflict),
        ("ada", 2, NotFound),
        ("ada", -1, NotFound),
        ("nobody", 1, NotFound),
    ):
        with pytest.raises(error, match=speaker_id):
            other.remove_utterance(speaker_id, number)
    assert other.get("ada").name == "Ada"
    other.close()


def test_changes_leave_the_rest_as_it_is(gallery: Gallery) -> None:
    metadata = {"ratio": 0.1, "empty": [], "none": None}
    gallery.enrol("ada", name="Ada", metadata=metadata, utterances=[utterance(1)])
    renamed = gallery.change("ada", {"name": "Ada Ł"})
    assert (renamed.name, renamed.metadata) == ("Ada Ł", metadata)
    nameless = gallery.change("ada", {"name": None, "metadata": {"a": []}})
    assert (nameless.name, nameless.metadata) == (None, {"a": []})
    assert all_voiceprints(gallery, MODEL).names == {"ada": None}
    with pytest.raises(NotFound, match="nobody"):
        gallery.change("nobody", {"name": "x"})


def test_a_mapped_voice_says_so(gallery: Gallery) -> None:
    enrol(gallery, "ada", utterance(1), utterance(2))
    ids = [u.utterance_id for u in gallery.get("ada").utterances]
    mapped = [replace(embedding(seed), map_error=seed / 8) for seed in (1, 2)]
    assert gallery.add_embeddings("ada", "m/2", dict(zip(ids, mapped, strict=True)))
    speaker = gallery.get("ada")
    assert [e.map_error for e in speaker.embeddings("m/2")] == [0.125, 0.25]
    assert (speaker.map_error("m/1"), speaker.map_error("m/2")) == (None, 0.25)


def test_embeddings_of_an_erased_recording_are_dropped(gallery: Gallery) -> None:
    enrol(gallery, "ada")
    (gone,) = gallery.get("ada").utterances
    gallery.delete("ada")
    enrol(gallery, "ada")
    (enrolled,) = gallery.get("ada").utterances
    late = {enrolled.utterance_id: embedding(9), gone.utterance_id: embedding(9)}
    assert not gallery.add_embeddings("ada", "m/2", late)
    assert not gallery.add_embeddings("nobody", "m/2", {enrolled.utterance_id: embedding(9)})
    assert all_voiceprints(gallery, "m/2").speaker_ids == ()


def test_many_threads(gallery: Gallery) -> None:
    barrier = threading.Barrier(8)

    def work(i: int) -> None:
        barrier.wait()
        for j in range(5):
            enrol(gallery, f"{i}-{j}")
            gallery.add_utterances(f"{i}-{j}", [utterance(2)])
            list(gallery.voiceprints(MODEL))
        gallery.delete(f"{i}-0")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert gallery.count() == 32
    assert all(len(s.utterances) == 2 for s in gallery.list(limit=100).speakers)


def test_one_of_many_gets_an_id(gallery: Gallery) -> None:
    def attempt(i: int) -> bool:
        try:
            enrol(gallery, "ada", name=str(i))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(gallery.get("ada").utterances) == 1


def test_closed_store_is_unavailable(gallery: Gallery) -> None:
    gallery.close()
    with pytest.raises(StoreUnavailable) as error:
        gallery.count()
    assert error.value.retry_after_s
