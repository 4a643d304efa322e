"""Linear evaluation of a frozen representation (Barlow Twins for speech, Table 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits


def labelled_share(labels: ArrayLike, percent: float, seed: int) -> NDArray[np.intp]:
    """The examples whose labels are used when only `percent` of them are: sorted indices into `labels`.

    Every class gives its share, rounded, and at least one example. With the same seed a smaller share lies
    within a larger one, and 100 % is all.

    Args:
        labels: (n,) the class of each example.
        percent: of each class, above 0 and at most 100.

    Raises:
        ValueError: `percent` is out of range.
    """
    if not 0 < percent <= 100:
        raise ValueError(f"percent has to be above 0 and at most 100, not {percent}.")
    classes = np.asarray(labels)
    rng = np.random.default_rng(seed)
    chosen = []
    for name in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == name))
        chosen.append(members[: max(1, round(len(members) * percent / 100))])
    return np.sort(np.concatenate(chosen))


def linear_probe(train_x: ArrayLike, train_y: ArrayLike, test_x: ArrayLike, test_y: ArrayLike) -> float:
    """Top-1 accuracy in percent of multinomial logistic regression on standardised features.

    Mean and deviation come from the labelled examples. The penalty is sklearn's default, C = 1: nothing is
    tuned.

    Args:
        train_x, test_x: (n, dim) features of the labelled and of the tested examples.
        train_y, test_y: (n,) their classes; at least two among the labelled.

    Raises:
        ValueError: a feature is NaN or infinite, lengths differ, or only one class is labelled.
    """
    labelled, tested = np.asarray(train_x, np.float32), np.asarray(test_x, np.float32)
    with threadpool_limits(1):  # matrices this small lose more to waiting threads than they gain
        scaler = StandardScaler().fit(labelled)
        classifier = LogisticRegression(max_iter=1000)
        classifier.fit(scaler.transform(labelled), np.asarray(train_y))
        return 100 * float(classifier.score(scaler.transform(tested), np.asarray(test_y)))
