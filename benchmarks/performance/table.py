"""One table for everything that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS = (
    "what",
    "cores",
    "load",
    "audio s per s",
    "real-time factor",
    "of fp32 product",
    "p50 ms",
    "p99 ms",
    "note",
)


@dataclass(frozen=True)
class Measurement:
    """One measurement; what does not apply is None and shows as a dash."""

    what: str
    cores: int | None = None
    load: str | None = None
    audio_s_per_s: float | None = None
    matmul_share: float | None = None  # of the machine's measured fp32 matrix-product rate
    p50_s: float | None = None
    p99_s: float | None = None
    note: str | None = None
    kind: str | None = None  # what stays the same from release to release, where `what` names a version

    @property
    def name(self) -> str:
        """Tells the row from the others, and is the same in a later run."""
        cores = None if self.cores is None else f"cores {self.cores}"
        return ", ".join(part for part in (self.kind or self.what, cores, self.load) if part)

    def figures(self) -> dict[str, float]:
        """What was measured, by name."""
        measured = {
            "audio_s_per_s": self.audio_s_per_s,
            "matmul_share": self.matmul_share,
            "p50_s": self.p50_s,
            "p99_s": self.p99_s,
        }
        return {name: value for name, value in measured.items() if value is not None}

    def cells(self) -> list[str]:
        """As strings, in the order of `COLUMNS`."""
        speed, share = self.audio_s_per_s, self.matmul_share
        return [
            self.what,
            _shown(self.cores, "{}"),
            _shown(self.load, "{}"),
            _shown(speed, "{:.0f}"),
            _shown(1 / speed if speed else None, "{:.5f}"),
            _shown(100 * share if share is not None else None, "{:.0f} %"),
            _shown(1000 * self.p50_s if self.p50_s is not None else None, "{:.1f}"),
            _shown(1000 * self.p99_s if self.p99_s is not None else None, "{:.1f}"),
            _shown(self.note, "{}"),
        ]


def markdown(rows: Sequence[Measurement]) -> str:
    """The rows as a Markdown table."""
    lines = [COLUMNS, ["---"] * 2 + ["---:"] * 6 + ["---"], *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _shown(value: object | None, form: str) -> str:
    return "–" if value is None else form.format(value)
