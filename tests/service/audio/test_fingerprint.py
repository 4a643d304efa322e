"""Fingerprints of real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bundle.arrays import Float32
from service.audio.fingerprint import fingerprint, same_sound, sparse
from trainer.audio.folders import read_audio

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def speech(examples: Path) -> Float32:
    """Fifteen seconds of one reader."""
    paths = sorted((examples / "audio" / "1998").glob("*.opus"))
    return np.concatenate([read_audio(path) for path in paths])[: 15 * RATE_HZ]


def test_a_part_is_found_in_the_whole_and_the_whole_by_its_part(speech: Float32) -> None:
    whole, part = fingerprint(speech), fingerprint(0.1 * speech[5 * RATE_HZ + 777 : 9 * RATE_HZ])
    inside = same_sound(sparse(whole), part)
    assert inside is not None
    assert inside.share > 0.9
    outside = same_sound(sparse(part), whole)
    assert outside is not None
    assert (outside.start_s, outside.end_s) == pytest.approx((5.05, 9.0), abs=0.6)
    assert 0.15 < outside.share < 0.35


def test_other_speech_of_the_same_person_is_other_sound(speech: Float32) -> None:
    first, second = fingerprint(speech[: 7 * RATE_HZ]), fingerprint(speech[7 * RATE_HZ :])
    assert same_sound(sparse(first), second) is None
    assert same_sound(sparse(first), first, least_shift_s=1.0) is None


def test_silence_and_short_sound_are_nothing() -> None:
    for samples in (np.zeros(0), np.zeros(100), np.zeros(5 * RATE_HZ), np.ones(RATE_HZ // 2)):
        silent = fingerprint(samples.astype(np.float32))
        assert same_sound(sparse(silent), silent) is None
