"""docs/results/conditions.md: one table, one row a corpus, condition and side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.conditions.columns import PEER, Column, columns
from benchmarks.conditions.degradations import CLEAN, Degradation, degradations
from benchmarks.conditions.lines import Arrived
from benchmarks.conditions.trials import Rates, both_sides, geometric_mean_of_ratios, one_side, rates
from benchmarks.recordings.recordings import Recordings
from service.audio import SpeechDetector
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.pages.stored import stored_figures

Say = Callable[[str], None]

#: Corpora under every condition, and every n-th recording of their test speakers.
DEGRADED = {"librispeech": 1, "speechocean762": 4}
#: Corpora as they are; words of a second are joined to this many seconds.
STRANGE = {"telephone_digits": None, "nemo": None, "prompt_voices": None} | dict.fromkeys(
    ("arabic_speech_commands", "lithuanian_commands"), 4.0
)
STRANGE_STEP = {"nemo": 4}
BOTH, ONE, ORIGINAL = "both sides", "one side", "original recordings"
LEAST = 0.3  # per cent: below this an EER of these few pairs says nothing


@dataclass(frozen=True)
class Trials:
    """What is compared with what in one row: the recordings on either side."""

    corpus: str
    condition: str
    side: str

    @property
    def name(self) -> str:
        return f"{self.corpus}, {self.condition}" + ("" if self.condition == CLEAN else f", {self.side}")


Row = tuple[Trials, list[Rates]]  # a cell a model


def conditions_page(
    bundles: Sequence[Path],
    data: Path,
    page: Path,
    stored_in: Path,
    *,
    originals: Path | None = None,
    sets: Sequence[str] = (),
    conditions: Sequence[str] = (),
    with_peer: bool = True,
    say: Say,
) -> None:
    """Measures every model under every condition and writes the page's block.

    Args:
        stored_in: gets the figures of each corpus and condition: a command that was stopped goes on.
        originals: folder of corpora as they were before they were encoded, laid out as `data`.
        sets, conditions: names to measure; none is all.

    Raises:
        BundleError, CodecError, DataError, PeerMissingError: what is missing, and what to do.
        ValueError: a set or a condition that there is not.
    """
    how = degradations(data)
    known = [*DEGRADED, *STRANGE], [*how, ORIGINAL]
    for wanted, names in zip((sets, conditions), known, strict=True):
        if unknown := set(wanted) - set(names):
            raise ValueError(f"No {sorted(unknown)[0]!r} to measure; there are {', '.join(names)}.")
    models = columns(bundles, data, with_peer=with_peer)
    chosen = {
        name: degrade for name, degrade in how.items() if not conditions or name in (*conditions, CLEAN)
    }
    rows: list[Row] = []
    for corpus, step in DEGRADED.items():
        if not sets or corpus in sets:
            rows += _degraded(models, data / corpus, step, chosen, stored_in, say)
            if originals is not None and (originals / corpus).is_dir():
                rows += _as_they_are(models, originals / corpus, step, None, ORIGINAL, stored_in, say)
    for corpus, seconds in STRANGE.items():
        if not sets or corpus in sets:
            rows += _as_they_are(
                models, data / corpus, STRANGE_STEP.get(corpus, 1), seconds, CLEAN, stored_in, say
            )
    write_block(page, "benchmarks conditions", _text(models, rows))


def _degraded(
    models: Sequence[Column],
    folder: Path,
    step: int,
    how: dict[str, Degradation],
    stored_in: Path,
    say: Say,
) -> Iterator[Row]:
    recordings = cache(lambda: Recordings.read(folder, "test", step=step))
    detector = SpeechDetector()
    clean = cache(lambda column: Arrived.of(recordings(), detector).voices(column.model))

    def measure(degraded: Callable[[], Arrived], name: str, column: Column) -> list[Rates]:
        arrived, model = degraded(), column.model
        voices = arrived.voices(model)
        sides = [both_sides(voices)]
        if name != CLEAN:
            sides.append(one_side(clean(column), voices))
        return [rates(model.scorer, *scores, narrow=arrived.mostly_narrow) for scores in sides]

    for name, degrade in how.items():
        degraded = cache(
            lambda how=degrade: Arrived.of(
                Recordings(how(recordings().samples), recordings().clips), detector
            )
        )
        cells = [
            _stored(
                stored_in,
                f"{folder.name}-{name}",
                column,
                step,
                partial(measure, degraded, name, column),
                say,
            )
            for column in models
        ]
        for side, rates_of in zip((BOTH, ONE), zip(*cells, strict=True), strict=False):  # one when clean
            yield Trials(folder.name, name, side), list(rates_of)


def _as_they_are(
    models: Sequence[Column],
    folder: Path,
    step: int,
    seconds: float | None,
    condition: str,
    stored_in: Path,
    say: Say,
) -> Iterator[Row]:
    recordings = cache(lambda: Recordings.read(folder, "test", step=step))

    def measure(column: Column) -> Rates:
        pieces = recordings() if seconds is None else recordings().of_length(seconds)
        arrived, model = Arrived.of(pieces, SpeechDetector()), column.model
        return rates(model.scorer, *both_sides(arrived.voices(model)), narrow=arrived.mostly_narrow)

    name = f"{folder.name}-{condition}"
    cells = [_stored(stored_in, name, column, step, partial(measure, column), say) for column in models]
    yield Trials(folder.name, condition, BOTH), cells


def _stored(
    stored_in: Path, name: str, column: Column, step: int, measure: Callable[[], Any], say: Say
) -> Any:
    path = stored_in / column.name.replace("/", "-") / f"{name.replace('/', ' per ')}.json"
    return stored_figures(
        path, {**column.made_with, "step": step}, measure, lambda text: say(f"{column.name}: {text}")
    )


def _text(models: Sequence[Column], rows: Sequence[Row]) -> str:
    lines = [[trials.name, *map(_cell, cells)] for trials, cells in rows]
    names = [model.name for model in models]
    if PEER in names:
        peer = [cells[names.index(PEER)]["eer"] for _, cells in rows]
        means = [
            geometric_mean_of_ratios([cells[k]["eer"] for _, cells in rows], peer, LEAST)
            for k in range(len(names))
        ]
        lines.append([f"**EER over {PEER}'s, geometric mean**", *(f"**{mean:.2f}**" for mean in means)])
    made = f"Measured on {datetime.now(UTC).date()} with `python -m benchmarks conditions`, on {machine()}."
    return (
        f"{made} Cells read EER, %, then false accepts and misses, %, at the threshold for 1 %.\n\n"
        + table(["test speakers", *names], lines)
    )


def _cell(cell: Rates) -> str:
    return f"{cell['eer']:.2f} ({cell['false_accepts']:.1f}, {cell['misses']:.1f})"
