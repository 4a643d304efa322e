"""docs/results/enrolments.md: what is found, and what is found where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.conditions.columns import PEER, bundle_column, columns
from benchmarks.enrolments.judge import Judge, Verdict
from benchmarks.enrolments.material import CORPORA, read_people
from benchmarks.enrolments.trials import VOICES, Kind, kinds
from service.speakers.mixture import MIXED_PROBABILITY, log_odds
from service.speakers.quality import OTHER_PROBABILITY
from trainer.bundles.runner import BundleRunner
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

FLOOR = "no network"
_FITTED_ON = {"librispeech": 2, "speechocean762": 16}  # floor and peer: every n-th train recording
GOALS = {"two_voices": 95.0, "other_voice": 97.0, "same_recording": 100.0}  # per cent found, at least
MOST_FALSE = 1.0  # per cent of faultless enrolments
_PROBABILITIES = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)

Verdicts = list[dict[str, Verdict]]  # of the enrolments of a kind, by model


def enrolments_page(
    bundle: Path, data: Path, page: Path, say: Say, *, train: bool = False, alone: bool = False
) -> None:
    """Enrols recordings with known faults, and writes the page's block.

    Args:
        train: to choose by: what other thresholds would find, on train speakers that the bundle's training
            set aside.
        alone: leaves out the floor and the peer, which take most of the time.

    Raises:
        BundleError, CodecError, DataError, PeerMissingError: what is missing, and what to do.
    """
    runner = BundleRunner.load(bundle, threads=1)
    split = "train" if train else "test"
    models = [bundle_column(runner)] if alone or train else columns([bundle], data, fitted_on=_FITTED_ON)
    models = [column for column in models if column.name in (runner.id, FLOOR, PEER)]
    judge = Judge([column.model for column in models])
    rows = kinds(data / "ambience", split)
    verdicts: dict[str, dict[str, Verdicts]] = {kind.name: {} for kind in rows}  # kind, corpus
    for corpus in CORPORA:
        people = read_people(data / corpus, split, runner.manifest.training.get("aside", 0.0))
        for kind in rows:
            copies = not kind.faulty or set(kind.issues).isdisjoint((*VOICES, "noisy", "too_short"))
            results = [judge(files, copies=copies) for files in kind.enrolments(people)]
            verdicts[kind.name][corpus] = [result for result in results if result is not None]
            say(f"{corpus}, {kind.name}: {_counts(kind, verdicts[kind.name][corpus], runner.id)}")
        judge.forget()
    names = [column.name for column in models]
    block = "benchmarks enrolments --train" if train else "benchmarks enrolments"
    head = (
        f"Measured on {datetime.now(UTC).date()} with `python -m {block}{' --alone' if alone else ''}` and "
        f"{runner.id}, on {machine()}. {split.capitalize()} speakers of {' and '.join(CORPORA)}"
        f"{' who were set aside' if train else ''}."
    )
    tables = (
        [_by_probability(rows, verdicts, runner.id)]
        if train
        else [_faults(rows, verdicts, names), _false_alarms(rows, verdicts, names[0])]
    )
    write_block(page, block, "\n\n".join((head, *tables)))


def _found(kind: Kind, verdicts: Sequence[Mapping[str, Verdict]], model: str) -> int:
    return sum(bool(verdict[model].issues & set(kind.issues)) for verdict in verdicts)


def _counts(kind: Kind, verdicts: Sequence[Mapping[str, Verdict]], model: str) -> str:
    return f"{_found(kind, verdicts, model)} of {len(verdicts)}"


def _faults(
    rows: Sequence[Kind], verdicts: Mapping[str, Mapping[str, Verdicts]], names: Sequence[str]
) -> str:
    """One line a fault: found in each corpus, in all, the goal, and what floor and peer find."""
    header = ("fault", *CORPORA, "found, %", "goal, %", *names)
    cells = []
    for kind in (kind for kind in rows if kind.faulty):
        of_kind = verdicts[kind.name]
        everything = [verdict for corpus in CORPORA for verdict in of_kind[corpus]]
        goal = GOALS.get(kind.issues[0])
        others = ["" for _ in names]
        if kind.issues[0] in VOICES:
            others = [f"{_at_one_false(verdicts, everything, kind, name):.1f}" for name in names]
        share = 100 * _found(kind, everything, names[0]) / max(len(everything), 1)
        counts = [_counts(kind, of_kind[corpus], names[0]) for corpus in CORPORA]
        cells.append((kind.name, *counts, f"{share:.1f}", "" if goal is None else f"{goal:g}", *others))
    return table(header, cells)


def _false_alarms(rows: Sequence[Kind], verdicts: Mapping[str, Mapping[str, Verdicts]], name: str) -> str:
    """One line a kind of faultless enrolment: how many are said to have each issue."""
    issues = ("two_voices", "other_voice", "same_recording", "repeated", "noisy")
    cells = []
    for kind in (kind for kind in rows if not kind.faulty):
        everything = [verdict for corpus in CORPORA for verdict in verdicts[kind.name][corpus]]
        counts = [
            str(sum(issue in verdict[name].issues for verdict in everything)) if issue in kind.issues else ""
            for issue in issues
        ]
        share = 100 * _found(kind, everything, name) / max(len(everything), 1)
        cells.append((kind.name, str(len(everything)), *counts, f"{share:.1f}"))
    return table(("nothing is wrong", "enrolments", *issues, "any, %"), cells)


def _at_one_false(
    verdicts: Mapping[str, Mapping[str, Verdicts]],
    faulty: Verdicts,
    kind: Kind,
    name: str,
) -> float:
    """Per cent found by a model where its odds flag one in a hundred of the faultless as recorded."""
    odds = _faultless_odds(verdicts, kind.issues[0], name)
    limit = np.quantile(odds, MOST_FALSE / 100, method="lower")
    return 100 * float(np.mean([verdict[name].log_odds < limit for verdict in faulty]))


def _faultless_odds(verdicts: Mapping[str, Mapping[str, Verdicts]], issue: str, name: str) -> list[float]:
    files = 1 if issue == "two_voices" else 2
    wanted = {1: "one file of 12 s", 2: "two files of 12 s"}[files]
    return [v[name].log_odds for corpus in CORPORA for v in verdicts[wanted][corpus]]


def _by_probability(rows: Sequence[Kind], verdicts: Mapping[str, Mapping[str, Verdicts]], name: str) -> str:
    """What other probabilities than the service's would find: to choose by."""
    explained = (
        "Per cent that are flagged, by the probability of one voice below which they are. The service takes "
        f"{MIXED_PROBABILITY} inside a file and {OTHER_PROBABILITY} between files."
    )
    cells = []
    for kind in rows:
        if set(kind.issues).isdisjoint(VOICES):
            continue
        odds = np.array([v[name].log_odds for corpus in CORPORA for v in verdicts[kind.name][corpus]])
        if odds.size:
            shares = (f"{100 * np.mean(odds < log_odds(p)):.1f}" for p in _PROBABILITIES)
            cells.append((kind.name, str(odds.size), *shares))
    header = ("enrolments", "number", *(f"{p:g}" for p in _PROBABILITIES))
    return f"{explained}\n\n{table(header, cells)}"
