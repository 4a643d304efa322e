"""The generator that is shipped says what it is asked for, as far as its own classifier can tell."""

from __future__ import annotations

import numpy as np
import pytest

from bundle.generator import GeneratorBundle
from service.generation import Generator
from service.inference import OnnxSession
from service.metrics import Metrics
from tests.service.conftest import newest_shipped

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SEEDS = range(6)


@pytest.fixture(scope="module")
def bundle() -> GeneratorBundle:
    return GeneratorBundle.load(newest_shipped("gaae"))


def test_it_is_small_and_makes_the_ten_digits(bundle: GeneratorBundle) -> None:
    assert list(bundle.labels) == DIGITS
    assert sum(path.stat().st_size for path in bundle.path.iterdir()) < 40 * 2**20


def test_its_classifier_takes_most_clips_for_their_label(bundle: GeneratorBundle) -> None:
    generator = Generator(bundle, threads=1, observer=Metrics())
    classifier = OnnxSession(bundle, "classifier", 1)
    clips = np.stack([generator.clip(label, seed) for label in DIGITS for seed in SEEDS])
    assert np.isfinite(clips).all()
    assert len({clip.tobytes() for clip in clips}) == len(clips)
    named = classifier.run("logits", waveform=clips).argmax(axis=1)
    wanted = np.repeat(np.arange(len(DIGITS)), len(SEEDS))
    assert (named == wanted).mean() > 0.5
