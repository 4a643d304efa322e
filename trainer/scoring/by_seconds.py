"""The fit of `scoring.by_seconds`: calibration and thresholds by how much of the probe was heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import centre
from bundle.vectors import unit
from trainer.scoring.calibration import fit_calibration, fit_false_accept

PROBES_S = (1.0, 2.0, 4.0, 8.0)
ENROL_S = 10.0
MIN_SPEAKERS = 40  # of a corpus: their 1560 pairs of two voices are a table that goes below 1 %


def fit_by_seconds(
    crops: ArrayLike,
    crop_clip: NDArray[np.intp],
    speakers: Sequence[str],
    groups: Sequence[str],
    mean: ArrayLike,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Fits each length of probe on its own, against voices enrolled with about `ENROL_S`.

    A speaker's first recordings enrol, until they hold `ENROL_S` or half of what there is; a probe is any so
    many consecutive crops of the others. Speakers whose others hold less than the longest probe take no part,
    so that every length is of the same speakers.

    Args:
        crops: (crops, dim) unit embeddings, in the order of the clips.
        crop_clip: (crops,) which clip each is of, ascending.
        speakers: who speaks in each clip; "" where unknown.
        groups: which corpus each clip is from; a group of fewer than `MIN_SPEAKERS` is left out.
        mean: (dim,) of `scoring`.
        seed: of the draw of calibration pairs where there are more than a million of a kind.

    Returns:
        An entry a length, shortest first; none where there is no group to fit on.
    """
    vectors = np.asarray(crops, np.float32)
    names = np.asarray(speakers)[crop_clip]  # (crops,)
    fitted_on = []
    for group in sorted(set(groups)):
        inside = (np.asarray(groups)[crop_clip] == group) & (names != "")
        halves = [_enrol(vectors[rows], crop_clip[rows]) for rows in _by_name(names, inside)]
        enough = [(enrolled, rest) for enrolled, rest in halves if len(rest) >= _crops(PROBES_S[-1])]
        if len(enough) >= MIN_SPEAKERS:
            fitted_on.append(enough)
    if not fitted_on:
        return []
    entries = []
    for seconds in PROBES_S:
        pairs = [_trials(voices, _crops(seconds), mean) for voices in fitted_on]
        target, nontarget = (np.concatenate(kind) for kind in zip(*pairs, strict=True))
        entries.append(
            {
                "seconds": seconds,
                "calibration": fit_calibration(target, nontarget, np.random.default_rng(seed)),
                "false_accept": fit_false_accept(nontarget),
            }
        )
    return entries


def _crops(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ / CROP_SAMPLES)


def _by_name(names: NDArray[np.str_], inside: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """The crops of each speaker who has some inside."""
    return [np.flatnonzero(inside & (names == name)) for name in np.unique(names[inside])]


def _enrol(crops: Float32, recordings: NDArray[np.intp]) -> tuple[Float32, Float32]:
    """A speaker's crops → those of the recordings that enrol, those of the others."""
    before = np.searchsorted(recordings, recordings)  # (crops,) crops ahead of each one's recording
    enrols = before < min(_crops(ENROL_S), len(crops) / 2)
    return crops[enrols], crops[~enrols]


def _trials(
    voices: Sequence[tuple[Float32, Float32]], n_crops: int, mean: ArrayLike
) -> tuple[Float32, Float32]:
    """Scores of every probe of `n_crops` against every voice: the speaker's own, and the others'."""
    prints = centre(unit(np.stack([enrolled.sum(axis=0) for enrolled, _ in voices])), mean)  # (voices, dim)
    probes = [sliding_window_view(rest, n_crops, axis=0).sum(axis=-1) for _, rest in voices]
    speaker = np.repeat(np.arange(len(voices)), [len(windows) for windows in probes])  # (probes,)
    scores = centre(unit(np.concatenate(probes)), mean) @ prints.T  # (probes, voices)
    same = speaker[:, None] == np.arange(len(voices))
    return scores[same], scores[~same]
