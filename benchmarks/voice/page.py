"""How well voices are told apart: the shipped bundle between its floors and the supervised peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.performance.machine import describe
from benchmarks.voice.floors import Floor, fit_floors
from benchmarks.voice.peer import compare
from trainer.bundles.runner import BundleRunner
from trainer.evaluate import evaluate
from trainer.scoring.embedding import EncoderName

CORPORA = ("librispeech", "speechocean762", "arabic_speech_commands", "nemo")

PAGE = """# Voices told apart

Measured on {date} with `python -m benchmarks voice` on {machine.cores} cores of {machine.cpu}.
All speakers are test speakers: our model was not trained on them. The peer is Resemblyzer (GE2E). It was
trained with the labels of thousands of speakers.

{table}

- *no network* and *untrained* are the floors: both learnt nothing. What does not beat them is not a result of
  training. *No network* is mean and deviation over time of the mel bands that our encoder reads. *Untrained*
  is our network with random weights. An export's whitening, mean and calibration are fitted to both, on the
  train speech of our model.
- *F1*: recordings are cut into contiguous crops of 1.024 s from their start. k seconds of each speaker are
  labelled. Logistic regression names the speaker of all other crops. Shown are mean and deviation of the
  macro F1 over 10 draws. The 30 speakers are those of `trainer evaluate`. Words of one second are shorter
  than a crop: they have no F1.
- *EER*: over every pair of utterances of the split, in per cent. Ours is scored as the service scores it,
  centred with the mean of its training speakers.
- The peer has three readings, since its authors fix none for crops: plain cosine / centred with the mean of
  the folder it is tested on / plain cosine of its own windows of 1.6 s.
- *minDCF*: at a target prior of 0.01. *Cllr*: in bits, for calibrated scores only.
- *its content encoder* is measured as if it were a voice encoder. Lower is better for its F1: content should
  not tell who speaks.
- nemo is acted emotional speech; arabic_speech_commands are words of one second. Our model was trained on
  neither.
"""
HEAD = """| corpus (test) | model | F1 from 10 s | 15 s | 30 s | 60 s | EER | minDCF | Cllr |
|---|---|---|---|---|---|---|---|---|"""


def voice_page(bundle: Path, data: Path, page: Path, console: Console) -> None:
    """Writes docs/results/voice.md.

    Raises:
        BundleError, DataError: the bundle or a corpus cannot be used.
        PeerMissingError: the peer's package is not installed.
    """
    machine = describe()
    floors = list(fit_floors(bundle, data, console))
    lines = [HEAD]
    for line in rows(bundle, floors, data, console):
        console.print(line, highlight=False)
        lines.append(line)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(PAGE.format(date=datetime.now(UTC).date(), machine=machine, table="\n".join(lines)))


def rows(bundle: Path, floors: Sequence[Floor], data: Path, console: Console) -> Iterator[str]:
    """One line of the table a model and corpus."""
    name = BundleRunner.load(bundle).id
    for corpus in CORPORA:
        for title, encoder in (
            (f"**{name}**, voice", EncoderName.VOICE),
            ("its content encoder", EncoderName.CONTENT),
        ):
            figures = evaluate(bundle, data / corpus, split="test", encoder=encoder, console=console)
            yield _row(corpus, title, figures, f"{figures['eer']:.2f}")
        for floor in floors:
            figures = floor.compare(data / corpus, split="test", speakers=30, seed=0, console=console)
            yield _row(corpus, floor.name, figures, f"{figures['eer']:.2f}")
        peer = compare(data / corpus, split="test", speakers=30, seed=0, console=console)
        eers = " / ".join(f"{peer[key]:.2f}" for key in ("eer_plain", "eer", "eer_own_windows"))
        yield _row(corpus, "Resemblyzer", peer, eers)


def _row(corpus: str, model: str, figures: dict[str, Any], eer: str) -> str:
    shots = [figures["few_shot"].get(seconds) for seconds in ("10", "15", "30", "60")]
    f1 = [f"{shot['f1']:.1f} ± {shot['std']:.1f}" if shot else "–" for shot in shots]
    cllr = "–" if figures["cllr"] is None else f"{figures['cllr']:.3f}"
    return "| " + " | ".join([corpus, model, *f1, eer, f"{figures['min_dcf']:.3f}", cllr]) + " |"
