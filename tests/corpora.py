"""Speech for tests: the recordings of examples/, and small corpora cut from them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

EXAMPLES = Path(__file__).parents[1] / "examples"
RATE_HZ = 16_000
STEP_S = 0.15  # between the starts of two cuts: no two cuts are the same
COLUMNS = ("path", "speaker", "split", "gender", "age", "word", "emotion")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = (*DIGITS, "backward", "bed", "cancel", "close")
EMOTIONS = ("anger", "fear", "happiness", "neutral", "sadness", "surprise")
TAKES = 3


def write_stand_ins(folder: Path) -> None:
    """Writes `arabic_speech_commands`, `speechocean762` and `nemo` with the columns of the real ones.

    The speech is real, every label is made up. Each long recording of examples/ stands for a speaker.
    """
    _write(folder / "arabic_speech_commands", 1.0, [{"word": word} for word in WORDS])
    _write(folder / "speechocean762", 3.5, [{}] * 4, children=True)
    _write(folder / "nemo", 2.0, [{"emotion": emotion} for emotion in EMOTIONS])


def _long_recordings() -> list[np.ndarray]:
    """The twelve recordings of 8 to 12 s."""
    with (EXAMPLES / "metadata.tsv").open(newline="", encoding="utf-8") as table:
        paths = [row["path"] for row in csv.DictReader(table, delimiter="\t") if float(row["seconds"]) > 8]
    return [soundfile.read(EXAMPLES / path, dtype="float32")[0] for path in paths]


def _cuts(samples: np.ndarray, seconds: float) -> Iterator[np.ndarray]:
    length, fade = round(seconds * RATE_HZ), np.linspace(0, 1, RATE_HZ // 100, dtype=np.float32)
    envelope = np.concatenate([fade, np.ones(length - 2 * len(fade), np.float32), fade[::-1]])
    for start in range(0, len(samples) - length, round(STEP_S * RATE_HZ)):
        yield samples[start : start + length] * envelope


def _write(folder: Path, seconds: float, labels: list[dict[str, str]], *, children: bool = False) -> None:
    """`TAKES` cuts of each label by each speaker. Of six in a split two are men; two may be children."""
    rows: list[dict[str, str]] = []
    people = product(("train", "test"), (("f", 24), ("m", 31), ("f", 8 if children else 42)), range(2))
    for number, ((split, (gender, age), _), samples) in enumerate(
        zip(people, _long_recordings(), strict=True), start=1
    ):
        speaker = f"{number:08d}"
        (folder / "audio" / speaker).mkdir(parents=True)
        cuts = _cuts(samples, seconds)
        for _, label in product(range(TAKES), labels):
            path = f"audio/{speaker}/{len(rows):05d}.flac"
            soundfile.write(folder / path, next(cuts), RATE_HZ)
            rows.append(
                {"path": path, "speaker": speaker, "split": split, "gender": gender, "age": str(age)} | label
            )
    with (folder / "metadata.tsv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, COLUMNS, delimiter="\t", restval="")
        writer.writeheader()
        writer.writerows(rows)
