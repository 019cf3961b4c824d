"""Predicted classes and, class by class, how often they were right: what precision, recall and F1 are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcli.task import Goal, Task

if TYPE_CHECKING:
    from dlcli.evaluation.rows import ScoredRows
    from dlcli.part import Threshold

Average = Literal["binary", "macro", "present", "weighted", "micro", "samples"]
"""Of the positive class; the mean over classes; over those with rows; by their rows; of all counts together; the mean
over rows, each over its labels."""
Floats = NDArray[np.float64]
_ROUNDING = 1e-12
"""A difference of sums of weights that is this small beside all weight is none."""


def predicted_classes(goal: Goal, prediction: Floats, threshold: Threshold) -> NDArray[np.int64]:
    """Class numbers (rows,), or 0/1 (rows, targets) for multilabel, of probabilities."""
    if goal.task is Task.MULTICLASS:
        return np.asarray(prediction.argmax(axis=1), dtype=np.int64)
    return np.asarray(prediction >= threshold, dtype=np.int64)


def right_answers(rows: ScoredRows) -> NDArray[np.bool_]:
    """Which classes (rows,) or labels (rows, labels) are predicted right."""
    return np.asarray(predicted_classes(rows.goal, rows.prediction, rows.threshold) == rows.truth)


def effective_rows(weights: Floats) -> float:
    """How many rows of weight 1 these are worth, by Kish: (sum of w)^2 / sum of w^2."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0 else 0.0


class Terms(NamedTuple):
    """A sum of the counts of a class: how often each of them enters."""

    hits: float = 0.0
    predicted: float = 0.0
    actual: float = 0.0
    rows: float = 0.0


class Ratio(NamedTuple):
    """A score of a class as one sum of counts over another; 0 where that is 0 / 0."""

    over: Terms
    under: Terms


PRECISION = Ratio(Terms(hits=1), Terms(predicted=1))
RECALL = Ratio(Terms(hits=1), Terms(actual=1))
SPECIFICITY = Ratio(Terms(hits=1, predicted=-1, actual=-1, rows=1), Terms(actual=-1, rows=1))
JACCARD = Ratio(Terms(hits=1), Terms(hits=-1, predicted=1, actual=1))


def f_ratio(beta: float) -> Ratio:
    """F-beta: (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)."""
    return Ratio(Terms(hits=1 + beta**2), Terms(predicted=1, actual=beta**2))


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Weighted rows per class (classes,): rightly predicted as it, predicted as it, and truly of it; all rows ().

    As slopes: how fast a score grows with each of these.
    """

    hits: Floats
    predicted: Floats
    actual: Floats
    rows: float

    @classmethod
    def of(
        cls, goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None, threshold: Threshold
    ) -> Counts:
        """Counts classes 0 and 1 for binary, every class for multiclass, every label for multilabel."""
        return Answers(
            truth,
            predicted_classes(goal, prediction, threshold),
            np.ones(len(truth)) if weight is None else weight,
            goal.outputs if goal.task is Task.MULTILABEL else len(goal.classes),
        ).counts()

    def sums(self, terms: Terms) -> Floats:
        """A sum of counts, class by class (classes,)."""
        hits, predicted, actual, rows = terms
        total = hits * self.hits + predicted * self.predicted + actual * self.actual + rows * self.rows
        return np.where(abs(total) > _ROUNDING * self.rows, total, 0.0)

    def shares(self, ratio: Ratio) -> Floats:
        """A ratio class by class (classes,)."""
        return _share(self.sums(ratio.over), self.sums(ratio.under))

    def score(self, ratio: Ratio, average: Average) -> float:
        """A ratio, averaged over classes."""
        if average == "micro":
            over, under = (float(self.sums(terms).sum()) for terms in ratio)
            return over / under if under > 0 else 0.0
        return float(self.shares(ratio) @ self._portions(average))

    def slopes(self, ratio: Ratio, average: Average) -> Counts:
        """How fast the averaged ratio grows with each count; 0 for a class in which it is 0 / 0."""
        shares, portions, under = self.shares(ratio), self._portions(average), self.sums(ratio.under)
        if average == "micro":
            shares, portions = np.full(len(under), self.score(ratio, average)), np.ones(len(under))
            under = np.full(len(under), under.sum())
        pace = _share(portions, under)
        hits, predicted, actual, rows = (
            pace * (over - shares * below) for over, below in zip(*ratio, strict=True)
        )  # fmt: skip
        if average == "weighted" and self.actual.sum() > 0:  # a row also shifts the portions
            actual += (shares - shares @ portions) / self.actual.sum()
        return Counts(hits, predicted, actual, float(rows.sum()))

    def _portions(self, average: Average) -> Floats:
        """What each class adds to an average (classes,)."""
        if average == "binary":
            return np.array([0.0, 1.0])
        if average == "weighted":
            return _share(self.actual, np.full(len(self.actual), self.actual.sum()))
        counted = self.actual > 0 if average == "present" else np.ones(len(self.actual))
        return counted / max(1.0, float(counted.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What is predicted beside what is true.

    Attributes:
        truth: class numbers (rows,), or 0/1 (rows, labels).
        guess: of the same shape.
        weights: (rows,).
        classes: how many classes or labels there are.
    """

    truth: NDArray[Any]
    guess: NDArray[np.int64]
    weights: Floats
    classes: int

    @classmethod
    def of(cls, rows: ScoredRows) -> Answers:
        """The answers at the threshold."""
        goal = rows.goal
        guess = predicted_classes(goal, rows.prediction, rows.threshold)
        classes = goal.outputs if goal.task is Task.MULTILABEL else len(goal.classes)
        return cls(rows.truth, guess, rows.weights(), classes)

    def counts(self) -> Counts:
        """Counts of each class or label."""
        truth, guess, weights = self.truth, self.guess, self.weights
        total = float(weights.sum())
        if guess.ndim > 1:
            return Counts(weights @ (guess * truth), weights @ guess, weights @ truth, total)
        right = guess == truth
        pairs = ((truth[right], weights[right]), (guess, weights), (truth, weights))
        hits, predicted, actual = (
            np.bincount(numbers, share, self.classes).astype(np.float64) for numbers, share in pairs
        )
        return Counts(hits, predicted, actual, total)

    def confusion(self) -> Floats:
        """Weighted rows by actual and predicted class (classes, classes); of rows with one class each."""
        cells = np.bincount(self.truth * self.classes + self.guess, self.weights, self.classes**2)
        return cells.reshape(self.classes, self.classes).astype(np.float64)

    def score(self, ratio: Ratio, average: Average) -> float:
        """A ratio, averaged over classes or rows."""
        if average == "samples":
            return float(np.average(self._row_shares(ratio), weights=self.weights))
        return self.counts().score(ratio, average)

    def influence(self, ratio: Ratio, average: Average) -> Floats:
        """How much each row moves that score (rows,), as `moved` says."""
        if average == "samples":
            return self._row_shares(ratio) - self.score(ratio, average)
        return self.moved(self.counts().slopes(ratio, average))

    def moved(self, slopes: Counts) -> Floats:
        """How much each row (rows,) moves a score with these slopes: the derivative by its weight, times all weight."""
        truth, guess = self.truth, self.guess
        if guess.ndim > 1:
            moved = (guess * truth) @ slopes.hits + guess @ slopes.predicted + truth @ slopes.actual
        else:
            moved = (guess == truth) * slopes.hits[truth] + slopes.predicted[guess] + slopes.actual[truth]
        return np.asarray((moved + slopes.rows) * self.weights.sum())

    def carriers(self, ratio: Ratio) -> NDArray[np.bool_]:
        """The rows (rows,) that the ratio of class 1 counts below its line; of two classes."""
        guess, truth = self.guess == 1, self.truth == 1
        hits, predicted, actual, rows = ratio.under
        return np.asarray(hits * (guess & truth) + predicted * guess + actual * truth + rows > 0)

    def _row_shares(self, ratio: Ratio) -> Floats:
        """The ratio over the labels of each row (rows,)."""
        sums = ((each @ np.ones(self.classes)) for each in (self.guess * self.truth, self.guess, self.truth))
        hits, predicted, actual = sums
        return Counts(hits, predicted, actual, self.classes).shares(ratio)


def _share(over: Floats, under: Floats) -> Floats:
    return np.divide(over, under, out=np.zeros(len(over)), where=under > 0)
