"""Which line a recording came over, told by real speech."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bundle.arrays import Float32
from bundle.bandwidth import Line, bandwidth_hz, line_of
from trainer.audio.folders import read_audio
from trainer.scoring.narrow import at_8_khz, through_g711, through_telephone_band

Through = Callable[[Float32], Float32]


def as_it_is(samples: Float32) -> Float32:
    return samples


def through_both(samples: Float32) -> Float32:
    return through_g711(through_telephone_band(samples))


@pytest.mark.parametrize(
    ("through", "line"),
    [
        (as_it_is, Line.WIDE),
        (at_8_khz, Line.NARROW),
        (through_g711, Line.NARROW),
        (through_telephone_band, Line.FILTERED),
        (through_both, Line.FILTERED),
    ],
)
def test_lines_are_told_apart(examples: Path, through: Through, line: Line) -> None:
    clips = sorted((examples / "audio").glob("*/*.opus"))[::4]
    assert len({clip.parent for clip in clips}) >= 3
    for clip in clips:
        speech = [through(read_audio(clip))]
        assert line_of(speech, bandwidth_hz(speech)) is line, clip.name


def test_too_little_speech_is_no_narrow_line() -> None:
    assert line_of([], bandwidth_hz([])) is Line.WIDE
