"""How well probabilities rank rows: the area under the ROC curve and average precision, exact with ties.

Formulas as scikit-learn's: equal scores stand at one threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def roc_auc(positive: NDArray[Any], score: Floats, weight: Floats | None = None) -> float:
    """Probability that a positive row scores higher than a negative one, ties counting half.

    Args:
        positive: 0 or 1 (rows,).
        score: (rows,).
        weight: (rows,) or None.

    Returns:
        The area; NaN where one of the two classes is absent.
    """
    weights = np.ones(len(score)) if weight is None else weight
    _, group = np.unique(score, return_inverse=True)
    yes = np.bincount(group, weights * positive)
    no = np.bincount(group, weights * (1 - positive))
    pairs = float(yes.sum() * no.sum())
    below = np.cumsum(no) - no
    return float(yes @ (below + no / 2)) / pairs if pairs > 0 else float("nan")


def average_precision(positive: NDArray[Any], score: Floats, weight: Floats | None = None) -> float:
    """Sum over the distinct scores, from the highest on, of (gain in recall) x precision.

    Returns:
        The average precision; NaN without a positive row.
    """
    weights = np.ones(len(score)) if weight is None else weight
    return _average_precision(positive, score, weights)[0]


def average_precision_influence(positive: NDArray[Any], score: Floats) -> tuple[float, Floats]:
    """Average precision and its derivative by each row's weight (rows,), at weights of 1."""
    value, group, gained, yes, rows = _average_precision(positive, score, np.ones(len(score)))
    precision = yes / rows
    # A row's weight changes the precision at its own score and at every lower one.
    later_gain = np.cumsum((gained / rows)[::-1])[::-1]
    later_loss = np.cumsum((gained * precision / rows)[::-1])[::-1]
    slope = positive * (precision[group] - value) + positive * later_gain[group] - later_loss[group]
    return value, slope / gained.sum()


def _average_precision(
    positive: NDArray[Any], score: Floats, weights: Floats
) -> tuple[float, NDArray[Any], Floats, Floats, Floats]:
    """The value; each row's score group, highest first; per group its positives; positives and rows so far."""
    _, group = np.unique(-score, return_inverse=True)
    gained = np.bincount(group, weights * positive).astype(np.float64)
    yes: Floats = np.cumsum(gained)
    rows: Floats = np.cumsum(np.bincount(group, weights))
    precision = np.divide(yes, rows, out=np.zeros(len(rows)), where=rows > 0)
    total = float(gained.sum())
    value = float(gained @ precision) / total if total > 0 else float("nan")
    return value, group, gained, yes, rows


def delong_error(positive: NDArray[Any], score: Floats) -> float:
    """Standard error of the area under the ROC curve by DeLong's method, through midranks."""
    yes, no = score[positive == 1], score[positive != 1]
    ranks = _midranks(score)
    above = (ranks[positive == 1] - _midranks(yes)) / len(no)
    below = (ranks[positive != 1] - _midranks(no)) / len(yes)
    return float(np.sqrt(above.var(ddof=1) / len(yes) + below.var(ddof=1) / len(no)))


def _midranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the middle of theirs."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    last: Floats = np.cumsum(size).astype(np.float64)
    return (last - (size - 1) / 2)[group]
