"""The SNR estimate against real speech mixed with real noise at known ratios."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from service.audio import Region, SpeechDetector, estimate_snr_db
from tests.service.signals import RATE, noise, tone


def recordings(corpus: Path, **wanted: str) -> Iterator[Float32]:
    """The corpus's recordings with these values in its table."""
    with (corpus / "metadata.tsv").open(newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            if all(row[key] == value for key, value in wanted.items()):
                yield soundfile.read(corpus / row["path"], dtype="float32")[0]


@pytest.mark.parametrize("kind", ["rain", "helicopter", "sea_waves"])
def test_follows_known_ratios(kind: str, speech_data: Path, detector: SpeechDetector) -> None:
    background = next(recordings(speech_data / "noise", kind=kind))
    # every recording has some noise of its own, which counts too: take one with next to none
    voice, regions = next(
        (voice, regions)
        for voice in recordings(speech_data / "librispeech", split="train")
        for regions in [detector.find(voice)]
        if (estimate_snr_db(voice, regions) or 0) > 35
    )
    background = np.resize(background, len(voice))
    inside = np.concatenate([voice[round(r.start_s * RATE) : round(r.end_s * RATE)] for r in regions])
    gain = np.sqrt(np.square(inside).mean() / np.square(background).mean())

    truth = [25, 20, 15, 10, 5, 0]
    estimates = []
    for snr_db in truth:
        mixed = voice + background * gain * 10 ** (-snr_db / 20)
        estimates.append(estimate_snr_db(mixed, detector.find(mixed)) or np.nan)
    assert estimates == sorted(estimates, reverse=True)
    np.testing.assert_allclose(estimates[:-1], truth[:-1], atol=2.0)  # at 0 dB the detector misses speech


def test_without_background_uses_the_quietest_frames() -> None:
    samples = noise(2) / np.float32(10)
    samples[RATE:] += tone(1)
    whole = [Region(0.0, 2.0)]
    expected = 10 * np.log10(np.square(samples).mean() / np.square(samples[:RATE]).mean() - 1)
    assert estimate_snr_db(samples, whole) == pytest.approx(expected, abs=1.0)


def test_ends_of_the_scale() -> None:
    samples = np.concatenate([tone(1), np.zeros(RATE, np.float32)])
    assert estimate_snr_db(samples, [Region(0.0, 1.0)]) == pytest.approx(60.0)
    assert estimate_snr_db(samples[::-1], [Region(0.0, 1.0)]) == pytest.approx(-10.0)
    assert estimate_snr_db(np.zeros(SAMPLE_RATE_HZ, np.float32), [Region(0.0, 0.5)]) == pytest.approx(-10.0)


def test_none_without_speech() -> None:
    assert estimate_snr_db(noise(), []) is None


def test_a_click_between_two_sentences_is_no_loud_background() -> None:
    """A mean would read 10 dB here: a click of 20 ms as loud as the voice, in 2 s of silence."""
    samples = np.concatenate([tone(1), np.full(2 * RATE, 0.001, np.float32), tone(1)])
    samples[2 * RATE : 2 * RATE + 320] = 1.0
    assert (estimate_snr_db(samples, [Region(0.0, 1.0), Region(3.0, 4.0)]) or 0) > 40
