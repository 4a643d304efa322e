"""From embedded windows to voices and the segments in which they speak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32, Float64
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.scoring import Scorer
from bundle.vectors import unit
from service.diarization.clustering import Hints, LikelihoodRatio, agglomerate, in_order
from service.diarization.condition import without_condition
from service.diarization.resegmentation import TurnTaking, likeliest_path
from service.diarization.windows import Windows

_WINDOW_S = CROP_SAMPLES / SAMPLE_RATE_HZ
_PIECE_S = 2.0  # of speech that clustering begins with
_PIECES_AT_ONCE = 2000  # that are clustered together
_PRIOR = 0.5  # that two pieces are one voice
_LEAST_VOICE_S = 2.0  # a voice with less speech joins the one it resembles most
_PASSES = 2  # of resegmentation
_NEAR_CHANGE_S = 0.5  # from a change of voice to the middle of a window that may hold both
_UNLIKE = 0.75  # standard deviations below the usual score of a voice
_NORMAL_MAD = 1.4826  # standard deviation over median absolute deviation, of a normal distribution


@dataclass(frozen=True)
class Segment:
    """A stretch of speech of one voice."""

    start_s: float
    end_s: float
    voice: int  # its number among the voices
    overlap: bool  # whether a second voice may be heard, too


@dataclass(frozen=True, eq=False)
class Voice:
    """Somebody who speaks in the recording."""

    embedding: Float32  # (dim,) unit length, as `bundle.vectors.pool_utterance` of its windows
    speech_s: float


@dataclass(frozen=True, eq=False)
class Diarization:
    """Voices in the order of their first words, and the segments in the order of time."""

    voices: tuple[Voice, ...]
    segments: tuple[Segment, ...]
    labels: NDArray[np.intp]  # (windows,) number of the voice of each


def diarize(windows: Windows, embeddings: Float32, scorer: Scorer, hints: Hints) -> Diarization:
    """Finds the voices of a recording. Blocks: some seconds for an hour of speech.

    Args:
        windows: of the whole recording, at least one.
        embeddings: (windows, dim) unit voices as the encoder gives them.
        hints: what is known of the number of voices.
    """
    ratio = LikelihoodRatio(scorer)
    seconds = windows.seconds
    vectors = without_condition(scorer.centred(embeddings), windows, scorer)
    directions = unit(vectors)
    pieces = _pieces(windows)
    labels = _clusters(_pooled(vectors, seconds, pieces), _lengths(seconds, pieces), ratio, hints)[pieces]
    labels = _without_short(labels, vectors, seconds, hints)
    for _ in range(_PASSES):
        scores = np.asarray(directions @ _pooled(vectors, seconds, labels).T, np.float64)
        evidence = ratio(scores, _WINDOW_S, _lengths(seconds, labels))  # (windows, voices)
        # Windows overlap: each adds what its own share of speech is worth.
        weighted = evidence * (seconds / _WINDOW_S)[:, None]
        path = likeliest_path(weighted, seconds, windows.regions, TurnTaking())
        if len(np.unique(path)) < hints.least:
            break
        labels = in_order(path)
    voices = tuple(
        Voice(
            unit(np.average(embeddings[labels == k], axis=0, weights=seconds[labels == k])),
            float(seconds[labels == k].sum()),
        )
        for k in range(int(labels.max()) + 1)
    )
    centres = _pooled(vectors, seconds, labels)
    scores = np.asarray((directions * centres[labels]).sum(axis=1), np.float64)
    return Diarization(voices, tuple(_segments(windows, labels, _overlaps(scores, windows, labels))), labels)


def _clusters(vectors: Float32, seconds: Float64, ratio: LikelihoodRatio, hints: Hints) -> NDArray[np.intp]:
    """(pieces,) cluster of each. Above about an hour of speech, hours are clustered first, then their voices.

    Clustering takes memory for each pair.
    """
    hours = -(-len(vectors) // _PIECES_AT_ONCE)
    if hours == 1:
        return agglomerate(vectors, seconds, ratio, prior=_PRIOR, hints=hints)
    labels = np.empty(len(vectors), np.intp)
    following = 0
    for part in np.array_split(np.arange(len(vectors)), hours):
        clusters = agglomerate(vectors[part], seconds[part], ratio, prior=_PRIOR, hints=Hints())
        labels[part] = following + clusters
        following += int(clusters.max()) + 1
    voices = agglomerate(
        _pooled(vectors, seconds, labels), _lengths(seconds, labels), ratio, prior=_PRIOR, hints=hints
    )
    return voices[labels]


def _pieces(windows: Windows) -> NDArray[np.intp]:
    """(windows,) number of the piece of at most about 2 s that each window lies in."""
    numbers = np.zeros(len(windows), np.intp)
    following = 0
    for region in np.unique(windows.regions):
        inside = np.flatnonzero(windows.regions == region)
        start, end = windows.spans[inside[0], 0], windows.spans[inside[-1], 1]
        count = max(1, int(np.ceil((end - start) / _PIECE_S)))
        middles = windows.spans[inside].mean(axis=1)
        numbers[inside] = following + np.minimum((middles - start) / (end - start) * count, count - 1)
        following += count
    return in_order(numbers)


def _lengths(seconds: Float64, labels: NDArray[np.intp]) -> Float64:
    """(labels,) seconds of the windows of each."""
    return np.asarray(np.bincount(labels, seconds), np.float64)


def _pooled(vectors: Float32, seconds: Float64, labels: NDArray[np.intp]) -> Float32:
    """(labels, dim) unit means of windows, weighted by their seconds."""
    sums = np.zeros((int(labels.max()) + 1, vectors.shape[1]))
    np.add.at(sums, labels, vectors * seconds[:, None])
    return unit(sums)


def _without_short(
    labels: NDArray[np.intp], vectors: Float32, seconds: Float64, hints: Hints
) -> NDArray[np.intp]:
    """Voices with little speech join the one that they resemble most, unless that leaves too few."""
    lengths = _lengths(seconds, labels)
    long = np.flatnonzero(lengths >= _LEAST_VOICE_S)
    if not max(hints.least, 1) <= len(long) < len(lengths):
        return labels
    centres = _pooled(vectors, seconds, labels)
    target = long[np.argmax(centres @ centres[long].T, axis=1)]
    target[long] = long
    return in_order(target[labels])


def _overlaps(scores: Float64, windows: Windows, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(windows,) whether two people may speak at once, by the scores (windows,) against the own voice.

    That is where one follows another without a pause, and the windows are less like the voice than usual.
    """
    marks = np.zeros(len(labels), np.bool_)
    changes = np.flatnonzero((np.diff(labels) != 0) & (np.diff(windows.regions) == 0)) + 1
    if not len(changes):
        return marks
    away_s = np.abs(windows.spans.mean(axis=1)[:, None] - windows.spans[changes, 0]).min(axis=1)
    for voice in np.unique(labels):
        inside = labels == voice
        usual = np.median(scores[inside])
        deviation = _NORMAL_MAD * np.median(np.abs(scores[inside] - usual))
        marks[inside] = scores[inside] < usual - _UNLIKE * deviation
    return np.asarray(marks & (away_s < _NEAR_CHANGE_S))


def _segments(windows: Windows, labels: NDArray[np.intp], overlaps: NDArray[np.bool_]) -> list[Segment]:
    segments: list[Segment] = []
    last_region = -1
    for (start, end), region, voice, overlap in zip(
        windows.spans, windows.regions, labels, overlaps, strict=True
    ):
        last = segments[-1] if segments else None
        if last and region == last_region and (last.voice, last.overlap) == (voice, overlap):
            segments[-1] = Segment(last.start_s, float(end), last.voice, last.overlap)
        else:
            segments.append(Segment(float(start), float(end), int(voice), bool(overlap)))
        last_region = region
    return segments
