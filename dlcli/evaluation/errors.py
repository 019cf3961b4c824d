"""Losses row by row: of probabilities (log loss, Brier) and of numbers (absolute and squared errors)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.task import Goal, Task

Floats = NDArray[np.float64]
_CLIP = float(np.finfo(np.float64).eps)
"""Probabilities stay this far from 0 and 1 in the log loss, as in scikit-learn: a sure miss costs 36."""


def mean(values: NDArray[Any], weight: Floats | None) -> Any:
    """Weighted mean over rows, the first axis."""
    return np.average(values, axis=0, weights=weight)


def log_losses(goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
    """-log of the probability given to the true class (rows,), in nats."""
    given = np.clip(_given(goal, truth, prediction), _CLIP, 1 - _CLIP)
    return np.asarray(-np.log(given))


def brier_losses(goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
    """Squared error of the probabilities (rows,): of the positive class for binary, over all classes else."""
    if goal.task is Task.BINARY:
        return np.asarray((truth - prediction) ** 2)
    return np.asarray(np.sum((np.eye(goal.outputs)[truth] - prediction) ** 2, axis=1))


def _given(goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
    """The probability given to each row's true class (rows,)."""
    if goal.task is Task.BINARY:
        return np.where(truth == 1, prediction, 1 - prediction)
    return np.asarray(prediction[np.arange(len(truth)), truth])


def rmse(truth: Floats, prediction: Floats, weight: Floats | None) -> tuple[float, Floats]:
    """Root of the mean squared error, averaged over targets, and each row's influence on it (rows,)."""
    squares = (truth - prediction) ** 2
    means = mean(squares, weight)
    roots = np.sqrt(means)
    influence = np.divide(squares - means, 2 * roots, out=np.zeros(squares.shape), where=roots > 0)
    return float(roots.mean()), influence.mean(axis=1)


def r2(truth: Floats, prediction: Floats, weight: Floats | None) -> tuple[float, Floats | None]:
    """Coefficient of determination, averaged over targets, and each row's influence on it (rows,).

    A constant target gives 1 where it is predicted exactly and 0 elsewhere, and has no influence values;
    a single row gives NaN.
    """
    if len(truth) < 2:
        return float("nan"), None
    squares = (truth - prediction) ** 2
    deviations = (truth - mean(truth, weight)) ** 2
    error, spread = mean(squares, weight), mean(deviations, weight)
    constant = (truth == truth[0]).all(axis=0) | (spread == 0)
    share = np.where(constant, error > 0, error / np.where(constant, 1.0, spread))
    if constant.any():
        return float(1 - share.mean()), None
    influence = -(squares - share * deviations) / spread
    return float(1 - share.mean()), influence.mean(axis=1)
