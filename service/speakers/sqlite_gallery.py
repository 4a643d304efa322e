"""The embedded gallery: one SQLite file, without a server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bundle.arrays import Float32
from bundle.bandwidth import NARROW_HZ
from service.speakers.cipher import AudioCipher
from service.speakers.gallery import full, only_recording, taken, unknown
from service.speakers.records import (
    Changes,
    Consent,
    Embedding,
    Erasure,
    Measures,
    NewUtterance,
    Page,
    Speaker,
    Utterance,
    Voiceprints,
)
from service.speakers.sqlite_thresholds import (
    THRESHOLDS,
    read_thresholds,
    remove_threshold,
    store_threshold,
)
from service.speakers.sqlite_voiceprints import read_voiceprints
from service.speakers.thresholds import StoredThreshold
from service.stores.sqlite import SqliteFile
from service.tenants import EVERYBODY, IdRange, Tenant, owner

SCHEMA_VERSION = 6
ERASURES = """
CREATE TABLE erasures (
    erasure_id INTEGER PRIMARY KEY AUTOINCREMENT,
    requested_at TEXT NOT NULL,
    tenant TEXT NOT NULL,
    speaker_id TEXT              -- NULL once jobs are clean
) STRICT;
"""
RECORDINGS = """
CREATE TABLE recordings (        -- not columns of utterances, which would lie behind the audio
    utterance_id INTEGER PRIMARY KEY REFERENCES utterances ON DELETE CASCADE,
    number INTEGER NOT NULL,     -- of the speaker's recordings, from 1
    measures TEXT NOT NULL       -- JSON object
) STRICT;
"""
NUMBERED = f"""{RECORDINGS}
INSERT INTO recordings
    SELECT utterance_id, row_number() OVER (PARTITION BY speaker_id ORDER BY utterance_id), '{{}}'
    FROM utterances;
"""
JOINED = """
ALTER TABLE speakers ADD COLUMN collections TEXT NOT NULL DEFAULT '[]';
ALTER TABLE speakers ADD COLUMN consent TEXT;
"""
SCHEMA = f"""
CREATE TABLE speakers (
    speaker_id TEXT PRIMARY KEY,
    name TEXT,
    metadata TEXT NOT NULL,      -- JSON object
    created_at TEXT NOT NULL,    -- ISO 8601 in UTC
    collections TEXT NOT NULL DEFAULT '[]',  -- JSON list
    consent TEXT                 -- JSON object
) STRICT, WITHOUT ROWID;
CREATE TABLE utterances (
    utterance_id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
    speaker_id TEXT NOT NULL REFERENCES speakers ON DELETE CASCADE,
    speech_s REAL NOT NULL,
    snr_db REAL,
    created_at TEXT NOT NULL,
    audio BLOB                   -- the last column, so that the others are read without it
) STRICT;
CREATE INDEX utterances_of_speaker ON utterances (speaker_id);
CREATE TABLE embeddings (
    utterance_id INTEGER NOT NULL REFERENCES utterances ON DELETE CASCADE,
    model TEXT NOT NULL,
    n_crops INTEGER NOT NULL,
    cohesion REAL,
    mean BLOB NOT NULL,          -- float32, little-endian
    map_error REAL,              -- NULL: made from audio
    PRIMARY KEY (utterance_id, model)
) STRICT;
{ERASURES}{RECORDINGS}{THRESHOLDS}"""
UPGRADES = {  # from version → statements
    0: SCHEMA,
    1: f"ALTER TABLE embeddings ADD COLUMN map_error REAL;{ERASURES}{NUMBERED}{JOINED}{THRESHOLDS}",
    2: f"{ERASURES}{NUMBERED}{JOINED}{THRESHOLDS}",
    3: f"{NUMBERED}{JOINED}{THRESHOLDS}",
    4: f"{JOINED}{THRESHOLDS}",
    5: THRESHOLDS,
}


class SqliteGallery:
    """`Gallery` in one file."""

    shared = False

    def __init__(
        self,
        path: Path,
        cipher: AudioCipher | None = None,
        *,
        busy_timeout_s: float = 2.0,
        retry_after_s: int = 1,
    ) -> None:
        """Opens or creates the file. Raises `StoreUnavailable` when it cannot be used."""
        self._cipher = cipher or AudioCipher()
        self._file = SqliteFile(
            path,
            UPGRADES,
            schema_version=SCHEMA_VERSION,
            noun="speaker store",
            secure_delete=True,
            busy_timeout_s=busy_timeout_s,
            retry_after_s=retry_after_s,
        )

    def enrol(
        self,
        speaker_id: str,
        *,
        name: str | None,
        metadata: Mapping[str, object],
        utterances: Sequence[NewUtterance],
        collections: Sequence[str] = (),
        consent: Consent | None = None,
        most: int = 0,
    ) -> Speaker:
        now = datetime.now(UTC)
        row = (
            speaker_id,
            name,
            json.dumps(metadata),
            (utterances[0].created_at or now).isoformat(),
            json.dumps(collections),
            consent and consent.to_json(),
        )
        with self._file.transaction() as db:
            if most and _count(db, Tenant(owner(speaker_id)).ids) >= most:
                raise full(most)
            try:
                db.execute("INSERT INTO speakers VALUES (?, ?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                raise taken(speaker_id) from None
            self._insert_utterances(db, speaker_id, utterances, now)
            return _select_speaker(db, speaker_id)

    def add_utterances(self, speaker_id: str, utterances: Sequence[NewUtterance]) -> Speaker:
        with self._file.transaction() as db:
            _select_speaker(db, speaker_id)
            self._insert_utterances(db, speaker_id, utterances, datetime.now(UTC))
            return _select_speaker(db, speaker_id)

    def add_embeddings(self, speaker_id: str, model: str, embeddings: Mapping[int, Embedding]) -> bool:
        with self._file.transaction() as db:
            rows = db.execute("SELECT utterance_id FROM utterances WHERE speaker_id = ?", (speaker_id,))
            if not set(embeddings) <= {utterance_id for (utterance_id,) in rows}:
                return False
            for utterance_id, embedding in embeddings.items():
                _insert_embedding(db, utterance_id, model, embedding)
            return True

    def get(self, speaker_id: str) -> Speaker:
        with self._file.reading() as db:
            return _select_speaker(db, speaker_id)

    def list(self, *, limit: int, after: str | None = None, within: IdRange = EVERYBODY) -> Page:
        first, end = within
        with self._file.reading() as db:
            ids = [
                speaker_id
                for (speaker_id,) in db.execute(
                    "SELECT speaker_id FROM speakers WHERE speaker_id > ? AND speaker_id < ? "
                    "ORDER BY speaker_id LIMIT ?",
                    (max(after or "", first), end, limit + 1),  # one more tells whether there is another page
                )
            ]
            speakers = tuple(_select_speaker(db, speaker_id) for speaker_id in ids[:limit])
        return Page(speakers, next_after=ids[limit - 1] if len(ids) > limit else None)

    def change(self, speaker_id: str, changes: Changes) -> Speaker:
        with self._file.transaction() as db:
            _select_speaker(db, speaker_id)
            if "name" in changes:
                db.execute("UPDATE speakers SET name = ? WHERE speaker_id = ?", (changes["name"], speaker_id))
            for column in ("metadata", "collections"):
                if column in changes:
                    db.execute(
                        f"UPDATE speakers SET {column} = ? WHERE speaker_id = ?",
                        (json.dumps(changes[column]), speaker_id),
                    )
            return _select_speaker(db, speaker_id)

    def audio(self, utterance_id: int) -> bytes | None:
        with self._file.reading() as db:
            row = db.execute(
                "SELECT audio FROM utterances WHERE utterance_id = ?", (utterance_id,)
            ).fetchone()
        return self._cipher.unseal(row[0]) if row and row[0] is not None else None

    def delete(self, speaker_id: str) -> None:
        with self._file.transaction() as db:
            if db.execute("DELETE FROM speakers WHERE speaker_id = ?", (speaker_id,)).rowcount == 0:
                raise unknown(speaker_id)
            _insert_erasure(db, speaker_id, in_jobs=True)

    def remove_utterance(self, speaker_id: str, number: int) -> Speaker:
        with self._file.transaction() as db:
            speaker = _select_speaker(db, speaker_id)
            utterance = speaker.utterance(number)
            if len(speaker.utterances) == 1:
                raise only_recording(speaker_id)
            db.execute("DELETE FROM utterances WHERE utterance_id = ?", (utterance.utterance_id,))
            _insert_erasure(db, speaker_id, in_jobs=utterance.retained)
            return _select_speaker(db, speaker_id)

    def erasures(self) -> Sequence[Erasure]:
        with self._file.reading() as db:
            rows = db.execute("SELECT * FROM erasures ORDER BY erasure_id").fetchall()
        return [
            Erasure(str(number), datetime.fromisoformat(requested_at), tenant, speaker_id)
            for number, requested_at, tenant, speaker_id in rows
        ]

    def jobs_are_clean(self, erasure_id: str) -> None:
        with self._file.transaction() as db:
            db.execute("UPDATE erasures SET speaker_id = NULL WHERE erasure_id = ?", (int(erasure_id),))

    def clean(self) -> Mapping[str, str]:
        clean = [erasure.erasure_id for erasure in self.erasures() if erasure.speaker_id is None]
        if not clean:
            return {}
        if not self._file.empty_log():
            return {"voice store": "Another program uses speakers.sqlite: its log cannot be emptied."}
        with self._file.transaction() as db:
            db.executemany("DELETE FROM erasures WHERE erasure_id = ?", [(int(i),) for i in clean])
        return {}

    def voiceprints(self, model: str) -> Iterator[Voiceprints]:
        return read_voiceprints(self._file, model)

    def collections(self) -> Mapping[str, Sequence[str]]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT speaker_id, collections FROM speakers WHERE collections != '[]'"
            ).fetchall()
        return {speaker_id: json.loads(collections) for speaker_id, collections in rows}

    def narrow(self) -> Collection[str]:
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT speaker_id FROM utterances JOIN recordings USING (utterance_id) GROUP BY speaker_id "
                "HAVING max(json_extract(measures, '$.bandwidth_hz')) < ?",
                (NARROW_HZ,),
            ).fetchall()
        return {speaker_id for (speaker_id,) in rows}

    def thresholds(self) -> Sequence[tuple[str, StoredThreshold]]:
        return read_thresholds(self._file)

    def store_threshold(self, tenant: Tenant, threshold: StoredThreshold) -> None:
        store_threshold(self._file, tenant, threshold)

    def remove_threshold(self, tenant: Tenant, collection: str) -> None:
        remove_threshold(self._file, tenant, collection)

    def models(self) -> Mapping[str, int]:
        with self._file.reading() as db:
            return dict(
                db.execute(
                    "SELECT e.model, count(DISTINCT u.speaker_id) FROM embeddings e "
                    "JOIN utterances u USING (utterance_id) GROUP BY e.model"
                ).fetchall()
            )

    def count(self, within: IdRange = EVERYBODY) -> int:
        with self._file.reading() as db:
            return _count(db, within)

    def check(self) -> Sequence[str]:
        self.count()
        self._file.require_space()
        return ()

    def close(self) -> None:
        self._file.close()

    def _insert_utterances(
        self, db: sqlite3.Connection, speaker_id: str, utterances: Sequence[NewUtterance], now: datetime
    ) -> None:
        for new in utterances:
            audio = None if new.audio is None else self._cipher.seal(new.audio)
            cursor = db.execute(
                "INSERT INTO utterances (speaker_id, speech_s, snr_db, created_at, audio) "
                "VALUES (?, ?, ?, ?, ?)",
                (speaker_id, new.speech_s, new.snr_db, (new.created_at or now).isoformat(), audio),
            )
            assert cursor.lastrowid is not None  # an INSERT always sets it
            _insert_embedding(db, cursor.lastrowid, new.model, new.embedding)
            db.execute(
                "INSERT INTO recordings SELECT ?, 1 + coalesce(max(number), 0), ? "
                "FROM recordings JOIN utterances USING (utterance_id) WHERE speaker_id = ?",
                (cursor.lastrowid, new.measures.to_json(), speaker_id),
            )


def _count(db: sqlite3.Connection, within: IdRange) -> int:
    (n,) = db.execute(
        "SELECT count(*) FROM speakers WHERE speaker_id > ? AND speaker_id < ?", within
    ).fetchone()
    return int(n)


def _insert_embedding(db: sqlite3.Connection, utterance_id: int, model: str, embedding: Embedding) -> None:
    db.execute(
        "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?, ?, ?)",
        (
            utterance_id,
            model,
            embedding.n_crops,
            embedding.cohesion,
            embedding.mean.astype("<f4").tobytes(),
            embedding.map_error,
        ),
    )


def _insert_erasure(db: sqlite3.Connection, speaker_id: str, *, in_jobs: bool) -> None:
    db.execute(
        "INSERT INTO erasures (requested_at, tenant, speaker_id) VALUES (?, ?, ?)",
        (datetime.now(UTC).isoformat(), owner(speaker_id), speaker_id if in_jobs else None),
    )


def _select_speaker(db: sqlite3.Connection, speaker_id: str) -> Speaker:
    row = db.execute(
        "SELECT name, metadata, created_at, collections, consent FROM speakers WHERE speaker_id = ?",
        (speaker_id,),
    ).fetchone()
    if row is None:
        raise unknown(speaker_id)
    embeddings: dict[int, dict[str, Embedding]] = {}
    for utterance_id, model, n_crops, cohesion, mean, map_error in db.execute(
        "SELECT e.* FROM embeddings e JOIN utterances u USING (utterance_id) WHERE u.speaker_id = ? "
        "ORDER BY e.rowid",
        (speaker_id,),
    ):
        embeddings.setdefault(utterance_id, {})[model] = Embedding(
            _vector(mean), n_crops, cohesion, map_error
        )
    utterances = tuple(
        Utterance(
            utterance_id=utterance_id,
            number=number,
            speech_s=speech_s,
            snr_db=snr_db,
            retained=bool(retained),
            created_at=datetime.fromisoformat(created_at),
            embeddings=embeddings.get(utterance_id, {}),
            measures=Measures.from_json(measures),
        )
        for utterance_id, number, speech_s, snr_db, created_at, retained, measures in db.execute(
            "SELECT utterance_id, number, speech_s, snr_db, created_at, audio IS NOT NULL, measures "
            "FROM utterances JOIN recordings USING (utterance_id) "
            "WHERE speaker_id = ? ORDER BY utterance_id",
            (speaker_id,),
        )
    )
    return Speaker(
        speaker_id=speaker_id,
        name=row[0],
        metadata=json.loads(row[1]),
        created_at=datetime.fromisoformat(row[2]),
        utterances=utterances,
        collections=tuple(json.loads(row[3])),
        consent=Consent.from_json(row[4]),
    )


def _vector(blob: bytes) -> Float32:
    return np.frombuffer(blob, "<f4").astype(np.float32)
