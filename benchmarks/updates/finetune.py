"""Does fine-tuning help? → docs/results/finetune.md."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.updates.voices import SHOT_S, LabelledCrops, TuningFigures, measure, split_seconds
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
#: Measured for what a fine-tuning forgets: corpus, split, every n-th recording.
OTHERS = (("librispeech", "test", 1), ("english_digits", "test", 8), ("nemo", None, 8))
TUNED_ON = ("speechocean762", "arabic_speech_commands")
RECORDINGS = 40  # of a speaker, at most: the corpora are unequal, and so is the time there is


@dataclass(frozen=True)
class Tuning:
    """One corpus, adapted to."""

    corpus: str
    speakers: int
    seconds: tuple[float, float]  # of audio: 10 s a speaker, and all
    figures: tuple[TuningFigures, TuningFigures, TuningFigures]  # before, after 10 s a speaker, after all
    others: dict[str, tuple[TuningFigures, TuningFigures, TuningFigures]]
    reports: tuple[FinetuneReport, FinetuneReport]


def finetune_page(bundle: Path, data: Path, page: Path, say: Say) -> None:
    """Writes the figures into the page; about ten minutes on two cores.

    Raises:
        BundleError, DataError, FinetuneError: the bundle or the corpora cannot be used.
    """
    parent = BundleRunner.load(bundle)
    with tempfile.TemporaryDirectory() as folder:
        tunings = [_tune(parent, data, corpus, Path(folder), say) for corpus in TUNED_ON]
        took = _command_seconds(bundle, data, Path(folder), say)
    write_block(page, "benchmarks finetune", _text(parent, tunings, took))


def corpus_clips(data: Path, corpus: str, split: str | None, speakers: int = SPEAKERS) -> list[Clip]:
    """Recordings of the drawn speakers, at most `RECORDINGS` of each, spread over what there is."""
    clips = read_folder(data / corpus, split)
    chosen: list[Clip] = []
    for name in sorted(draw_speakers([clip.speaker for clip in clips], speakers, seed=0)):
        of_speaker = [clip for clip in clips if clip.speaker == name]
        spread = np.unique(
            np.linspace(0, len(of_speaker) - 1, min(RECORDINGS, len(of_speaker))).round().astype(int)
        )
        chosen += [of_speaker[i] for i in spread]
    return chosen


def tune(parent: BundleRunner, clips: Sequence[Clip], out: Path, say: Say) -> FinetuneReport:
    """The version that `trainer finetune` makes of unlabelled clips; the labels go into its report only."""
    say(f"fine-tuning on {len(clips)} recordings")
    return finetune(
        parent.manifest.path,
        [clip.path for clip in clips],
        out,
        version=out.name,
        work_dir=out.with_suffix(".work"),
        on_step=lambda *_: None,
        canceled=lambda: False,
        speakers=[clip.speaker for clip in clips],
    )


def _tune(parent: BundleRunner, data: Path, corpus: str, folder: Path, say: Say) -> Tuning:
    clips = corpus_clips(data, corpus, "test")
    little, rest = split_seconds(clips, SHOT_S)
    outs = [folder / corpus / version for version in ("10s", "all")]
    first, second = (tune(parent, audio, out, say) for audio, out in zip((little, clips), outs, strict=True))
    models = [parent, *(BundleRunner.load(out) for out in outs)]

    def figures(voices: LabelledCrops) -> tuple[TuningFigures, TuningFigures, TuningFigures]:
        before, after, after_all = (measure(model, voices) for model in models)
        return before, after, after_all

    others = {}
    for name, split, step in OTHERS:
        say(f"measuring on {name}")
        others[name] = figures(LabelledCrops.read(read_folder(data / name, split)[::step]))
    for name in set(TUNED_ON) - {corpus}:
        say(f"measuring on {name}")
        others[name] = figures(LabelledCrops.read(corpus_clips(data, name, "test")))
    say(f"measuring on {corpus}")
    return Tuning(
        corpus,
        len({clip.speaker for clip in clips}),
        (first.seconds, second.seconds),
        figures(LabelledCrops.read(rest)),
        others,
        (first, second),
    )


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
        for name, cells in (
            ("F1 from 10 s, %", [_percent(f.f1) for f in t.figures]),
            ("EER, %", [_percent(f.eer) for f in t.figures]),
            ("false accepts at the 1 % threshold, %", [_percent(f.false_accepts) for f in t.figures]),
        )
    ]
    forgetting = [
        [
            f"{t.corpus} → {name}",
            *(" · ".join(map(_percent, (f.f1, f.eer, f.false_accepts))) for f in figures),
        ]
        for t in tunings
        for name, figures in sorted(t.others.items())
    ]
    reports = [
        [f"{t.corpus}, {seconds:.0f} s", r.verdict.replace("_", " "), *_changes(r), f"{r.map_error:.3f}"]
        for t in tunings
        for seconds, r in zip(t.seconds, t.reports, strict=True)
    ]
    wall, report = took
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.took_s.items())
    rest = wall - sum(report.took_s.values())
    three = ["before", "10 s a speaker", "all audio"]
    return "\n\n".join(
        [
            f"Parent: `{parent.id}`. {report.steps} steps. Machine: {machine()}.",
            "## On the voices adapted to",
            table(["corpus", "measure", *three], rows),
            "## On other corpora: what is forgotten",
            table(
                ["tuned on → measured on", *("F1, EER, false accepts, %: " + name for name in three)],
                forgetting,
            ),
            "## What the reports said",
            table(["job", "verdict", "separation, %", "identification, %", "map error"], reports),
            "## Time",
            f"`trainer finetune` on one recording of 10 s: **{wall:.1f} s** from start to a written version: "
            f"{parts}, and {rest:.1f} s for starting Python, importing torch and writing the files.",
        ]
    )


def _changes(report: FinetuneReport) -> list[str]:
    measures = report.measures
    return [
        "–" if change is None else f"{100 * change.before:.1f} → {100 * change.after:.1f}"
        for change in (measures.separation, measures.identification)
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
