"""Pseudo-speakers: recordings of like voices, for a training that has no labels.

Average linkage of recordings' embeddings within a corpus, since across corpora microphones would decide
(pseudo-labels: Cai, Wang, Li 2021, "An iterative framework for self-supervised deep speaker representation
learning"; positives of other recordings: Lepage, Dehak 2025, "SSPS: self-supervised positive sampling").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.vectors import unit

Labels = NDArray[np.int64]
COPY_DISTANCE = 0.05  # nearer recordings are the same one in another codec, and count once
LEAST_SILHOUETTE = 0.15  # below it a corpus has no groups: each recording is then a voice of its own
CUTS = 100  # counts of clusters that are tried for a corpus


def pseudo_speakers(
    utterances: Float32, corpora: Sequence[str], counts: Mapping[str, int] | None = None
) -> Labels:
    """Which pseudo-speaker each recording is of, counted from 0: (recordings,).

    The tree of a corpus is cut where the mean silhouette of its recordings is widest (Rousseeuw 1987,
    "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis").

    Silhouettes cannot tell a corpus of a few recordings a person from a corpus of one. So the count can be
    given, about as large as the publisher says how many people speak.

    Args:
        utterances: (recordings, dim) embeddings; each corpus is centred with its own mean.
        corpora: of each recording.
        counts: pseudo-speakers of the corpora for which they are given.
    """
    names = np.asarray(corpora)
    labels = np.empty(len(names), np.int64)
    used = 0
    for name in np.unique(names):
        group = np.flatnonzero(names == name)
        centred = unit(utterances[group] - utterances[group].mean(axis=0))
        of_group = _of_corpus(centred, (counts or {}).get(str(name)))
        labels[group] = used + of_group
        used += int(of_group.max()) + 1
    return labels


def _of_corpus(centred: Float32, count: int | None) -> Labels:
    """Clusters of one corpus's unit embeddings (recordings, dim), counted from 0: `count`, if it is given."""
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import

    if len(centred) == 1:
        return np.zeros(1, np.int64)
    tree = linkage(centred, "average", metric="cosine")  # (recordings - 1, 4)
    if count is not None:
        return np.asarray(fcluster(tree, count, "maxclust") - 1, np.int64)
    best: Labels = fcluster(tree, COPY_DISTANCE, "distance") - 1
    first = np.unique(best, return_index=True)[1]  # a recording of each group of copies
    distance = 1 - centred[first] @ centred[first].T
    widest = LEAST_SILHOUETTE
    for tried in np.unique(np.geomspace(2, max(len(first) - 1, 2), CUTS).astype(int)):
        cut = fcluster(tree, tried, "maxclust") - 1
        width = _silhouette(distance, cut[first])
        if width > widest:
            best, widest = cut, width
    return best


def _silhouette(distance: Float32, labels: Labels) -> float:
    """Mean over recordings of (b − a) / max(a, b): a to the other members of its cluster, b to the nearest
    other cluster, as mean distances. 0 for whoever is alone (Rousseeuw 1987, equation 2).

    Args:
        distance: (recordings, recordings).
    """
    labels = np.unique(labels, return_inverse=True)[1]
    sizes = np.bincount(labels)
    if len(sizes) == 1:
        return 0.0
    rows = np.arange(len(labels))
    starts = np.cumsum(sizes) - sizes
    sums = np.add.reduceat(distance[:, np.argsort(labels, kind="stable")], starts, axis=1)
    # sums: (recordings, clusters)
    a = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / sizes
    means[rows, labels] = np.inf
    b = means.min(axis=1)
    widths = np.where(sizes[labels] == 1, 0.0, (b - a) / np.maximum(np.maximum(a, b), 1e-9))
    return float(widths.mean())
