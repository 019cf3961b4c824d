"""Losses row by row, of probabilities and of numbers, and what is made of their means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.task import Goal, Task

Floats = NDArray[np.float64]
_CLIP = float(np.finfo(np.float64).eps)
"""Probabilities stay this far from 0 and 1 in logarithms, as in scikit-learn: a sure miss costs 36."""


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


def hinge_losses(goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
    """How far the logit of the true class fails to lead by 1 (rows,): over 0 for binary, else over the best other."""
    sure = np.clip(prediction, _CLIP, 1 - _CLIP)
    if goal.task is Task.BINARY:
        margin = (2 * truth - 1) * np.log(sure / (1 - sure))
    else:
        logits, rows = np.log(sure), np.arange(len(truth))
        others = logits.copy()
        others[rows, truth] = -np.inf
        margin = logits[rows, truth] - others.max(axis=1)
    return np.asarray(np.maximum(0.0, 1 - margin))


def class_shares(goal: Goal, truth: NDArray[Any], weight: Floats | None) -> Floats:
    """The shares of the classes in these rows, as a prediction for each: (rows,) for binary, else (rows, classes)."""
    weights = np.ones(len(truth)) if weight is None else weight
    shares = np.bincount(truth, weights, len(goal.classes)) / weights.sum()
    answer = shares[1:] if goal.task is Task.BINARY else shares[None]
    return np.asarray(np.broadcast_to(answer, (len(truth), *answer.shape[1:])))


def _given(goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
    """The probability given to each row's true class (rows,)."""
    if goal.task is Task.BINARY:
        return np.where(truth == 1, prediction, 1 - prediction)
    return np.asarray(prediction[np.arange(len(truth)), truth])


def pinball_losses(truth: Floats, prediction: Floats, alpha: float) -> Floats:
    """What a prediction lacks times alpha, what it exceeds times 1 - alpha, each target (rows, targets)."""
    lack = truth - prediction
    return np.where(lack >= 0, alpha * lack, (alpha - 1) * lack)


def percentage_losses(truth: Floats, prediction: Floats) -> Floats:
    """Absolute error as a share of the true value (rows, targets); of a true 0 it is huge."""
    losses: Floats = abs(truth - prediction) / np.maximum(abs(truth), _CLIP)
    return losses


def logarithms(truth: Floats, prediction: Floats) -> tuple[Floats, Floats]:
    """log(1 + value) of both; NaN where a value is -1 or less."""
    first, second = (np.log1p(np.where(values > -1, values, np.nan)) for values in (truth, prediction))
    return first, second


def tweedie_losses(truth: Floats, prediction: Floats, power: float) -> Floats:
    """Unit deviance of a Tweedie distribution, each target (rows, targets); NaN where a value has no meaning for it.

    Args:
        truth: at least 0 for a power from 1 to below 2, above 0 from 2 on.
        prediction: above 0 unless the power is 0.
        power: 0 or less, or 1 or more: 0 is the squared error, 1 Poisson's, 2 the gamma deviance.
    """
    if power == 0:
        return np.asarray((truth - prediction) ** 2)
    fits = (prediction > 0) & (True if power < 0 else truth >= 0 if power < 2 else truth > 0)
    y, mu = np.where(fits, truth, np.nan), np.where(fits, prediction, np.nan)
    if power == 1:
        found = np.where(y == 0, 0.0, y * np.log(np.where(y == 0, 1.0, y) / mu)) - y + mu
    elif power == 2:
        found = np.log(mu / y) + y / mu - 1
    else:
        amount = np.maximum(y, 0.0) if power < 0 else y
        found = amount ** (2 - power) / ((1 - power) * (2 - power))
        found += mu ** (2 - power) / (2 - power) - y * mu ** (1 - power) / (1 - power)
    return np.asarray(2 * found)


def rmse(truth: Floats, prediction: Floats, weight: Floats | None) -> tuple[float, Floats]:
    """Root of the mean squared error, averaged over targets, and each row's influence on it (rows,)."""
    squares = (truth - prediction) ** 2
    means = mean(squares, weight)
    roots = np.sqrt(means)
    influence = np.divide(squares - means, 2 * roots, out=np.zeros(squares.shape), where=roots > 0)
    return float(roots.mean()), influence.mean(axis=1)


def r2(truth: Floats, prediction: Floats, weight: Floats | None) -> tuple[float, Floats | None]:
    """Coefficient of determination and its influence values, as of `explained`."""
    return explained((truth - prediction) ** 2, centred(truth, weight) ** 2, weight)


def centred(values: Floats, weight: Floats | None) -> Floats:
    """Deviations from the weighted mean (rows, targets), exactly 0 where all rows are alike."""
    return np.asarray((values != values[:1]).any(axis=0) * (values - mean(values, weight)))


def explained(losses: Floats, constant: Floats, weight: Floats | None) -> tuple[float, Floats | None]:
    """1 - the mean loss over that of the best constant, averaged over targets, and each row's influence on it (rows,).

    Where the constant has no loss it is 1 without a loss and 0 elsewhere, and there are no influence values; a
    single row gives NaN. The constant is best on these very rows, so that it does not add to the influence.

    Args:
        losses: of the predictions (rows, targets).
        constant: of the best constant (rows, targets).
        weight: (rows,) or None.
    """
    if len(losses) < 2:
        return float("nan"), None
    error, spread = mean(losses, weight), mean(constant, weight)
    still = spread == 0
    share = np.where(still, error > 0, error / np.where(still, 1.0, spread))
    if still.any():
        return float(1 - share.mean()), None
    influence = -(losses - share * constant) / spread
    return float(1 - share.mean()), influence.mean(axis=1)


def weighted_quantile(values: Floats, weight: Floats | None, share: float) -> Floats:
    """The value below which a share of the weight lies, each target (targets,); midway where it falls between two.

    As scikit-learn's `_weighted_percentile` with `average=True`; a median of equal weights is the usual one.
    """
    weights = np.ones(len(values)) if weight is None else weight
    values, weights = values[weights > 0], weights[weights > 0]
    order = np.argsort(values, axis=0, kind="stable")
    found = []
    for number, places in enumerate(order.T):
        reached = np.cumsum(weights[places])
        wanted = share * reached[-1]
        at = int(min(np.searchsorted(reached, wanted), len(reached) - 1))
        after = at if reached[at] - wanted > _CLIP else min(at + 1, len(reached) - 1)
        found.append((values[places[at], number] + values[places[after], number]) / 2)
    return np.array(found)
