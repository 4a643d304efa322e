"""Decisions with and without the bundle's `by_seconds`, on voices and probes such as the service meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.figures import TARGET_FPR
from benchmarks.decisions.identification import enrolling
from benchmarks.decisions.model import ScoredModel, crop_sums
from benchmarks.recordings.recordings import Recordings
from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.metrics import cllr
from trainer.pages.blocks import table
from trainer.scoring.by_seconds import PROBES_S


@dataclass(frozen=True)
class Decided:
    false_accepts: float  # per cent, at the threshold for 1 %
    misses: float  # per cent, there
    cllr: float  # bits


@dataclass(frozen=True)
class ProbeFigures:
    """Probes of one length."""

    corpus: str
    seconds: float
    without: Decided
    known: Decided | None  # None: the bundle has no `by_seconds`
    target: int  # pairs
    nontarget: int


def by_seconds(model: ScoredModel, corpus: str, speech: Recordings) -> list[ProbeFigures]:
    """Enrols each speaker's first recordings until they hold 10 s; the others are cut and joined to probes.

    A length that nobody's recordings suffice for is left out.

    Args:
        speech: silence taken out, a speaker's recordings in the order they are enrolled.
    """
    names, owner = np.unique(speech.speakers, return_inverse=True)
    enrols = enrolling(owner, np.array([len(samples) / SAMPLE_RATE_HZ for samples in speech.samples]))
    (sums,) = crop_sums([model.encode], speech.at(np.flatnonzero(enrols)).samples)
    prints = np.zeros((len(names), sums.shape[1]), np.float32)
    np.add.at(prints, owner[enrols], sums)
    voices = model.voices(prints, names)
    others = speech.at(np.flatnonzero(~enrols))
    rows = []
    for seconds in PROBES_S:
        cut = others.of_length(seconds)
        if not cut.clips:
            continue
        (sums,) = crop_sums([model.encode], cut.samples)
        probes = model.voices(sums, cut.speakers)
        scores = probes.vectors @ voices.vectors.T  # (probes, voices)
        same_voice = probes.speakers[:, None] == voices.speakers
        target, nontarget = scores[same_voice], scores[~same_voice]
        without = _decided(model, target, nontarget, None)
        known = _decided(model, target, nontarget, seconds) if model.scorer.entry_seconds else None
        rows.append(ProbeFigures(corpus, seconds, without, known, target.size, nontarget.size))
    return rows


def by_seconds_table(rows: Sequence[ProbeFigures]) -> str:
    return table(
        ["test speakers, probe", "false accepts at 1 %", "misses there", "Cllr", "pairs: one voice + two"],
        [
            [
                f"{row.corpus}, {row.seconds:g} s",
                _cell(row, "false_accepts", ".2f"),
                _cell(row, "misses", ".1f"),
                _cell(row, "cllr", ".3f"),
                f"{row.target} + {row.nontarget}",
            ]
            for row in rows
        ],
    )


def _decided(model: ScoredModel, target: Float32, nontarget: Float32, seconds: float | None) -> Decided:
    threshold = model.scorer.threshold(TARGET_FPR, seconds=seconds)
    return Decided(
        false_accepts=100 * float(np.mean(nontarget >= threshold)),
        misses=100 * float(np.mean(target < threshold)),
        cllr=cllr(model.llr(target, seconds), model.llr(nontarget, seconds)),
    )


def _cell(row: ProbeFigures, measure: str, spec: str) -> str:
    return " / ".join(
        format(getattr(decided, measure), spec) if decided else "–" for decided in (row.without, row.known)
    )
