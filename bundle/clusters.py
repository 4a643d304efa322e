"""Which recordings sound like one voice: average linkage without labels.

Nearest-neighbour chains (Murtagh 1983, "A survey of recent advances in hierarchical clustering algorithms"):
O(n²) time and memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32


@dataclass(frozen=True)
class Linkage:
    """The tree of n recordings: each merge joins the groups that two recordings are in."""

    recordings: int
    merges: tuple[tuple[int, int, float], ...]  # (a recording of each group, their mean similarity)

    def cut(self, similarity: float) -> NDArray[np.intp]:
        """Clusters counted from 0, (recordings,): groups at least this alike are joined."""
        group = np.arange(self.recordings)
        for a, b, height in self.merges:
            if height >= similarity:
                group[group == group[a]] = group[b]
        return np.unique(group, return_inverse=True)[1]


def average_linkage(vectors: Float32) -> Linkage:
    """Links unit vectors (n, dim) by the mean cosine between the members of two groups."""
    n = len(vectors)
    similarity = (vectors @ vectors.T).astype(np.float64)  # (n, n); a row stands for a group
    np.fill_diagonal(similarity, -np.inf)
    size = np.ones(n)
    chain: list[int] = []
    merges: list[tuple[int, int, float]] = []
    while len(merges) < n - 1:
        if not chain:
            chain.append(int(np.argmax(size > 0)))
        a = chain[-1]
        b = int(similarity[a].argmax())
        if len(chain) > 1 and similarity[a, chain[-2]] >= similarity[a, b]:  # each is the other's nearest
            b = chain[-2]
            del chain[-2:]
            merges.append((a, b, float(similarity[a, b])))
            joined = (size[a] * similarity[a] + size[b] * similarity[b]) / (size[a] + size[b])
            joined[[a, b]] = -np.inf
            similarity[b], similarity[:, b] = joined, joined
            similarity[a], similarity[:, a] = -np.inf, -np.inf
            size[a], size[b] = 0, size[a] + size[b]
        else:
            chain.append(b)
    return Linkage(n, tuple(merges))
