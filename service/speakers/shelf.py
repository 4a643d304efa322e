"""The voices of one tenant: who stands in which row."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bundle.arrays import Float32
from service.inference.cpu import inference_threads
from service.machine_code import can_compile
from service.speakers.rows import ExactRows, Rows
from service.speakers.split_rows import SplitRows

#: Voices up to which float32 is searched. Above it, bytes are faster by more than they cost to set up:
#: docs/scale.md.
EXACT_UP_TO = 50_000
_log = structlog.get_logger(__name__)
_AT_ONCE = 4096  # rows copied at once when a shelf changes its kind of rows


class Shelf:
    """Voices with their names in numbered rows. One thread writes at a time; others may search meanwhile.

    A row of a voice that left stays empty until the next voice takes it, so no voice moves during a search.
    """

    def __init__(self, dim: int, exact_up_to: int = EXACT_UP_TO) -> None:
        self._dim = dim
        self._exact_up_to = exact_up_to
        self.rows: Rows = ExactRows(dim)
        self.ids: list[str | None] = []  # of each row; None: empty
        self.names: list[str | None] = []  # of each row
        self._free: list[int] = []

    def __len__(self) -> int:
        """Number of voices."""
        return len(self.ids) - len(self._free)

    def make_room(self, n: int = 1) -> None:
        """Changes to rows of bytes before `n` more voices are too many for float32. That can take seconds."""
        if len(self.ids) + n <= self._exact_up_to or isinstance(self.rows, SplitRows):
            return
        if can_compile():
            self.rows = self._split()
        elif len(self.ids) <= self._exact_up_to:  # said once
            _log.warning("slow_search", reason=f"{self._exact_up_to} voices and more: pip install numba.")

    def add(self, speaker_ids: Sequence[str], names: Sequence[str | None], vectors: Float32) -> range:
        """Puts new voices (n, dim) behind all others, and returns their rows."""
        first, end = len(self.ids), len(self.ids) + len(speaker_ids)
        self.make_room(len(speaker_ids))
        self.rows.write(first, vectors)
        self.names += names
        self.ids += speaker_ids
        return range(first, end)

    def put(self, speaker_id: str, name: str | None, vector: Float32) -> int:
        """Puts a new voice (dim,) into an empty row, or behind all others. Returns the row."""
        if not self._free:
            return self.add([speaker_id], [name], vector[None])[0]
        row = self._free.pop()
        self.rows.write(row, vector[None])
        self.names[row] = name
        self.ids[row] = speaker_id
        return row

    def remove(self, row: int) -> None:
        """Empties a row and overwrites the voice."""
        self.ids[row] = self.names[row] = None
        self.rows.clear(row)
        self._free.append(row)

    def _split(self) -> SplitRows:
        split, end = SplitRows(self._dim, inference_threads(0)), len(self.ids)
        for first in range(0, end, _AT_ONCE):
            split.write(first, self.rows.read(range(first, min(first + _AT_ONCE, end))))
        for row in self._free:
            split.clear(row)
        return split
