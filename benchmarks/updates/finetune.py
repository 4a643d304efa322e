"""Does fine-tuning help? → docs/results/finetune.md."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.updates.goals import goals_table, steps_text
from benchmarks.updates.voices import LabelledCrops, TuningFigures, measure_embedded, split_seconds
from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from trainer.audio.folders import Clip, read_audio, read_folder
from trainer.bundles.runner import BundleRunner
from trainer.evaluate import draw_speakers
from trainer.finetuning.finetune import finetune, read_report
from trainer.finetuning.report import FinetuneReport
from trainer.machine import machine
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

SPEAKERS = 30
#: Adapted to: corpus, split. None of the shipped models has heard a speaker of them.
CORPORA = (
    ("speechocean762", "test"),
    ("arabic_speech_commands", "test"),
    ("nemo", None),
    ("telephone_digits", None),
)
FORGOTTEN = ("librispeech", "test")  # measured with every version of the others
AMOUNTS = (10.0, 30.0, None)  # seconds a speaker; None: all there is
STEPS = 50
RECORDINGS = 40  # of a speaker, at most: the corpora are unequal, and so is the time there is
COLUMNS = ("before", "10 s a speaker", "30 s a speaker", "all audio", f"all audio, {STEPS} steps first")


@dataclass(frozen=True)
class Tuning:
    """One corpus, adapted to: a column of `COLUMNS` each, the first of them the parent."""

    corpus: str
    speakers: int
    reports: list[FinetuneReport]  # without the parent's
    figures: dict[str, list[TuningFigures]]  # by the corpus that was measured


@dataclass(frozen=True)
class Measured:
    """The recordings of a corpus that nothing is adapted to, under the parent."""

    voices: LabelledCrops
    embeddings: Float32  # (crops, dim)


def finetune_page(bundle: Path, data: Path, page: Path, say: Say) -> None:
    """Writes the figures into the page; about five minutes on one core.

    Raises:
        BundleError, DataError, FinetuneError: the bundle or the corpora cannot be used.
    """
    parent = BundleRunner.load(bundle)
    halves = {corpus: split_halves(corpus_clips(data, corpus, split)) for corpus, split in CORPORA}
    left_out = {corpus: rest for corpus, (_, rest) in halves.items()}
    left_out[FORGOTTEN[0]] = read_folder(data / FORGOTTEN[0], FORGOTTEN[1])
    measured = {}
    for corpus, clips in left_out.items():
        say(f"embedding {len(clips)} recordings of {corpus}, which are left out")
        voices = LabelledCrops.read(clips)
        measured[corpus] = Measured(voices, parent.embed(voices.crops))
    with tempfile.TemporaryDirectory() as folder:
        tunings = [_tune(parent, corpus, halves[corpus][0], measured, Path(folder), say) for corpus in halves]
        took = _command_seconds(bundle, data, Path(folder), say)
    write_block(page, "benchmarks finetune", _text(parent, tunings, took))


def corpus_clips(data: Path, corpus: str, split: str | None, speakers: int = SPEAKERS) -> list[Clip]:
    """Recordings of the drawn speakers, at most `RECORDINGS` of each, spread over what there is."""
    clips = read_folder(data / corpus, split)
    drawn = draw_speakers([clip.speaker for clip in clips], speakers, seed=0)
    return spread_clips([clip for clip in clips if clip.speaker in drawn])


def spread_clips(clips: Sequence[Clip]) -> list[Clip]:
    """At most `RECORDINGS` of each speaker, spread over what there is."""
    chosen: list[Clip] = []
    for name in sorted({clip.speaker for clip in clips}):
        of_speaker = [clip for clip in clips if clip.speaker == name]
        spread = np.unique(
            np.linspace(0, len(of_speaker) - 1, min(RECORDINGS, len(of_speaker))).round().astype(int)
        )
        chosen += [of_speaker[i] for i in spread]
    return chosen


def split_halves(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Every second recording of a speaker, to adapt to, and the others."""
    number: dict[str, int] = {}
    halves: tuple[list[Clip], list[Clip]] = [], []
    for clip in clips:
        number[clip.speaker] = number.get(clip.speaker, -1) + 1
        halves[number[clip.speaker] % 2].append(clip)
    return halves


def tune(parent: BundleRunner, clips: Sequence[Clip], out: Path, say: Say, steps: int = 0) -> FinetuneReport:
    """The version that `trainer finetune` makes of unlabelled clips; the labels go into its report only."""
    say(f"fine-tuning on {len(clips)} recordings")
    return finetune(
        parent.manifest.path,
        [clip.path for clip in clips],
        out,
        version=out.name,
        steps=steps,
        work_dir=out.with_suffix(".work"),
        on_step=lambda *_: None,
        canceled=lambda: False,
        speakers=[clip.speaker for clip in clips],
    )


def _tune(
    parent: BundleRunner,
    corpus: str,
    clips: Sequence[Clip],
    measured: dict[str, Measured],
    folder: Path,
    say: Say,
) -> Tuning:
    reports = []
    figures = {
        name: [measure_embedded(parent.scorer, of.embeddings, of.voices)]
        for name, of in measured.items()
        if name in (corpus, FORGOTTEN[0])
    }
    for column, (seconds, steps) in enumerate([*((amount, 0) for amount in AMOUNTS), (None, STEPS)]):
        out = folder / corpus / str(column)
        audio = clips if seconds is None else split_seconds(clips, seconds)[0]
        reports.append(tune(parent, audio, out, say, steps))
        version = BundleRunner.load(out)
        for name, columns in figures.items():
            of = measured[name]
            embeddings = version.embed(of.voices.crops) if steps else version.adapt(of.embeddings)
            columns.append(measure_embedded(version.scorer, embeddings, of.voices))
    return Tuning(corpus, len({clip.speaker for clip in clips}), reports, figures)


def _command_seconds(bundle: Path, data: Path, folder: Path, say: Say) -> tuple[float, FinetuneReport]:
    """Wall time of `trainer finetune` on 10 s of audio in a process of its own, imports and all."""
    say("timing the command on 10 s of audio")
    clip = read_folder(data / "librispeech", "test")[0]
    audio, out = folder / "ten.wav", folder / "timed" / "1"
    soundfile.write(audio, np.resize(read_audio(clip.path), 10 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    command = [sys.executable, "-m", "trainer", "finetune", str(bundle), str(audio), "--out", str(out)]
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - started, read_report(out)


def _text(parent: BundleRunner, tunings: Sequence[Tuning], took: tuple[float, FinetuneReport]) -> str:
    rows = [
        [f"{t.corpus}, {t.speakers} speakers", name, *cells]
        for t in tunings
        for name, cells in _cells(t.figures[t.corpus])
    ]
    forgetting = [
        [f"{t.corpus} → {FORGOTTEN[0]}", name, *cells]
        for t in tunings
        for name, cells in _cells(t.figures[FORGOTTEN[0]])
    ]
    reports = [
        [t.corpus, column, f"{r.seconds:.0f}", r.verdict.replace("_", " "), str(r.voices), *_changes(r)]
        for t in tunings
        for column, r in zip(COLUMNS[1:], t.reports, strict=True)
    ]
    wall, report = took
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.took_s.items())
    rest = wall - sum(report.took_s.values())
    return "\n\n".join(
        [
            f"Parent: `{parent.id}`. {date.today()}. Machine: {machine()}.",
            "## On recordings that were left out, of the voices adapted to",
            table(["corpus", "measure", *COLUMNS], rows),
            "## Goals",
            goals_table(
                {t.corpus: t.figures[t.corpus] for t in tunings},
                {t.corpus: t.figures[FORGOTTEN[0]] for t in tunings},
            ),
            steps_text({t.corpus: t.figures[t.corpus] for t in tunings}),
            "## On another corpus: what is forgotten",
            table(["tuned on → measured on", "measure", *COLUMNS], forgetting),
            "## What the reports said",
            table(
                ["corpus", "job", "seconds", "verdict", "voices", "F1, %", "EER, %", "false accepts, %"],
                reports,
            ),
            "## Time",
            f"`trainer finetune` takes **{wall:.1f} s** for one recording of 10 s, from start to a written "
            f"version. Of these: {parts}. Starting Python and writing the files takes {rest:.1f} s.",
        ]
    )


def _cells(figures: Sequence[TuningFigures]) -> list[tuple[str, list[str]]]:
    return [
        ("F1 from 10 s, %", [_percent(f.f1) for f in figures]),
        ("EER, %", [_percent(f.eer) for f in figures]),
        ("false accepts at the 1 % threshold, %", [_percent(f.false_accepts, 2) for f in figures]),
    ]


def _changes(report: FinetuneReport) -> list[str]:
    measures = report.measures
    return [
        "–" if change is None else f"{100 * change.before:.1f} → {100 * change.after:.1f}"
        for change in (measures.f1, measures.eer, measures.false_accepts)
    ]


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
