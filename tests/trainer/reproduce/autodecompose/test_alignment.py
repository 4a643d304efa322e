from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from trainer.audio.folders import read_audio, read_folder
from trainer.reproduce.autodecompose.alignment import Aligner, PhoneSegment
from trainer.reproduce.autodecompose.phonemes import phones_at

pytest.importorskip("pocketsphinx", reason="alignment needs the `train` extra")

# The pronunciation of the transcript below; "to" and "elephant" have more than one.
SPOKEN = "M AA R K IH Z G OW IH NG T"


def test_a_real_recording_gives_its_phones_in_order(speech_data: Path) -> None:
    clips = read_folder(speech_data / "speechocean762", "test")
    clip = next(clip for clip in clips if clip.labels["text"] == "mark is going to see elephant")
    samples = read_audio(clip.path)
    aligner = Aligner()
    segments = aligner.align(samples, clip.labels["text"])
    assert segments is not None
    assert [s.phone for s in segments if s.phone != "SIL"][:11] == SPOKEN.split()
    assert segments[0].start_s == 0
    for before, after in pairwise(segments):
        assert before.start_s < before.end_s
        assert before.end_s == pytest.approx(after.start_s)
    assert segments[-1].end_s <= samples.size / 16_000 + 0.01
    # Where the aligner hears speech, the recording is louder than where it hears silence.
    loud, quiet = (
        np.concatenate(
            [samples[round(16_000 * s.start_s) : round(16_000 * s.end_s)] for s in segments if wanted(s)]
        )
        for wanted in (lambda s: s.phone != "SIL", lambda s: s.phone == "SIL")
    )
    assert np.mean(loud**2) > 10 * np.mean(quiet**2)

    assert aligner.align(samples, "zzyzzyx is no word") is None
    assert aligner.align(samples, clip.labels["text"]) == segments  # a refusal leaves nothing behind


def test_frames_take_the_phone_at_their_middle() -> None:
    segments = [PhoneSegment("SIL", 0.0, 0.02), PhoneSegment("AA", 0.02, 0.05), PhoneSegment("K", 0.05, 0.06)]
    # Middles at 8, 24, 40, 56 and 72 ms.
    assert phones_at(segments, 5).tolist() == ["SIL", "AA", "AA", "K", "SIL"]
