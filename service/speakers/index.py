"""Search over all voiceprints of one model, in memory, and the names of all who are enrolled."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.speakers.gallery import unknown
from service.speakers.records import Voiceprints
from service.speakers.rows import nearest_of
from service.speakers.shelf import EXACT_UP_TO, Shelf
from service.tenants import owner


@dataclass(frozen=True)
class Hit:
    """One speaker that a search found."""

    speaker_id: str  # as stored, with its tenant
    name: str | None
    score: float


class VoiceIndex:
    """Centred voiceprints in memory, a shelf for each tenant, so that a search reads its tenant's alone.

    Thread-safe. Searches run side by side, and writes do not wait for them. The index holds the voices of one
    model only, so voices of two models are never compared.
    """

    def __init__(
        self, model: str, scorer: Scorer, parts: Iterable[Voiceprints] = (), exact_up_to: int = EXACT_UP_TO
    ) -> None:
        """Reads all parts; `exact_up_to` voices of a tenant are searched in float32."""
        self.model = model
        self.scorer = scorer
        self._exact_up_to = exact_up_to
        self._lock = threading.Lock()  # held for microseconds: never while a search reads the voices
        self._writing = threading.Lock()  # one writer at a time; taken before `_lock`
        self._all = self._read(parts)

    def __len__(self) -> int:
        """Number of voices, of all tenants."""
        return len(self._all.rows)

    @property
    def stale(self) -> int:
        """Number of enrolled speakers that are not searched: they have no voiceprint under the model."""
        return len(self._all.stale)

    def counts(self, tenant: str, among: Collection[str] | None = None) -> tuple[int, int]:
        """How many voices of a tenant are searched, and how many of its speakers are stale.

        `among` are the ids that count; None: all.
        """
        with self._lock:
            if among is not None:
                return sum(i in self._all.rows for i in among), sum(i in self._all.stale for i in among)
            shelf = self._all.shelves.get(tenant)
            return len(shelf) if shelf else 0, self._all.stale_of[tenant]

    def replace(self, parts: Iterable[Voiceprints]) -> None:
        """Replaces all voices by these, which are of the same model. The old ones are searched meanwhile."""
        with self._writing:
            everybody = self._read(parts)
            with self._lock:
                self._all = everybody

    def put(self, speaker_id: str, name: str | None, voiceprint: Float32 | None) -> None:
        """Adds or replaces a speaker with a unit voiceprint (dim,), or None if stale. Amortised O(dim)."""
        centred = None if voiceprint is None else self.scorer.centred(voiceprint)
        with self._writing:
            everybody = self._all
            shelf = self._shelf(everybody, owner(speaker_id))
            shelf.make_room()
            with self._lock:
                row = everybody.rows.get(speaker_id)
                if centred is None:
                    everybody.remove(speaker_id)
                    everybody.add_stale(speaker_id, name)
                elif row is None:
                    everybody.remove(speaker_id)
                    everybody.rows[speaker_id] = shelf.put(speaker_id, name, centred)
                else:
                    shelf.names[row] = name
                    shelf.rows.write(row, centred[None])

    def remove(self, speaker_id: str) -> None:
        """Removes a speaker, if present, and overwrites the voiceprint."""
        with self._writing, self._lock:
            self._all.remove(speaker_id)

    def voices(self, tenant: str, limit: int) -> tuple[list[str], list[str | None], Float32]:
        """Ids, names and centred voiceprints (voices, dim) of the first `limit` voices of a tenant."""
        with self._lock:
            shelf = self._all.shelves.get(tenant)
            if shelf is None or not len(shelf):
                return [], [], np.zeros((0, self.scorer.dim), np.float32)
            taken = ((row, i) for row, i in enumerate(shelf.ids) if i is not None)
            rows, ids = map(list, zip(*islice(taken, limit), strict=True))
            return ids, [shelf.names[row] for row in rows], shelf.rows.read(rows)

    def centred(self, speaker_id: str) -> Float32 | None:
        """The centred voiceprint (dim,), or None if the speaker is stale. Raises NotFound."""
        with self._lock:
            row = self._all.rows.get(speaker_id)
            if row is None:
                if speaker_id not in self._all.stale:
                    raise unknown(speaker_id)
                return None
            vector: Float32 = self._all.shelves[owner(speaker_id)].rows.read([row])[0]
            return vector

    def search(
        self, voice: Float32, top_k: int, tenant: str = "", among: Collection[str] | None = None
    ) -> list[Hit]:
        """The `top_k` best scores of a unit voice (dim,) among the voices of a tenant, best first.

        `among` are the ids that are searched; None: all. The time is then that of reading their rows.
        """
        probe = self.scorer.centred(voice)
        while True:
            everybody = self._all
            shelf = everybody.shelves.get(tenant)
            if shelf is None:
                return []
            if among is None:
                rows = shelf.rows.nearest(probe, top_k)
            else:
                with self._lock:
                    some = [row for i in among if (row := everybody.rows.get(i)) is not None]
                rows = nearest_of(shelf.rows, some, probe, top_k)
            with self._lock:
                # Voices may have been written meanwhile: names and scores are of what is there now.
                ids, names = [shelf.ids[row] for row in rows], [shelf.names[row] for row in rows]
                vectors = shelf.rows.read(rows)  # (k, dim)
            if None not in ids and (among is None or all(i in among for i in ids)):
                break
            # One of them was erased during the search, and has perhaps hidden another: search once more.
        scores = np.clip(vectors @ probe, -1, 1).tolist()
        hits = [Hit(str(i), name, score) for i, name, score in zip(ids, names, scores, strict=True)]
        return sorted(hits, key=lambda hit: -hit.score)

    def _shelf(self, everybody: _Everybody, tenant: str) -> Shelf:
        shelf = everybody.shelves.get(tenant)
        if shelf is None:
            shelf = everybody.shelves[tenant] = Shelf(self.scorer.dim, self._exact_up_to)
        return shelf

    def _read(self, parts: Iterable[Voiceprints]) -> _Everybody:
        everybody = _Everybody()
        for part in parts:
            members: dict[str, list[int]] = defaultdict(list)
            for i, speaker_id in enumerate(part.speaker_ids):
                members[owner(speaker_id)].append(i)
            for tenant, chosen in members.items():
                ids = [part.speaker_ids[i] for i in chosen]
                names = [part.names[speaker_id] for speaker_id in ids]
                vectors = self.scorer.centred(part.matrix[chosen])
                rows = self._shelf(everybody, tenant).add(ids, names, vectors)
                everybody.rows.update(zip(ids, rows, strict=True))
            for speaker_id in part.names.keys() - part.speaker_ids:
                everybody.add_stale(speaker_id, part.names[speaker_id])
        return everybody


class _Everybody:
    """All who are enrolled."""

    def __init__(self) -> None:
        self.shelves: dict[str, Shelf] = {}  # by tenant
        self.rows: dict[str, int] = {}  # speaker id → row on the shelf of its tenant
        self.stale: dict[str, str | None] = {}  # speaker id → name, of those without a voiceprint
        self.stale_of: Counter[str] = Counter()  # by tenant

    def add_stale(self, speaker_id: str, name: str | None) -> None:
        self.stale[speaker_id] = name
        self.stale_of[owner(speaker_id)] += 1

    def remove(self, speaker_id: str) -> None:
        row = self.rows.pop(speaker_id, None)
        if row is not None:
            self.shelves[owner(speaker_id)].remove(row)
        elif speaker_id in self.stale:
            del self.stale[speaker_id]
            self.stale_of[owner(speaker_id)] -= 1
