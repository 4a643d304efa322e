"""The fit of `scoring.narrow`: what a telephone line does to voices, and to scores of probes from one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from rich.progress import Progress

from bundle.arrays import Float32
from bundle.audio import SAMPLE_RATE_HZ
from bundle.vectors import unit
from trainer.audio.folders import Clip
from trainer.scoring.by_seconds import fit_by_seconds
from trainer.scoring.calibration import fit_scoring
from trainer.scoring.embedding import CropEncoder, embed_clips

CLIPS = 8  # of a speaker, at most
_LINE_HZ = 8_000
_BAND_HZ = 300, 3400  # ITU-T G.712
_MU = 255.0  # of G.711


def fit_narrow(
    clips: Sequence[Clip],
    encode: CropEncoder,
    mean: Sequence[float],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Embeds labelled train clips as recorded and over a line, and fits on the line's pairs alone.

    Two narrow recordings have more in common than a narrow and a wide one. So where the enrolment was wide,
    the thresholds refuse more owners than they would have to, and accept fewer strangers.

    Args:
        mean: (dim,) of `scoring`.
        progress: shows a bar.

    Returns:
        `scoring.narrow` of bundle.json.

    Raises:
        DataError: none of the clips can be read.
        ScoringError: no pair of one speaker, or fewer than 50 pairs of two.
    """
    chosen = _of_each(clips)
    passes = 1 + len(LINES)
    task = progress.add_task("narrow lines", total=passes * len(chosen), losses="") if progress else None

    def on_clip() -> None:
        if progress is not None and task is not None:
            progress.advance(task)

    wide = embed_clips(chosen, encode, on_clip=on_clip).crops
    lines = [embed_clips(chosen, encode, on_clip=on_clip, condition=line) for line in LINES.values()]
    shift = np.mean([line.crops.mean(axis=0, dtype=np.float64) for line in lines], axis=0) - wide.mean(
        axis=0, dtype=np.float64
    )
    crops = unit(np.concatenate([line.crops for line in lines]) - shift)
    starts = np.cumsum([0, *(len(line.clips) for line in lines)])
    crop_clip = np.concatenate([line.crop_clip + start for line, start in zip(lines, starts, strict=False)])
    # Only recordings of the same corpus and line are compared: these are the ones that are most alike.
    groups = [f"{clip.corpus}/{name}" for name, line in zip(LINES, lines, strict=True) for clip in line.clips]
    speakers = [clip.speaker for line in lines for clip in line.clips]
    fitted = fit_scoring(*_pooled(crops, crop_clip, speakers, groups), mean=mean)
    return {
        "shift": [float(f"{value:.8g}") for value in shift],
        "calibration": fitted["calibration"],
        "false_accept": fitted["false_accept"],
        "by_seconds": fit_by_seconds(crops, crop_clip, speakers, groups, mean),
    }


def at_8_khz(samples: Float32, _: int = 0) -> Float32:
    """A recording (n,) at 16 kHz that was at 8 kHz in between."""
    return _widened(soxr.resample(samples, SAMPLE_RATE_HZ, _LINE_HZ), samples.size)


def through_g711(samples: Float32, _: int = 0) -> Float32:
    """A recording (n,) at 16 kHz over a telephone line: 8 kHz and G.711 mu-law."""
    line = soxr.resample(samples, SAMPLE_RATE_HZ, _LINE_HZ)
    peak = max(float(np.abs(line).max(initial=0.0)), 1.0)
    compressed = np.sign(line) * np.log1p(_MU * np.abs(line / peak)) / np.log1p(_MU)
    received = np.round(compressed * 127) / 127
    expanded = peak * np.sign(received) * np.expm1(np.abs(received) * np.log1p(_MU)) / _MU
    return _widened(expanded.astype(np.float32), samples.size)


def through_telephone_band(samples: Float32, _: int = 0) -> Float32:
    """A recording (n,) at 16 kHz without what a telephone leaves out: below 300 and above 3400 Hz."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE_HZ)
    spectrum[(hertz < _BAND_HZ[0]) | (hertz > _BAND_HZ[1])] = 0
    return np.asarray(np.fft.irfft(spectrum, samples.size), np.float32)


#: Not `through_telephone_band`: its pairs are so alike that the others' owners would be refused for them.
LINES = {"8 kHz": at_8_khz, "G.711": through_g711}


def _widened(line: Float32, size: int) -> Float32:
    return np.asarray(np.resize(soxr.resample(line, _LINE_HZ, SAMPLE_RATE_HZ), size), np.float32)


def _of_each(clips: Sequence[Clip]) -> list[Clip]:
    """The first clips of each speaker who is known."""
    by_speaker: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.speaker:
            by_speaker[clip.corpus, clip.speaker].append(clip)
    return [clip for of_speaker in by_speaker.values() for clip in of_speaker[:CLIPS]]


def _pooled(
    crops: Float32, crop_clip: NDArray[np.intp], speakers: Sequence[str], groups: Sequence[str]
) -> tuple[Float32, list[str], int, list[str]]:
    """Clips that have a whole crop, as `fit_scoring` takes them: embeddings, speakers, seed, groups."""
    clips, starts = np.unique(crop_clip, return_index=True)
    pooled = unit(np.add.reduceat(crops, starts, axis=0))
    return pooled, [speakers[i] for i in clips], 0, [groups[i] for i in clips]
