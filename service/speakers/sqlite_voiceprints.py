"""Reads every voiceprint of the embedded gallery in seconds, part by part, so that memory holds it once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundle.arrays import Float32
from bundle.vectors import unit
from service.speakers.records import Voiceprints
from service.stores.sqlite import SqliteFile

_AT_ONCE = 4096  # embeddings: 4 MiB
_NAMES = "SELECT speaker_id, name FROM speakers"
#: Speakers with several recordings, and how many of these have an embedding under a model.
_SEVERAL = """
SELECT u.speaker_id, count(*) FROM utterances u CROSS JOIN embeddings e USING (utterance_id)
WHERE e.model = ? AND u.speaker_id IN
  (SELECT speaker_id FROM utterances GROUP BY speaker_id HAVING count(*) > 1)
GROUP BY u.speaker_id
"""
#: In the order in which embeddings lie in the file. In the order of ids each would have to be sought.
_EMBEDDINGS = """
SELECT e.rowid, u.speaker_id, e.n_crops, e.mean FROM embeddings e CROSS JOIN utterances u USING (utterance_id)
WHERE e.rowid > ? AND e.model = ? ORDER BY e.rowid LIMIT ?
"""


def read_voiceprints(file: SqliteFile, model: str) -> Iterator[Voiceprints]:
    """`Gallery.voiceprints`. Other reads come between the parts. Raises StoreUnavailable."""
    with file.reading() as db:
        names: dict[str, str | None] = dict(db.execute(_NAMES).fetchall())
        missing: dict[str, int] = dict(db.execute(_SEVERAL, (model,)).fetchall())
    sums: dict[str, Float32] = {}  # of speakers of whom embeddings are still to come
    after = 0
    while True:
        with file.reading() as db:
            rows = db.execute(_EMBEDDINGS, (after, model, _AT_ONCE)).fetchall()
        if not rows:
            break
        after = rows[-1][0]
        members: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            if row[1] in names:  # else enrolled since the names were read
                members.setdefault(row[1], []).append(i)
        if not members:
            continue
        crops = np.array([row[2] for row in rows], np.float32)
        means = np.frombuffer(b"".join(row[3] for row in rows), "<f4").reshape(len(rows), -1)
        order = [i for group in members.values() for i in group]
        starts = np.cumsum([0, *map(len, members.values())][:-1])
        totals = np.add.reduceat(means[order] * crops[order, None], starts, axis=0)  # (speakers, dim)
        complete = []
        for i, (speaker_id, group) in enumerate(members.items()):
            if speaker_id in missing:
                missing[speaker_id] -= len(group)
                totals[i] += sums.pop(speaker_id, 0)
                if missing[speaker_id] > 0:
                    sums[speaker_id] = totals[i].copy()
                    continue
            complete.append((i, speaker_id))
        if complete:
            yield Voiceprints(
                tuple(speaker_id for _, speaker_id in complete),
                unit(totals[[i for i, _ in complete]]),
                {speaker_id: names.pop(speaker_id) for _, speaker_id in complete},
            )
    yield Voiceprints((), np.zeros((0, 0), np.float32), names)  # the stale ones
