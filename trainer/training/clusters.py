"""Pseudo-speakers: recordings of like voices, for a training that has no labels.

Average linkage of recordings' embeddings within a corpus, since across corpora microphones would decide
(pseudo-labels: Cai, Wang, Li 2021, "An iterative framework for self-supervised deep speaker representation
learning"; positives of other recordings: Lepage, Dehak 2025, "SSPS: self-supervised positive sampling").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.vectors import unit

Labels = NDArray[np.int64]


def pseudo_speakers(utterances: Float32, corpora: Sequence[str], clusters: int) -> Labels:
    """Which pseudo-speaker each recording is of, counted from 0: (recordings,).

    One height cuts the trees of all corpora, so that each gets as many clusters as it has voices apart.

    Args:
        utterances: (recordings, dim) embeddings; each corpus is centred with its own mean.
        corpora: of each recording.
        clusters: over all corpora.

    Raises:
        ValueError: more clusters than recordings, or fewer than corpora.
    """
    from scipy.cluster.hierarchy import fcluster, linkage  # slow to import

    names = np.asarray(corpora)
    recordings, groups = len(names), [np.flatnonzero(names == name) for name in np.unique(names)]
    if not len(groups) <= clusters <= recordings:
        raise ValueError(
            f"{clusters} clusters of {recordings} recordings in {len(groups)} corpora: choose another count."
        )
    trees = {}
    for number, group in enumerate(groups):
        if len(group) > 1:
            centred = unit(utterances[group] - utterances[group].mean(axis=0))
            trees[number] = linkage(
                centred, "average", metric="cosine"
            )  # (recordings - 1, 4), heights ascending
    heights = np.sort(np.concatenate([tree[:, 2] for tree in trees.values()]))
    merges = recordings - clusters
    cut = heights[merges - 1] if merges else -1.0
    labels = np.empty(recordings, np.int64)
    used = 0
    for number, group in enumerate(groups):
        of_group = fcluster(trees[number], cut, "distance") if number in trees else np.ones(1, np.int64)
        labels[group] = used + of_group - 1
        used += int(of_group.max())
    return labels
