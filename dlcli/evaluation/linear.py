"""Logistic and ridge regression on what the network gets: how far a linear model comes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli import backend
from dlcli.task import NUMBERS, Goal, Task

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Inputs = Callable[[Integers], NDArray[np.float32]]
"""What the network gets of rows by number: (rows, *shape)."""

ROWS = 5_000
"""At most so many training rows are fitted."""
CELLS = 2**23
"""At most so many rows x inputs x classes: about a second of work."""
ITERATIONS = 50
FEWEST_ROWS = 20
"""Below so many rows that fit in `CELLS` a linear model says nothing."""
_CELLS_PREDICTED_AT_ONCE = 2**22
_ROUNDING = 1e-6
"""Float32 inputs that differ by a smaller share of their mean differ by rounding."""
_ONE_CLASS = "the training rows hold one class"
_SUBSAMPLE_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A fitted linear model.

    Attributes:
        goal: what it answers.
        slopes: float64 (inputs, outputs), of the numbers, or of the logits of classes and labels.
        levels: float64 (outputs,), the same where all inputs are 0; infinite for what is always or never so.
        rows: to how many rows it was fitted; None: to all that count.
    """

    goal: Goal
    slopes: Floats
    levels: Floats
    rows: int | None = None

    def predict(self, inputs: Inputs, numbers: Integers) -> Floats:
        """Its answer for rows by number, as `Metric.compute` takes it."""
        size = max(1, _CELLS_PREDICTED_AT_ONCE // len(self.slopes))
        values = np.empty((len(numbers), len(self.levels)))
        for start in range(0, len(numbers), size):
            rows = inputs(numbers[start : start + size])
            values[start : start + size] = rows.reshape(len(rows), -1) @ self.slopes + self.levels
        if self.goal.task in NUMBERS:
            return values
        if self.goal.task is Task.MULTICLASS:
            shares = np.exp(values - values.max(axis=1, keepdims=True))
            return np.asarray(shares / shares.sum(axis=1, keepdims=True))
        with np.errstate(over="ignore"):  # exp(inf) is meant: a share of 0
            shares = 1 / (1 + np.exp(-values))
        return shares[:, 0] if self.goal.task is Task.BINARY else shares


def fit(goal: Goal, inputs: Inputs, numbers: Integers, truth: NDArray[Any], weight: Floats | None) -> Model | str:
    """Fits logistic regression to classes (one for each label), or ridge regression to numbers.

    Inputs are flattened and standardised; both are scikit-learn's with their default penalty. Of more than
    `ROWS` rows, or `CELLS` cells, a part is drawn, always the same.

    Args:
        goal: task and classes.
        inputs: what the network gets of rows.
        numbers: int64 (rows,), the training rows.
        truth: of these rows, as `Metric.compute` takes it.
        weight: of these rows (rows,), or None; rows that count for nothing are left out.

    Returns:
        the model, or why there is none.
    """
    counted = np.arange(len(numbers)) if weight is None else np.flatnonzero(weight)
    width = int(np.prod(inputs(numbers[:1]).shape[1:]))
    outputs = 1 if goal.task is Task.BINARY else goal.outputs
    fitting = min(ROWS, CELLS // max(1, width * outputs))
    if fitting < min(len(counted), FEWEST_ROWS):
        return f"{width:,} inputs are too many for a linear model in a second"
    drawn = None
    if len(counted) > fitting:
        drawn = fitting
        counted = np.sort(np.random.default_rng(_SUBSAMPLE_SEED).choice(counted, fitting, replace=False))
    x, y = inputs(numbers[counted]).reshape(len(counted), -1), truth[counted]
    if not np.isfinite(x).all():
        return "the inputs are not finite"
    mean, scale = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    scale = np.where(scale > _ROUNDING * np.abs(mean), scale, 1)  # a constant input tells nothing
    from threadpoolctl import threadpool_limits

    with backend.deferred("scipy.stats"):  # a quarter of scikit-learn's import, for two functions of no use here
        import sklearn.linear_model  # noqa: F401
    # Small matrices, many times: with a thread per core it takes ten times as long as soon as others work too.
    with threadpool_limits(1):
        found = _slopes(goal, (x - mean) / scale, y, None if weight is None else weight[counted])
    if isinstance(found, str):
        return found
    slopes, levels = found
    slopes = slopes / scale[:, None]
    return Model(goal, slopes, levels - mean @ slopes, drawn)


def _slopes(goal: Goal, x: Floats, y: NDArray[Any], weight: Floats | None) -> tuple[Floats, Floats] | str:
    """Slopes (inputs, outputs) and levels (outputs,) of standardised inputs, or why there are none."""
    from sklearn.linear_model import Ridge

    if goal.task in NUMBERS:
        ridge = Ridge().fit(x, y, sample_weight=weight)
        return ridge.coef_.reshape(-1, x.shape[1]).T, np.reshape(ridge.intercept_, -1)
    if goal.task is Task.MULTICLASS:
        slopes, levels = np.zeros((x.shape[1], goal.outputs)), np.full(goal.outputs, -np.inf)
        present = np.unique(y)
        if len(present) > 1:
            # Of two classes scikit-learn gives the logit of the second one alone.
            columns = present[1:] if len(present) == 2 else present
            levels[present] = 0.0
            slopes[:, columns], levels[columns] = _logistic(x, y, weight)
            return slopes, levels
        return _ONE_CLASS
    labels = y.reshape(len(y), -1)
    slopes, levels = np.zeros((x.shape[1], labels.shape[1])), np.full(labels.shape[1], np.inf)
    for number, label in enumerate(labels.T):
        if np.ptp(label):
            slopes[:, [number]], levels[[number]] = _logistic(x, label, weight)
        elif not label[0]:
            levels[number] = -np.inf
    return (slopes, levels) if np.isfinite(levels).any() else _ONE_CLASS


def _logistic(x: Floats, y: NDArray[Any], weight: Floats | None) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer iterations than to the optimum are meant
        found = LogisticRegression(max_iter=ITERATIONS).fit(x, y, sample_weight=weight)
    return found.coef_.T, found.intercept_
