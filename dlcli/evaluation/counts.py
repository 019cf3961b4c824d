"""Predicted classes and, class by class, how often they were right: what precision, recall and F1 are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.task import Goal, Task

if TYPE_CHECKING:
    from dlcli.part import Threshold

Average = Literal["binary", "macro", "micro", "weighted"]
Floats = NDArray[np.float64]


def predicted_classes(goal: Goal, prediction: Floats, threshold: Threshold) -> NDArray[np.int64]:
    """Class numbers (rows,), or 0/1 (rows, targets) for multilabel, of probabilities."""
    if goal.task is Task.MULTICLASS:
        return np.asarray(prediction.argmax(axis=1), dtype=np.int64)
    return np.asarray(prediction >= threshold, dtype=np.int64)


def right_rows(goal: Goal, truth: NDArray[Any], prediction: Floats, threshold: Threshold) -> NDArray[np.bool_]:
    """Which rows (rows,) are answered right; in multilabel those with every label right."""
    right = predicted_classes(goal, prediction, threshold) == truth
    return np.asarray(right.all(axis=1) if right.ndim > 1 else right, dtype=np.bool_)


def effective_rows(weights: Floats) -> float:
    """How many rows of weight 1 these are worth, by Kish: (sum of w)^2 / sum of w^2."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Weighted rows per class (classes,): rightly predicted as it, predicted as it, and truly of it."""

    hits: Floats
    predicted: Floats
    actual: Floats

    @classmethod
    def of(
        cls, goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None, threshold: Threshold
    ) -> Counts:
        """Counts classes 0 and 1 for binary, every class for multiclass, every label for multilabel."""
        guess = predicted_classes(goal, prediction, threshold)
        weights = np.ones(len(guess)) if weight is None else weight
        if goal.task is Task.MULTILABEL:
            return cls(weights @ (guess * truth), weights @ guess, weights @ truth)
        right = guess == truth
        rows = ((truth[right], weights[right]), (guess, weights), (truth, weights))
        hits, predicted, actual = (
            np.bincount(numbers, share, len(goal.classes)).astype(np.float64) for numbers, share in rows
        )
        return cls(hits, predicted, actual)

    def precision(self, average: Average) -> float:
        """Share of the rows predicted as a class that are of it; 0 where none is."""
        return self._average(self.hits, self.predicted, average)

    def recall(self, average: Average) -> float:
        """Share of the rows of a class that are predicted as it; 0 where there is none."""
        return self._average(self.hits, self.actual, average)

    def f1(self, average: Average) -> float:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0."""
        return self._average(2 * self.hits, self.predicted + self.actual, average)

    def _average(self, over: Floats, under: Floats, average: Average) -> float:
        if average == "micro":
            return float(_share(np.sum(over, keepdims=True), np.sum(under, keepdims=True))[0])
        shares = _share(over, under)
        if average == "binary":
            return float(shares[1])
        if average == "macro":
            return float(shares.mean())
        rows = float(self.actual.sum())
        return float(shares @ self.actual) / rows if rows > 0 else 0.0


def _share(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros(len(over)), where=under > 0)
