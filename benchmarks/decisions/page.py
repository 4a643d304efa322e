"""docs/results/decisions.md: every section of the page, in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.decisions import identification, prose
from benchmarks.decisions.by_seconds import by_seconds_table
from benchmarks.decisions.corpus import CorpusFigures, measure_corpus, strange_rows
from benchmarks.decisions.model import ScoredModel, load_ours, load_peer
from benchmarks.decisions.plot import det_plot
from benchmarks.decisions.rows import joined_text, markdown
from benchmarks.decisions.summary import summary
from benchmarks.decisions.tables import NARROW, STEP, WHOLE
from benchmarks.decisions.tried.experiments import durations_text, narrow_rows, normalisation_text
from benchmarks.decisions.tried.train_speakers import embed_train
from benchmarks.recordings.conditions import read_noises
from bundle.arrays import Float32
from trainer.audio.folders import read_folder
from trainer.bundles.runner import BundleRunner
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

MEASURED = ("librispeech", "speechocean762")
#: Of train speakers. The cohort's have one recording each, so no pairs of one voice.
TRIALS, COHORT = "speechocean762", "librispeech"
#: What the peer's mean, calibration and thresholds are fitted on: every n-th recording of each corpus. A
#: recording without a label counts for the mean only.
FITTED_ON = {"librispeech": 1, "speechocean762": STEP, "crowd": STEP}

Section = tuple[str, str]  # heading, text


def decisions_page(bundle: Path, data: Path, page: Path, card: Path, *, with_peer: bool, say: Say) -> None:
    """Measures everything; writes the page's block, the DET plot beside the page, and the card's block.

    Raises:
        BundleError, DataError: the bundle or the corpora cannot be used.
        PeerMissingError: the peer is wanted and not installed.
    """
    ours = load_ours(BundleRunner.load(bundle, threads=1))
    models = [ours]
    if with_peer:
        say("the peer on the train split")
        fitted_on = [(read_folder(data / name, "train"), step) for name, step in FITTED_ON.items()]
        models.append(load_peer([clip for clips, step in fitted_on for clip in clips[::step]]))
    corpora = [measure_corpus(models, data, name, say) for name in MEASURED]
    strange = strange_rows(models, data, say)
    train = embed_train(
        ours,
        read_folder(data / TRIALS, "train"),
        read_folder(data / COHORT, "train"),
        read_noises(data / "noise", "train"),
        say,
    )
    plot = page.with_name("decisions-det.png")
    det_plot([curve for corpus in corpora for curve in _curves(models, corpus)], plot, models=len(models))
    conditions = [row for corpus in corpora for row in corpus.conditions]
    groups = [row for corpus in corpora for row in corpus.groups]
    whole = [corpus.whole for corpus in corpora]
    test = {f"{c.name}, {what}": voices[0] for c in corpora for what, voices in c.tried_on.items()}
    narrow = [row for c in corpora for row in narrow_rows(ours, train, c.name, c.tried_on[NARROW][0])]
    sections = [
        ("In short", summary([*whole, *(row for row in conditions if row.what != WHOLE), *groups, *strange])),
        (
            "Whole clips",
            f"{prose.MEASURES}\n\n{prose.FAIRNESS if with_peer else ''}\n\n"
            + markdown(whole, "test speakers")
            + f"\n\n![DET plot]({plot.name})",
        ),
        (
            "By condition",
            f"{prose.CONDITIONS}\n\n{joined_text(conditions)}\n\n"
            + markdown(conditions, "corpus, condition"),
        ),
        (
            "By the seconds heard",
            f"{prose.BY_SECONDS}\n\n" + by_seconds_table([row for c in corpora for row in c.by_seconds]),
        ),
        ("By group of speakers", markdown(groups, "pairs within the group")),
        ("Recordings unlike those it was fitted on", f"{prose.STRANGE}\n\n" + markdown(strange, "corpus")),
        ("Strangers", f"{prose.STRANGERS}\n\n" + _identification_table(corpora)),
        ("Is 8 kHz a matter of the mean?", f"{prose.NARROW}\n\n" + markdown(narrow, "test speakers")),
        (
            "Would score normalisation help?",
            f"{prose.NORMALISATION}\n\n" + normalisation_text(ours.name, train, test),
        ),
        (
            "Should the calibration know the length?",
            f"{prose.LENGTHS}\n\n" + durations_text(ours, train),
        ),
    ]
    say("writing the page")
    write_block(page, "benchmarks decisions", _text(models, sections))
    write_block(
        card, "benchmarks decisions", f"{_made(models)}\n\n{markdown([*whole, *groups], 'pairs within')}"
    )


def _text(models: Sequence[ScoredModel], sections: Sequence[Section]) -> str:
    head = f"{_made(models)} Lists are of {models[0].name}."
    return "\n\n".join([head, *(f"## {heading}\n\n{text}" for heading, text in sections)])


def _made(models: Sequence[ScoredModel]) -> str:
    names = " / ".join(model.name for model in models)
    made = f"Measured on {datetime.now(UTC).date()} with `python -m benchmarks decisions`, on {machine()}."
    return f"{made} Cells read {names}."


def _curves(models: Sequence[ScoredModel], corpus: CorpusFigures) -> list[tuple[str, Float32, Float32]]:
    return [
        (f"{model.name}, {corpus.name}", *voices.pairs())
        for model, voices in zip(models, corpus.voices, strict=True)
    ]


def _identification_table(corpora: Sequence[CorpusFigures]) -> str:
    return table(
        ["corpus", *identification.HEADER],
        [[corpus.name, *identification.cells(corpus.identification)] for corpus in corpora],
    )
