"""Few-shot speaker classification: label k seconds a speaker, classify every other crop.

The protocol of Autodecompose's section V-C, which names it "10 sec" to "120 sec":

1. A frozen encoder embeds every crop.
2. Crops drawn at random, k seconds a speaker, are the labelled set. Its statistics standardise all features.
3. Multinomial logistic regression learns from the labelled set.
4. The score is macro F1 over all other crops: mean and standard deviation over seeded draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from bundle.arrays import Float64

CROP_S = 1.024
SECONDS = (10, 15, 30, 60, 120)


@dataclass(frozen=True)
class FewShot:
    """The result for one k."""

    f1: float  # percent, mean over the draws
    std: float  # percentage points over the draws
    runs: int
    speakers: int  # those with k seconds to label and a crop left to test on
    crops: int  # labelled crops a speaker


def labelled_crops(seconds: float) -> int:
    """How many 1.024 s crops count as `seconds` of speech, rounded: 10 s are 10 crops, 30 s are 29."""
    return max(1, round(seconds / CROP_S))


def few_shot(
    embeddings: ArrayLike,
    speakers: ArrayLike,
    *,
    seconds: Sequence[int] = SECONDS,
    draws: int = 10,
    seed: int = 0,
    on_draw: Callable[[], None] | None = None,
) -> dict[int, FewShot]:
    """Macro F1 for each k of `seconds`. A k is left out if fewer than two speakers have enough crops for it.

    Args:
        embeddings: (n_crops, dim), one row a crop.
        speakers: (n_crops,) who speaks in each crop.
        on_draw: called after each of the `len(seconds) * draws` draws, for a progress bar.

    Raises:
        ValueError: the two arrays differ in length, or an embedding is not finite.
    """
    features = np.asarray(embeddings, dtype=np.float64)  # (n_crops, dim)
    _, labels = np.unique(np.asarray(speakers), return_inverse=True)
    if features.ndim != 2 or len(features) != len(labels):
        raise ValueError(
            f"Need one speaker a row: got {features.shape} embeddings and {len(labels)} speakers."
        )
    if not np.isfinite(features).all():
        raise ValueError("An embedding is NaN or infinite.")
    counts = np.bincount(labels)

    results: dict[int, FewShot] = {}
    for k in seconds:
        shots = labelled_crops(k)
        usable = np.flatnonzero(counts > shots)
        if len(usable) < 2:
            continue
        tested = np.isin(labels, usable)
        scores = []
        for draw in range(draws):
            rng = np.random.default_rng([seed, k, draw])
            with threadpool_limits(1):  # matrices this small lose more to waiting threads than they gain
                scores.append(_one_draw(features[tested], labels[tested], shots, rng))
            if on_draw is not None:
                on_draw()
        percent = 100 * np.asarray(scores)
        results[k] = FewShot(float(percent.mean()), float(percent.std()), draws, len(usable), shots)
    return results


def _one_draw(features: Float64, labels: NDArray[np.intp], shots: int, rng: np.random.Generator) -> float:
    # Half a second to import, and not in the base install.
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.preprocessing import StandardScaler

    labelled = np.zeros(len(labels), dtype=bool)
    for speaker in np.unique(labels):
        labelled[rng.choice(np.flatnonzero(labels == speaker), size=shots, replace=False)] = True
    scaler = StandardScaler().fit(features[labelled])
    classifier = LogisticRegression(max_iter=1000).fit(scaler.transform(features[labelled]), labels[labelled])
    guesses = classifier.predict(scaler.transform(features[~labelled]))
    return float(f1_score(labels[~labelled], guesses, average="macro"))
