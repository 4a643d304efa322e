"""Does a running service generate what it is asked for? The classifier of real audio hears its clips."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from bundle.arrays import Float32
from service.api.generate import MOST_CLIPS
from service.client.http import ServiceClient
from trainer.audio.folders import read_folder
from trainer.gaae.data import one_second
from trainer.gaae.sheet import draw_sheet
from trainer.pages.blocks import table
from trainer.reproduce.gaae.judge import Judge

Clips = dict[str, Float32]  # by label: (clips, 16000)
TakenFor = dict[str, Counter[str]]  # by label, how often its clips were taken for which
SHEET_ROWS = 4


def style_recordings(folder: Path, count: int) -> list[Path]:
    """Drawn from a folder's split `test`: the same ones again.

    Raises:
        DataError: the folder has no such split.
    """
    clips = read_folder(folder, "test")
    return [clips[i].path for i in np.random.default_rng(0).permutation(len(clips))[:count]]


def ask_in_styles(client: ServiceClient, styles: Sequence[Path]) -> Clips:
    """A clip of each label in each style.

    Raises:
        ClientError: the service refused, or could not be reached.
    """

    def clip(label: str, style: Path) -> Float32:
        answer = client.send("/generate", [style], file_field="style", label=label, seed=0)
        return _decoded(answer["clips"][0])

    labels = client.get("/generate/labels")["labels"]
    return {label: np.stack([clip(label, style) for style in styles]) for label in labels}


def ask(client: ServiceClient, per_label: int) -> Clips:
    """`per_label` clips of each label, each of a seed of its own from 0 on.

    Raises:
        ClientError: the service refused, or could not be reached.
    """
    labels = client.get("/generate/labels")["labels"]
    return {
        label: _clips(client, label, range(index * per_label, (index + 1) * per_label))
        for index, label in enumerate(labels)
    }


def _clips(client: ServiceClient, label: str, seeds: range) -> Float32:
    found = []
    for first in seeds[::MOST_CLIPS]:
        n = min(MOST_CLIPS, seeds.stop - first)
        answer = client.send("/generate", [], label=label, seed=first, n=n)
        found += [_decoded(clip) for clip in answer["clips"]]
    return np.stack(found)


def _decoded(clip: Any) -> Float32:
    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(clip["audio"])), dtype="float32")
    return one_second(samples)


def judged(clips: Clips, judge: Judge) -> TakenFor:
    """
    Raises:
        ValueError: there are labels that the judge does not know.
    """
    unknown = set(clips) - set(judge.labels)
    if unknown:
        raise ValueError(
            f"The classifier knows {', '.join(judge.labels)}, but the service generates "
            f"{', '.join(sorted(unknown))} too: give the --judge of its labels."
        )
    best = {label: judge.of_audio(torch.from_numpy(own)).argmax(dim=1) for label, own in clips.items()}
    return {label: Counter(judge.labels[y] for y in own.tolist()) for label, own in best.items()}


def draw_clips(clips: Clips, judge: Judge, path: Path) -> None:
    """A picture of the first clips of each label, as the judge hears them: a column a label."""
    heard = [judge.spectrogram(torch.from_numpy(own[:SHEET_ROWS])) for own in clips.values()]
    top_khz = judge.spectrogram.settings.sample_rate_hz / 2000
    draw_sheet(torch.stack(heard, dim=1), list(clips), f"one second each, 0 to {top_khz:g} kHz", path)


def report(found: TakenFor) -> str:
    """A Markdown table: recognised clips of each label and of all, and what the others were taken for."""
    rows = []
    for label, taken in found.items():
        others = ", ".join(f"{name} {count}" for name, count in taken.most_common() if name != label)
        rows.append([label, *_counted(taken[label], taken.total()), others or "–"])
    rows.append(["all", *_of_all(found), ""])
    return table(["label", "clips", "recognised", "%", "others taken for"], rows)


def report_styles(found: Mapping[str, TakenFor]) -> str:
    """The same of all labels together, a row a source of styles."""
    rows = [[source, *_of_all(taken)] for source, taken in found.items()]
    return table(["style", "clips", "recognised", "%"], rows)


def _of_all(found: TakenFor) -> list[str]:
    right = sum(taken[label] for label, taken in found.items())
    return _counted(right, sum(taken.total() for taken in found.values()))


def _counted(right: int, clips: int) -> list[str]:
    return [f"{clips}", f"{right}", f"{100 * right / clips:.1f}"]
