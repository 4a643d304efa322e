"""How well voices are told apart: the shipped bundle beside the supervised peer, on held-out speakers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.performance.machine import Machine
from benchmarks.voice.peer import compare
from trainer.bundles.read import Bundle
from trainer.evaluate import Encoder, evaluate

CORPORA = ("librispeech", "speechocean762", "arabic_speech_commands", "nemo")

PAGE = """# Voices told apart

Measured on {date} with `{command}` on {machine.cores} cores of {machine.cpu}. Test speakers only: ours
has heard none of them. The peer is Resemblyzer (GE2E, trained with the labels of thousands of speakers).

{table}

- *F1*: contiguous 1.024 s crops from the start of each clip, k seconds a speaker labelled, logistic
  regression, macro F1 over all other crops, mean and deviation over 10 draws; 30 speakers drawn as in
  `trainer evaluate`. Words of one second hold no whole crop.
- *EER*: every pair of utterances of the split, in per cent. Ours is scored as the service scores it, centred
  with the mean of its training speakers. The peer: plain cosine / centred with the mean of the folder it is
  tested on / plain cosine of its own 1.6 s windows: three readings, since its authors fix none for crops.
- *minDCF* at a target prior of 0.01; *Cllr* in bits, for calibrated scores only. The content encoder is
  measured as if it were a voice encoder: lower F1 is better there, voices should not be heard in it.
- nemo is acted emotional speech; arabic_speech_commands are words of one second. Neither was trained on.
"""
HEAD = """| corpus (test) | model | F1 from 10 s | 15 s | 30 s | 60 s | EER | minDCF | Cllr |
|---|---|---|---|---|---|---|---|---|"""


def voice_page(
    bundle: Path, data: Path, console: Console, *, date: str, command: str, machine: Machine
) -> str:
    """docs/results/voice.md."""
    lines = [HEAD]
    for line in rows(bundle, data, console):
        console.print(line, highlight=False)
        lines.append(line)
    return PAGE.format(date=date, command=command, machine=machine, table="\n".join(lines))


def rows(bundle: Path, data: Path, console: Console) -> Iterator[str]:
    """One line of the table a model and corpus."""
    name = Bundle.load(bundle).id
    for corpus in CORPORA:
        for title, encoder in (
            (f"**{name}**, voice", Encoder.VOICE),
            ("its content encoder", Encoder.CONTENT),
        ):
            figures = evaluate(bundle, data / corpus, split="test", encoder=encoder, console=console)
            yield _row(corpus, title, figures, f"{figures['eer']:.2f}")
        peer = compare(data / corpus, split="test", speakers=30, seed=0, console=console)
        eers = " / ".join(f"{peer[key]:.2f}" for key in ("eer_plain", "eer", "eer_own_windows"))
        yield _row(corpus, "Resemblyzer", peer, eers)


def _row(corpus: str, model: str, figures: dict[str, Any], eer: str) -> str:
    shots = [figures["few_shot"].get(seconds) for seconds in ("10", "15", "30", "60")]
    f1 = [f"{shot['f1']:.1f} ± {shot['std']:.1f}" if shot else "–" for shot in shots]
    cllr = "–" if figures["cllr"] is None else f"{figures['cllr']:.3f}"
    return "| " + " | ".join([corpus, model, *f1, eer, f"{figures['min_dcf']:.3f}", cllr]) + " |"
