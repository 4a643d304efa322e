from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundle.arrays import Float32
from bundle.scoring import Fitted, Narrow, Scorer, Scoring
from bundle.vectors import unit
from trainer.audio.folders import Clip, read_folder
from trainer.scoring.embedding import EmbeddedClips, embed_clips
from trainer.scoring.narrow import LINES, fit_narrow, through_g711

BANDS = 32


def bands(crops: Float32) -> Float32:
    """Level and unrest of (crops, 16384) in a few bands: something of a voice, and all of a line."""
    spectra = np.log(np.abs(np.fft.rfft(crops.reshape(len(crops), -1, 512))) + 1e-3)[..., :256]
    levels = spectra.reshape(len(crops), -1, BANDS, 256 // BANDS).mean(axis=-1)
    return unit(np.concatenate([levels.mean(axis=1) + 4, levels.std(axis=1)], axis=1))


@pytest.fixture(scope="module")
def clips(examples: Path) -> list[Clip]:
    return read_folder(examples)


@pytest.fixture(scope="module")
def wide(clips: list[Clip]) -> EmbeddedClips:
    return embed_clips(clips, bands)


@pytest.fixture(scope="module")
def scorer(clips: list[Clip], wide: EmbeddedClips) -> Scorer:
    mean = wide.utterances.mean(axis=0).tolist()
    narrow = Narrow.model_validate(fit_narrow(clips, bands, mean))
    fields = Fitted(calibration=narrow.calibration, false_accept=narrow.false_accept).model_dump()
    return Scorer(
        Scoring(score_type="centred_cosine", mean=tuple(mean), narrow=narrow, fitted_on="examples", **fields)
    )


def test_what_a_line_adds_is_found(clips: list[Clip], wide: EmbeddedClips, scorer: Scorer) -> None:
    for line in LINES.values():
        narrow = embed_clips(clips, bands, condition=line).utterances
        before, after = (
            np.linalg.norm(voices - wide.utterances, axis=1).mean()
            for voices in (narrow, scorer.without_line(narrow))
        )
        assert after < 0.6 * before


def test_the_rate_asked_for_is_met_over_a_line(clips: list[Clip], scorer: Scorer) -> None:
    narrow = embed_clips(clips, bands, condition=through_g711).utterances
    voices = scorer.centred(scorer.without_line(narrow))
    names = np.array([clip.speaker for clip in clips])
    strangers = (voices @ voices.T)[names[:, None] != names[None, :]]
    accepted = np.mean(strangers >= scorer.threshold(0.1, seconds=None, narrow=True))
    assert accepted == pytest.approx(0.1, abs=0.05)


def test_a_telephone_line_ends_below_4_khz() -> None:
    samples = np.random.default_rng(0).normal(scale=0.1, size=16_000).astype(np.float32)
    power = np.abs(np.fft.rfft(through_g711(samples))) ** 2  # a bin a hertz
    assert power[4_200:].mean() < 1e-3 * power[500:3_500].mean()
