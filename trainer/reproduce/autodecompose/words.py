"""Section V-D: words from content, voice and mel features, by speakers new to the classifier."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES
from trainer.audio.folders import Clip, fill_crop, read_audio, read_folder
from trainer.bundles.runner import BundleRunner
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.features import FEATURES, frame_encoder
from trainer.reproduce.autodecompose.settings import OBJECTIVES, UNTRAINED
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns
from trainer.scoring.embedding import CropEncoder

CORPUS = "arabic_speech_commands"
SOURCE = "home"
STRETCHES = 8  # of a word's 1.024 s; the mean of each keeps the order of its sounds
CLIPS_AT_ONCE = 256


def words(runs: AutodecomposeRuns, bundle: Path) -> str:
    """`bundle`: the shipped model, measured beside the paper's kinds."""
    rows = []
    for objective in (*OBJECTIVES, UNTRAINED):
        for which in FEATURES:
            figures = runs.figures(f"words/{objective}-{which}", partial(_compute, runs, objective, which))
            rows.append([objective, which, f"{figures['accuracy']:.1f}"])
    shipped = BundleRunner.load(bundle, threads=1)
    name = f"words/{shipped.id.replace('/', '-')}"
    figures = runs.figures(name, lambda: _accuracy(runs, shipped.content))
    rows.append([f"{shipped.id}, shipped", "E_c", f"{figures['accuracy']:.1f}"])
    return "\n\n".join(
        [
            "## Words",
            f"The {figures['words']} words of {CORPUS}, one recording each of about a second. Frames are "
            f"averaged over {STRETCHES} stretches of time. Logistic regression learns {figures['train']} "
            f"words by the train speakers. Accuracy in % is on {figures['test']} words by other speakers. "
            "The encoders were trained on English. The paper shows only maps for this (Fig. 11).",
            table(["objective", "features", "accuracy"], rows),
        ]
    )


def word_clips(runs: AutodecomposeRuns, split: str) -> list[Clip]:
    return [clip for clip in read_folder(runs.data / CORPUS, split) if "word" in clip.labels]


def word_features(encode: CropEncoder, clips: list[Clip]) -> Float32:
    """(clips, STRETCHES · width) of what `encode` makes of crops, frames (n, 64, width).

    A recording that is shorter than a crop is repeated to fill it.
    """
    parts = []
    for start in range(0, len(clips), CLIPS_AT_ONCE):
        some = clips[start : start + CLIPS_AT_ONCE]
        frames = encode(np.stack([fill_crop(read_audio(clip.path))[:CROP_SAMPLES] for clip in some]))
        stretches = frames.reshape(len(some), STRETCHES, -1, frames.shape[-1]).mean(axis=2)
        parts.append(stretches.reshape(len(some), -1))
    return np.concatenate(parts)


def _compute(runs: AutodecomposeRuns, objective: str, which: str) -> dict[str, Any]:
    return _accuracy(runs, frame_encoder(runs.trained_on(objective, SOURCE), which))


def _accuracy(runs: AutodecomposeRuns, encode: CropEncoder) -> dict[str, Any]:
    train, test = word_clips(runs, "train"), word_clips(runs, "test")
    x, y = (word_features(encode, clips) for clips in (train, test))
    scaler = StandardScaler().fit(x)
    with threadpool_limits(1):
        # A thousand features and few speakers: a strong penalty generalises, and converges soon.
        classifier = LogisticRegression(C=0.01, max_iter=1000)
        classifier.fit(scaler.transform(x), [clip.labels["word"] for clip in train])
        right = classifier.predict(scaler.transform(y)) == [clip.labels["word"] for clip in test]
    return {
        "accuracy": 100 * float(np.mean(right)),
        "words": len(classifier.classes_),
        "train": len(train),
        "test": len(test),
    }
