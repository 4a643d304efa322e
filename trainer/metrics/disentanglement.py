"""Five measures of how far single codes match single factors, from 0 (not at all) to 1, and the active codes.

    H, I           entropy and mutual information in bits (trainer/metrics/information.py)
    codes          (n, d) numbers; up to `bins` distinct values are levels as they are, more are binned evenly
    factors        (n, f) numbers, binned like codes, or names (text, or listed in `nominal`): a level a name

List names written as numbers (speaker 17) in `nominal`: otherwise they are binned and correlated as amounts.
An array of text holds names only; mix names and numbers in an array of dtype object.

No measure changes when a code is scaled by a number other than 0, or shifted, or when codes are reordered.
(A negative scale can move values that lie exactly on the edge of a bin.)

Sources: R. Chen et al. 2018 (MIG), A. Kumar et al. 2018 (SAP), A. Sepliarskaia et al. 2019 (DCIMIG), K. Do
and T. Tran 2020 (JEMMIG), K. Ridgeway and M. Mozer 2018 (modularity); review: M.-A. Carbonneau et al. 2020.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bundle.arrays import Float64
from trainer.metrics.code_table import CodeTable, read, read_codes
from trainer.metrics.information import Information, Levels, joint_counts, mutual_information, varying


@dataclass(frozen=True)
class Disentanglement:
    """The five measures of one representation, each in [0, 1]."""

    mig: float
    sap: float
    dcimig: float
    jemmig: float
    modularity: float
    active: int  # codes that modularity is the mean of


def disentanglement(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 10,
    nominal: Collection[int] = (),
    min_variance: float = 0.0,
) -> Disentanglement:
    """All five measures and the number of active codes, from one table of mutual information.

    Args:
        codes: (n, d) numbers, a row a sample.
        factors: (n, f) what is true of each sample.
        bins: of codes and of factors with more distinct values.
        nominal: columns of `factors` whose numbers are only names. Text is always a name.
        min_variance: see `active_codes`.

    Raises:
        ValueError: an array is empty, not 2-D, or holds missing or infinite values; the lengths differ; a
            factor does not vary; there are fewer than two factors (for modularity) or two bins.
    """
    data = read(codes, factors, bins, nominal)
    info = mutual_information(data.code_levels, data.factor_levels)
    active = _active(data.codes, min_variance)
    return Disentanglement(
        _mig(info),
        _sap(data),
        _dcimig(info),
        _jemmig(info, bins),
        _modularity(info, active),
        int(active.sum()),
    )


def mig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, nominal: Collection[int] = ()) -> float:
    """Mutual information gap: mean over factors of (I₁ − I₂) / H(f), of the two codes that tell most of f.

    Arguments and errors as for `disentanglement`, but one factor is enough.
    """
    return _mig(_information(codes, factors, bins, nominal))


def sap(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, nominal: Collection[int] = ()) -> float:
    """Attribute predictability: mean over factors of the gap of the two codes that predict f best.

    A number is predicted by a line through the code; the score is R². A name is predicted by the majority in
    each bin of the code; the score is accuracy. The majority is learnt on a random half of the rows (fixed
    seed) and tested on the other, both ways round. A code that tells nothing has R² 0 but the accuracy of
    chance: k equally frequent names give at most 1 − 1/k. A lone code is compared with a constant.

    Arguments and errors as for `disentanglement`, but one factor is enough.
    """
    return _sap(read(codes, factors, bins, nominal))


def dcimig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, nominal: Collection[int] = ()) -> float:
    """Sum over factors of the largest credit, over the sum of H(f).

    Each code credits the factor it tells most of with a gap: that information less the second largest.

    Arguments and errors as for `disentanglement`, but one factor is enough.
    """
    return _dcimig(_information(codes, factors, bins, nominal))


def jemmig(codes: ArrayLike, factors: ArrayLike, *, bins: int = 10, nominal: Collection[int] = ()) -> float:
    """Joint entropy minus MIG: mean over factors of 1 − (H(f, c*) − I₁ + I₂) / (H(f) + log₂ bins).

    c* is the code that tells most of f; of several such, the one with the least entropy. Constant codes have
    no entropy, so a collapsed representation scores above 0: log₂ bins / (H(f) + log₂ bins).

    Arguments and errors as for `disentanglement`, but one factor is enough.
    """
    return _jemmig(_information(codes, factors, bins, nominal), bins)


def modularity(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    bins: int = 10,
    nominal: Collection[int] = (),
    min_variance: float = 0.0,
) -> float:
    """Mean over active codes of 1 − Σ_{f≠f*} I² / (I_max² (F − 1)); f* is the factor the code tells most of.

    Read this beside the other measures: pure noise scores far above 0 (about 0.6 in the toy of the tests).
    Noise codes are active, and a finite sample gives them a little information, more on some factors than on
    others. A code that tells exactly nothing scores 0, and so does a set without active codes.

    Arguments and errors as for `disentanglement`.
    """
    data = read(codes, factors, bins, nominal)
    info = mutual_information(data.code_levels, data.factor_levels)
    return _modularity(info, _active(data.codes, min_variance))


def active_codes(codes: ArrayLike, *, min_variance: float = 0.0) -> int:
    """How many codes vary: by more than float32 rounding, and with a variance above `min_variance`.

    The default depends on no scale. Where a prior fixes the scale, as in a VAE, 0.01 is usual: it leaves
    collapsed codes out (Y. Burda et al. 2016).

    Raises:
        ValueError: `codes` is empty, not 2-D, or holds a value that is not finite.
    """
    return int(_active(read_codes(codes), min_variance).sum())


def _mig(info: Information) -> float:
    best = _two_best(info.I)
    return float(((best[0] - best[1]) / info.H_f).mean())


def _sap(data: CodeTable) -> float:
    codes, code_levels = data.codes, data.code_levels
    if codes.shape[1] == 1:
        codes, code_levels = (np.concatenate([c, np.zeros_like(c)], axis=1) for c in (codes, code_levels))
    scores = [
        _accuracy(code_levels, levels) if numbers is None else _r2(codes, numbers)
        for numbers, levels in zip(data.numbers, data.factor_levels.T, strict=True)
    ]
    best = _two_best(np.stack(scores, axis=1))
    return float((best[0] - best[1]).mean())


def _dcimig(info: Information) -> float:
    best = _two_best(info.I.T)  # (2, d)
    credit = np.zeros_like(info.I)
    credit[np.arange(len(info.I)), info.I.argmax(axis=1)] = best[0] - best[1]
    return float(credit.max(axis=0).sum() / info.H_f.sum())


def _jemmig(info: Information, bins: int) -> float:
    best = _two_best(info.I)
    tied = best[0] - info.I < 1e-9
    H_c = np.where(tied, info.H_c[:, None], np.inf).min(axis=0)
    joint = info.H_f + H_c - best[0]  # H(f, c*)
    return float((1 - (joint - best[0] + best[1]) / (info.H_f + np.log2(bins))).mean())


def _modularity(info: Information, active: NDArray[np.bool_]) -> float:
    squares = info.I[active] ** 2
    if squares.shape[1] < 2:
        raise ValueError("Modularity compares factors: give at least two columns of them.")
    if not len(squares):
        return 0.0
    top = squares.max(axis=1)
    rest = (squares.sum(axis=1) - top) / (squares.shape[1] - 1)
    return float(np.where(top > 0, 1 - rest / np.where(top > 0, top, 1.0), 0.0).mean())


def _two_best(table: Float64) -> Float64:
    """The largest and the second value of each column, (2, columns); a missing second counts as 0."""
    if len(table) == 1:
        table = np.concatenate([table, np.zeros_like(table)])
    return np.sort(table, axis=0)[:-3:-1]


def _r2(codes: Float64, factor: Float64) -> Float64:
    """(d,) share of the factor's variance that a line through each code explains."""
    varies = varying(codes)
    centred = codes - codes.mean(axis=0)
    target = factor - factor.mean()
    variance = np.where(varies, (centred**2).sum(axis=0), 1.0) * (target**2).sum()
    return np.asarray(np.where(varies, (target @ centred) ** 2 / variance, 0.0))


def _accuracy(codes: Levels, factor: Levels) -> Float64:
    """(d,) share of rows whose name the majority in the code's bin, counted in the other half, gets right."""
    # Halves at random: in a full grid of factors every second row can hold one level only.
    half = np.random.default_rng(0).permutation(len(codes)) % 2
    names = int(factor.max()) + 1
    right = np.zeros(codes.shape[1])
    for block, joint in joint_counts(codes, factor + names * half, 2 * names):
        halves = joint.reshape(*joint.shape[:2], 2, names)  # (codes, bins, half, names)
        for learnt, tested in ((0, 1), (1, 0)):
            votes = halves[:, :, learnt].astype(np.float64)
            # The half's own frequencies, scaled below one vote, settle ties and empty bins.
            votes += votes.sum(axis=1, keepdims=True) / (len(codes) + 1)
            guess = votes.argmax(axis=2)[:, :, None]
            right[block] += np.take_along_axis(halves[:, :, tested], guess, axis=2).sum(axis=(1, 2))
    return right / len(codes)


def _information(codes: ArrayLike, factors: ArrayLike, bins: int, nominal: Collection[int]) -> Information:
    data = read(codes, factors, bins, nominal)
    return mutual_information(data.code_levels, data.factor_levels)


def _active(codes: Float64, min_variance: float) -> NDArray[np.bool_]:
    return np.asarray(varying(codes) & (codes.var(axis=0) > min_variance))
