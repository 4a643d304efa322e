"""The sets of recordings, each by a rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from trainer.audio.folders import Clip, DataError, read_folder
from trainer.evaluate import draw_speakers

SETS = {
    "home": "all speakers of librispeech train and speechocean762 train (the paper's LibriSpeech)",
    "elsewhere": "crowd: wake words and commands on many people's own devices (the paper's YouTube)",
    "insiders": "the speakers of speechocean762 train with the most audio, part of `home` (In-D)",
    "strangers": "the speakers of speechocean762 test with the most audio, never in `home` (OoD)",
    "test-other": "the 10 speakers of librispeech test, which are of test-other (Table III)",
    "ten": "10 speakers of speechocean762 train, drawn at random (Fig. 7)",
    "three": "the three speakers of speechocean762 test with the most audio (overfitting)",
}


def clips_of(data: Path, name: str, speakers: int) -> list[Clip]:
    """The recordings of one of `SETS`; `speakers` bounds `insiders` and `strangers`.

    Raises:
        DataError: the corpus is missing, or its metadata does not say how long its clips are.
    """
    if name == "home":
        return read_folder(data / "librispeech", "train") + read_folder(data / "speechocean762", "train")
    if name == "elsewhere":
        return read_folder(data / "crowd", "train")
    if name == "test-other":
        return read_folder(data / "librispeech", "test")
    clips = read_folder(data / "speechocean762", "train" if name in {"insiders", "ten"} else "test")
    if name == "ten":
        chosen = draw_speakers([clip.speaker for clip in clips], 10, seed=0)
    else:
        chosen = most_audio(clips, 3 if name == "three" else speakers)
    return [clip for clip in clips if clip.speaker in chosen]


def most_audio(clips: Sequence[Clip], count: int) -> list[str]:
    """The speakers with the most audio, most first."""
    total: dict[str, float] = defaultdict(float)
    for clip in clips:
        total[clip.speaker] += clip_seconds(clip)
    return sorted(total, key=lambda speaker: (-total[speaker], speaker))[:count]


def first_seconds(clips: Sequence[Clip], seconds: float) -> tuple[list[Clip], list[Clip]]:
    """Each speaker's first recordings, until they hold `seconds`, and the others."""
    first: list[Clip] = []
    others: list[Clip] = []
    total_s: dict[str, float] = defaultdict(float)
    for clip in clips:
        (first if total_s[clip.speaker] < seconds else others).append(clip)
        total_s[clip.speaker] += clip_seconds(clip)
    return first, others


def clip_seconds(clip: Clip) -> float:
    try:
        return float(clip.labels["seconds"])
    except KeyError:
        raise DataError(f"metadata.tsv of {clip.corpus} needs the column 'seconds'.") from None
