"""Would score normalisation, or a calibration that knows the length, help? Tried on train speakers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.decisions.figures import figures
from benchmarks.decisions.model import ScoredModel, Voices
from benchmarks.decisions.rows import Row, make_row
from benchmarks.decisions.tables import CHANNEL, NARROW, WHOLE
from benchmarks.decisions.tried.durations import WAYS, try_durations
from benchmarks.decisions.tried.normalisation import MEASURES, measures, scores, try_normalisation
from benchmarks.decisions.tried.train_speakers import Train
from bundle.arrays import Float64
from bundle.scoring import centre
from trainer.pages.blocks import table
from trainer.scoring.calibration import fit_calibration

Outcome = dict[int | None, dict[str, Float64]]

GAIN = 0.95  # of Cllr, for a calibration that knows the length to be worth its trouble
CONDITIONS = (WHOLE, CHANNEL, NARROW)


def normalisation_text(name: str, train: Train, test: dict[str, Voices]) -> str:
    """AS-norm on train speakers set aside, a verdict, and what the setting chosen there does on test.

    Args:
        test: by corpus and condition.
    """
    trials = dict(zip(CONDITIONS, (train.whole, train.channel, train.narrow), strict=True))
    outcome = try_normalisation(trials, train.cohort)
    tried = [
        [_setting(top), *(_cell(by_condition[condition]) for condition in CONDITIONS)]
        for top, by_condition in outcome.items()
    ]
    best = chosen(outcome)
    fits = {
        top: fit_calibration(*scores(train.whole, train.cohort, top), np.random.default_rng(0))
        for top in (None, best)
    }
    tested = [
        [name, *(_cell(measures(*scores(voices, train.cohort, top), fit)) for top, fit in fits.items())]
        for name, voices in test.items()
    ]
    columns = " · ".join(MEASURES)
    return "\n\n".join(
        [
            table(["train speakers set aside", *(f"{what}: {columns}" for what in CONDITIONS)], tried),
            f"{name}: {verdict(outcome, best)} The setting chosen on train speakers, on test:",
            table(["test speakers", *(f"{_setting(top)}: {columns}" for top in fits)], tested),
        ]
    )


def chosen(outcome: Outcome) -> int:
    """The number of cohort scores with the least actual DCF, mean over the conditions."""
    tops = [top for top in outcome if top is not None]
    return min(tops, key=lambda top: _mean(outcome[top])[2])


def verdict(outcome: Outcome, best: int) -> str:
    """Helps only where every figure of a decision gets better: separation, threshold and probability."""
    before, after = _mean(outcome[None]), _mean(outcome[best])
    changes = ", ".join(
        f"{name} {old:.3f} → {new:.3f}" for name, old, new in zip(MEASURES, before, after, strict=True)
    )
    helps = "would help" if (after[1:] < before[1:]).all() else "would not help"
    return f"normalisation **{helps}**. With the best {best}, mean over the conditions: {changes}."


def narrow_rows(model: ScoredModel, train: Train, corpus: str, voices: Voices) -> list[Row]:
    """Test recordings at 8 kHz as they are scored, and centred once more with the mean of train at 8 kHz."""
    centred = Voices(centre(voices.vectors, train.narrow.vectors.mean(axis=0)), voices.speakers)
    return [
        make_row([model], [voices], corpus, f"{NARROW}, as it is"),
        make_row([model], [centred], corpus, f"{NARROW}, with a mean of its own"),
    ]


def durations_text(model: ScoredModel, train: Train) -> str:
    """Whether slope and intercept should know how long the speech is."""
    durations = try_durations(train.whole, train.cut)
    decided = {seconds: figures(model, voices) for seconds, voices in train.cut.items()}
    rows = []
    for seconds, (slope, intercept) in durations.fits.items():
        figures_at = decided[seconds]
        costs = zip(durations.cllr[seconds], durations.act_dcf[seconds], strict=True)
        decisions = (
            [f"{figures_at.false_accepts:.2f}", f"{figures_at.misses:.1f}"] if figures_at else ["–", "–"]
        )
        fits = [f"{slope:.1f}", f"{intercept:.1f}", *(f"{bits:.3f} · {dcf:.2f}" for bits, dcf in costs)]
        rows.append([f"{seconds:g} s", *decisions, *fits])
    header = ["speech", "false accepts at 1 %", "misses there", "own slope", "own intercept"]
    bits, dcfs = (np.mean(list(of.values()), axis=0) for of in (durations.cllr, durations.act_dcf))
    should = "should" if bits[2] < GAIN * bits[:2].min() and dcfs[2] <= dcfs[:2].min() else "need not"
    means = "; ".join(
        f"{way} Cllr {b:.3f}, actual DCF {d:.2f}" for way, b, d in zip(WAYS, bits, dcfs, strict=True)
    )
    return (
        table([*header, *(f"{way}: Cllr · actual DCF" for way in WAYS)], rows)
        + f"\n\nMean over the lengths, {model.name}: {means}. The calibration **{should}** depend on the"
        f" seconds of speech. It should where Cllr falls by {100 * (1 - GAIN):.0f} % and actual DCF does not"
        " rise."
    )


def _mean(by_condition: dict[str, Float64]) -> Float64:
    return np.asarray(np.mean(list(by_condition.values()), axis=0))


def _setting(top: int | None) -> str:
    return "as it is" if top is None else f"best {top} of the cohort"


def _cell(values: Sequence[float] | Float64) -> str:
    eer, min_dcf, act_dcf, cllr = values
    return f"{eer:.2f} · {min_dcf:.3f} · {act_dcf:.2f} · {cllr:.3f}"
