"""How well probabilities rank rows: the area under the ROC curve and average precision, exact with ties.

Formulas as scikit-learn's: equal scores stand at one threshold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import drawn_curves

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
    yes = weights * positive
    total = float(yes.sum())
    if not total > 0:
        return float("nan")
    return float(np.minimum(np.sum(yes * _won(positive, score, weights)) / total, 1.0))  # sums of weights round


def roc_auc_influence(positive: NDArray[Any], score: Floats, weight: Floats | None = None) -> Floats:
    """How much each row moves the area (rows,): its derivative by the row's weight, times all weight.

    These are DeLong's placements less their mean; NaN where one of the two classes is absent.
    """
    weights = np.ones(len(score)) if weight is None else weight
    value, won = roc_auc(positive, score, weights), _won(positive, score, weights)
    own = np.where(positive == 1, weights @ positive, weights @ (1 - positive))
    found: Floats = np.divide((won - value) * weights.sum(), own, out=np.full(len(score), np.nan), where=own > 0)
    return found


def partial_roc_auc(positive: NDArray[Any], score: Floats, weight: Floats | None, max_fpr: float) -> float:
    """The area up to a false positive rate, scaled so that chance is 0.5 and the best 1 (McClish 1989).

    Returns:
        The scaled area; NaN where one of the two classes is absent.
    """
    weights = np.ones(len(score)) if weight is None else weight
    if not (weights @ positive > 0 and weights @ (1 - positive) > 0):
        return float("nan")
    false, true = drawn_curves.curves(positive, score, weights)[0].T
    inside = int(np.sum(false <= max_fpr))
    around = slice(inside - 1, inside + 1)
    true = np.append(true[:inside], np.interp(max_fpr, false[around], true[around]))
    false = np.append(false[:inside], max_fpr)
    area, least = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2)), max_fpr**2 / 2
    return (1 + (area - least) / (max_fpr - least)) / 2


def average_precision(positive: NDArray[Any], score: Floats, weight: Floats | None = None) -> float:
    """Sum over the distinct scores, from the highest on, of (gain in recall) x precision.

    Returns:
        The average precision; NaN without a positive row.
    """
    weights = np.ones(len(score)) if weight is None else weight
    return _average_precision(positive, score, weights)[0]


def average_precision_influence(
    positive: NDArray[Any], score: Floats, weight: Floats | None = None
) -> tuple[float, Floats]:
    """Average precision and its derivative by each row's weight (rows,)."""
    weights = np.ones(len(score)) if weight is None else weight
    value, group, gained, yes, rows = _average_precision(positive, score, weights)
    precision = _share(yes, rows)
    # A row's weight changes the precision at its own score and at every lower one.
    later_gain = np.cumsum(_share(gained, rows)[::-1])[::-1]
    later_loss = np.cumsum(_share(gained * precision, rows)[::-1])[::-1]
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
    total = float(gained.sum())
    value = float(gained @ _share(yes, rows)) / total if total > 0 else float("nan")
    return value, group, gained, yes, rows


def delong_error(positive: NDArray[Any], score: Floats) -> float:
    """Standard error of the area under the ROC curve by DeLong's method."""
    return float(np.sqrt(sum(shares.var(ddof=1) / len(shares) for shares in placements(positive, score))))


def placements(positive: NDArray[Any], score: Floats) -> tuple[Floats, Floats]:
    """The share of negative rows below each positive one, and of positive rows above each negative one.

    Ties count half; the mean of either is the area under the ROC curve. Rows keep their order.
    """
    won = _won(positive, score, np.ones(len(score)))
    return won[positive == 1], won[positive != 1]


def _won(positive: NDArray[Any], score: Floats, weights: Floats) -> Floats:
    """The share of the rows of the other class that each row (rows,) stands on the right side of; ties count half."""
    _, group = np.unique(score, return_inverse=True)
    yes = np.bincount(group, weights * positive)
    no = np.bincount(group, weights * (1 - positive))
    below = np.cumsum(no) - no / 2
    above = yes.sum() - np.cumsum(yes) + yes / 2
    won = np.where(positive == 1, below[group], above[group])
    rivals = np.where(positive == 1, no.sum(), yes.sum())
    shares: Floats = np.divide(won, rivals, out=np.full(len(score), np.nan), where=rivals > 0)
    return shares


def _share(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros(len(over)), where=under > 0)
