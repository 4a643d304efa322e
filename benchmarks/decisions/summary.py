"""What the figures say in words: where decisions at 1 % hold, and where they do not."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.decisions.rows import Row

HOLDS = 2.0  # per cent false accepts where 1 was asked for
MANY_MISSES = 20.0  # per cent


def summary(rows: Sequence[Row]) -> str:
    """Of the first model in each row: three lists, a line a corpus."""
    return "\n\n".join(
        [
            f"**Trusted**: asked for 1 % false accepts, it gives at most {HOLDS:g} %.\n\n"
            + _listed(rows, "false_accepts", 0.0, HOLDS),
            "**Not trusted**: it gives more.\n\n" + _listed(rows, "false_accepts", HOLDS, 100.0),
            f"**Turned away too often**: over {MANY_MISSES:g} % of the pairs of one voice are missed.\n\n"
            + _listed(rows, "misses", MANY_MISSES, 100.0),
        ]
    )


def _listed(rows: Sequence[Row], measure: str, above: float, most: float) -> str:
    """The rows whose figure lies in (above, most], or is 0 where `above` is; smallest first."""
    by_corpus: dict[str, list[tuple[float, str]]] = {}
    for row in rows:
        if row.models[0] is not None:
            rate = getattr(row.models[0], measure)
            if above < rate <= most or rate == above == 0:
                by_corpus.setdefault(row.corpus, []).append((rate, row.what))
    lines = [
        f"- {corpus}: " + ", ".join(f"{what} {rate:.1f} %" for rate, what in sorted(of))
        for corpus, of in by_corpus.items()
    ]
    return "\n".join(lines) or "- nothing"
