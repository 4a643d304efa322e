"""What only a file can get wrong: locks, full disks, schema versions, remains of erased voices."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from service.errors import StoreUnavailable
from service.speakers import Embedding, Measures, NewUtterance, SqliteGallery

MODEL = "m/1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "gallery.sqlite"


@pytest.fixture
def gallery(path: Path) -> Iterator[SqliteGallery]:
    opened = SqliteGallery(path, busy_timeout_s=0.05)
    yield opened
    opened.close()


def utterance(*, audio: bytes | None = None, fill: float = 0.5) -> NewUtterance:
    return NewUtterance(6.0, 20.0, MODEL, Embedding(np.full(256, fill, np.float32), 6, 0.5), audio)


def test_file_is_durable_and_in_wal_mode(gallery: SqliteGallery, path: Path) -> None:
    assert gallery.count() == 0
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("PRAGMA user_version").fetchone() == (6,)
    other.close()


def test_locked_store_is_unavailable_then_recovers(gallery: SqliteGallery, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked") as error:
        gallery.enrol("ada", name=None, metadata={}, utterances=[utterance()])
    assert error.value.retry_after_s == 1
    assert gallery.count() == 0  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    gallery.enrol("ada", name=None, metadata={}, utterances=[utterance()])
    assert gallery.count() == 1


def test_full_disk_stores_nothing_by_halves(gallery: SqliteGallery) -> None:
    gallery.enrol("ada", name=None, metadata={}, utterances=[utterance()])
    # SQLite's own limit on the file raises the very error of a full disk.
    (pages,) = gallery._file._db.execute("PRAGMA page_count").fetchone()
    gallery._file._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    too_much = [utterance(), utterance(audio=bytes(100_000))]
    with pytest.raises(StoreUnavailable, match="full"):
        gallery.enrol(
            "bob", name=None, metadata={}, utterances=[utterance(), utterance(audio=bytes(100_000))]
        )
    with pytest.raises(StoreUnavailable, match="full"):
        gallery.add_utterances("ada", too_much)
    assert [s.speaker_id for s in gallery.list(limit=9).speakers] == ["ada"]
    assert len(gallery.get("ada").utterances) == 1
    gallery._file._db.execute("PRAGMA max_page_count = 100000")
    gallery.enrol("bob", name=None, metadata={}, utterances=[utterance(audio=bytes(100_000))])
    assert gallery.count() == 2


UNDECIDED = "DROP TABLE thresholds"
APART = f"{UNDECIDED}; ALTER TABLE speakers DROP COLUMN collections; ALTER TABLE speakers DROP COLUMN consent"
OLDER = {
    1: f"DROP TABLE recordings; DROP TABLE erasures; ALTER TABLE embeddings DROP COLUMN map_error; {APART}",
    2: f"DROP TABLE recordings; DROP TABLE erasures; {APART}",
    3: f"DROP TABLE recordings; {APART}",
    4: APART,
    5: UNDECIDED,
}


@pytest.mark.parametrize("version", OLDER)
def test_an_older_schema_is_upgraded(gallery: SqliteGallery, path: Path, version: int) -> None:
    gallery.enrol("bob", name=None, metadata={}, utterances=[utterance()])
    gallery.enrol("ada", name=None, metadata={}, utterances=[utterance()])
    gallery.add_utterances("bob", [utterance()])
    gallery.close()
    with sqlite3.connect(path) as other:
        other.executescript(f"{OLDER[version]}; PRAGMA user_version = {version}")
    other.close()
    upgraded = SqliteGallery(path)
    (stored,) = upgraded.get("ada").embeddings(MODEL)
    assert (stored.n_crops, stored.map_error) == (6, None)
    assert upgraded.get("ada").utterances[0].measures == Measures()
    assert [u.number for u in upgraded.get("bob").utterances] == [1, 2]
    assert [u.number for u in upgraded.get("ada").utterances] == [1]
    assert (upgraded.get("ada").collections, upgraded.get("ada").consent) == ((), None)
    assert upgraded.change("ada", {"collections": ["staff"]}).collections == ("staff",)
    assert upgraded.thresholds() == []
    upgraded.close()


def test_newer_schema_is_refused(gallery: SqliteGallery, path: Path) -> None:
    gallery.close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StoreUnavailable, match="schema version 99"):
        SqliteGallery(path)


def test_foreign_file_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqliteGallery(path)


def test_erased_voice_leaves_no_bytes_behind(gallery: SqliteGallery, path: Path) -> None:
    secret = np.random.default_rng(0).bytes(50_000)
    voice = np.float32(0.123456)
    gallery.enrol("kept", name=None, metadata={}, utterances=[utterance()])
    gallery.enrol(
        "ada", name="Ada Secret", metadata={}, utterances=[utterance(audio=secret, fill=float(voice))]
    )
    traces = [secret[i : i + 64] for i in range(0, len(secret), 1000)]
    traces += [b"Ada Secret", np.full(8, voice, "<f4").tobytes()]

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))

    assert all(trace in on_disk() for trace in traces)
    gallery.delete("ada")
    (erasure,) = gallery.erasures()
    assert erasure.speaker_id == "ada"
    gallery.jobs_are_clean(erasure.erasure_id)
    assert gallery.clean() == {}
    assert gallery.erasures() == []
    assert not [trace for trace in traces if trace in on_disk()]
    assert gallery.count() == 1
