"""Does a running service generate what it is asked for? A classifier of real audio names its clips."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile
import torch

from bundle.arrays import Float32
from service.api.generate import MOST_CLIPS
from service.client import Client
from trainer.audio.folders import read_folder
from trainer.gaae.data import one_second
from trainer.gaae.sheet import draw_sheet
from trainer.pages.blocks import table, write_block
from trainer.reproduce.gaae.judge import Judge

Clips = dict[str, Float32]  # by label: (clips, 16000)
Answers = dict[str, Counter[str]]  # by label, how often its clips were given each name
SHEET_ROWS = 4


def generated_report(
    url: str,
    key: str | None,
    *,
    judge_path: Path,
    per_label: int,
    styles: Sequence[Path] = (),
    page: Path | None = None,
) -> str:
    """Tables of how many clips the classifier recognises as their label.

    Args:
        key: the service's API key, if it has one.
        judge_path: checkpoint of the classifier.
        per_label: clips of each label.
        styles: folders of speech; clips are also made in the styles of test recordings of each.
        page: gets the tables as a block, and a picture beside it.

    Raises:
        ClientError: the service refused, or could not be reached.
        DataError: a folder of `styles` cannot be read.
        ValueError: there is no classifier, or it does not know the service's labels.
    """
    if not judge_path.is_file():
        raise ValueError(
            f"{judge_path} is not there: `python -m trainer reproduce gaae --only judges` trains it."
        )
    judge = Judge.load(judge_path)
    with Client(url, key) as client:
        model = client.labels().model
        clips = request_clips(client, per_label)
        styled = {
            folder.name: request_styled_clips(client, style_recordings(folder, per_label))
            for folder in styles
        }
    answers = name_clips(clips, judge)
    text = report(answers)
    if styled:
        by_style = {name: name_clips(of_style, judge) for name, of_style in styled.items()}
        text += f"\n\n{report_styles({'none, drawn by seed': answers} | by_style)}"
    if page is not None:
        picture = page.with_suffix(".png")
        draw_clips(clips, judge, picture)
        folders = "".join(f" --styles data/{folder.name}" for folder in styles)
        command = f"python -m benchmarks generated --per-label {per_label}{folders}"
        how = f"`{command}`, {datetime.now(UTC).date()}: clips of {model} over HTTP."
        shown = f"![Clips of every label]({picture.name})"
        write_block(page, "benchmarks generated", f"{how}\n\n{text}\n\n{shown}")
    return text


def style_recordings(folder: Path, count: int) -> list[Path]:
    """Drawn from a folder's split `test`: the same ones again.

    Raises:
        DataError: the folder has no such split.
    """
    clips = read_folder(folder, "test")
    return [clips[i].path for i in np.random.default_rng(0).permutation(len(clips))[:count]]


def request_styled_clips(client: Client, styles: Sequence[Path]) -> Clips:
    """A clip of each label in each style.

    Raises:
        ClientError: the service refused, or could not be reached.
    """

    def clip(label: str, style: Path) -> Float32:
        return _decoded(client.generate(label, seed=0, style=style).clips[0].wav)

    labels = client.labels().labels
    return {label: np.stack([clip(label, style) for style in styles]) for label in labels}


def request_clips(client: Client, per_label: int) -> Clips:
    """`per_label` clips of each label, each of a seed of its own from 0 on.

    Raises:
        ClientError: the service refused, or could not be reached.
    """
    labels = client.labels().labels
    return {
        label: _clips(client, label, range(index * per_label, (index + 1) * per_label))
        for index, label in enumerate(labels)
    }


def _clips(client: Client, label: str, seeds: range) -> Float32:
    clips = []
    for first in seeds[::MOST_CLIPS]:
        n = min(MOST_CLIPS, seeds.stop - first)
        clips += [_decoded(clip.wav) for clip in client.generate(label, seed=first, n=n).clips]
    return np.stack(clips)


def _decoded(wav: bytes) -> Float32:
    samples, _ = soundfile.read(io.BytesIO(wav), dtype="float32")
    return one_second(samples)


def name_clips(clips: Clips, judge: Judge) -> Answers:
    """The classifier's names for the clips of each label.

    Raises:
        ValueError: there are labels that the classifier does not know.
    """
    unknown = set(clips) - set(judge.labels)
    if unknown:
        raise ValueError(
            f"The classifier knows {', '.join(judge.labels)}, but the service generates "
            f"{', '.join(sorted(unknown))} too: give the --judge of its labels."
        )
    named = {label: judge.of_audio(torch.from_numpy(x)).argmax(dim=1) for label, x in clips.items()}
    return {label: Counter(judge.labels[y] for y in names.tolist()) for label, names in named.items()}


def draw_clips(clips: Clips, judge: Judge, path: Path) -> None:
    """A picture of the first clips of each label, as the classifier reads them: a column a label."""
    columns = [judge.spectrogram(torch.from_numpy(x[:SHEET_ROWS])) for x in clips.values()]
    top_khz = judge.spectrogram.settings.sample_rate_hz / 2000
    draw_sheet(torch.stack(columns, dim=1), list(clips), f"one second each, 0 to {top_khz:g} kHz", path)


def report(answers: Answers) -> str:
    """A Markdown table: recognised clips of each label and of all, and the names the others were given."""
    rows = []
    for label, names in answers.items():
        others = ", ".join(f"{name} {count}" for name, count in names.most_common() if name != label)
        rows.append([label, *_counted(names[label], names.total()), others or "–"])
    rows.append(["all", *_of_all(answers), ""])
    return table(["label", "clips", "recognised", "%", "others taken for"], rows)


def report_styles(by_style: Mapping[str, Answers]) -> str:
    """The same of all labels together, a row a source of styles."""
    rows = [[style, *_of_all(answers)] for style, answers in by_style.items()]
    return table(["style", "clips", "recognised", "%"], rows)


def _of_all(answers: Answers) -> list[str]:
    right = sum(names[label] for label, names in answers.items())
    return _counted(right, sum(names.total() for names in answers.values()))


def _counted(right: int, clips: int) -> list[str]:
    return [f"{clips}", f"{right}", f"{100 * right / clips:.1f}"]
