"""Thresholds chosen on given rows: from which probability on a label counts as predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.task import Goal, Task

Floats = NDArray[np.float64]
_Choosing = Literal["f1", "youden"] | Mapping[Literal["recall", "precision"], float]
Rule = float | _Choosing
"""A number; "f1" or "youden" (recall + specificity - 1), which become as great as they can; {"recall": r}, the
highest threshold that reaches it; {"precision": p}, the lowest threshold that reaches it."""

NEUTRAL = 0.5
"""The threshold that stands where rows cannot choose one."""
_TIE = 1e-12
"""Scores as near as this are equal: weighted sums differ in their last digits."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Thresholds and what is to be said about them.

    Attributes:
        threshold: strictly between 0 and 1 where rows chose it; (labels,) where each label has its own.
        notes: where a rule could not be followed, and what stands instead.
    """

    threshold: float | tuple[float, ...]
    notes: tuple[str, ...] = ()


def title(rule: Rule) -> str:
    """A rule in words: "0.5", "f1", "recall 0.9"."""
    if isinstance(rule, Mapping):
        return " and ".join(f"{name} {value:g}" for name, value in rule.items())
    return rule if isinstance(rule, str) else f"{rule:g}"


def choose(goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None, rule: Rule) -> Choice:
    """The threshold that a rule finds on these rows, exact over all distinct probabilities.

    It lies midway between two neighbouring probabilities, so that no digit lost on the way flips a row. Among
    equally good ones the nearest to 0.5 is taken.

    Args:
        goal: of the task binary or multilabel.
        truth: 0 or 1, (rows,) or (rows, labels).
        prediction: probabilities, of the same shape.
        weight: (rows,) or None.
        rule: a number stays as it is.

    Returns:
        One threshold, or in multilabel one for each label unless the rule is a number; 0.5 with a note where
        rows cannot choose.
    """
    if not isinstance(rule, (str, Mapping)):
        return Choice(float(rule))
    if goal.task is not Task.MULTILABEL:
        value, note = _of_label(truth, prediction, weight, rule)
        return Choice(value, (note,) if note else ())
    pairs = [_of_label(truth[:, number], prediction[:, number], weight, rule) for number in range(goal.outputs)]
    notes = tuple(f"{name}: {note}" for name, (_, note) in zip(goal.names, pairs, strict=True) if note)
    return Choice(tuple(value for value, _ in pairs), notes)


def _of_label(truth: NDArray[Any], score: Floats, weight: Floats | None, rule: _Choosing) -> tuple[float, str]:
    """The threshold of one label, and a note where the rule could not be followed."""
    weights = np.ones(len(score)) if weight is None else weight
    counted = weights > 0
    truth, score, weights = truth[counted], score[counted], weights[counted]
    if not len(score):
        return NEUTRAL, "threshold 0.5, since there are no rows to choose on"
    if not np.isfinite(score).all():
        return NEUTRAL, "threshold 0.5, since predictions are not finite"
    if truth.min() == truth.max():
        return NEUTRAL, "threshold 0.5, since only one class is among the rows to choose on"
    cuts = _Cuts.of(truth, score, weights)
    if isinstance(rule, str):
        return cuts.best(cuts.f1() if rule == "f1" else cuts.youden()), ""
    ((measure, wanted),) = rule.items()
    reached = cuts.recall() if measure == "recall" else cuts.precision()
    enough = np.flatnonzero(reached >= wanted - _TIE)
    if len(enough):
        return float(cuts.thresholds[enough[-1 if measure == "recall" else 0]]), ""
    best = int(np.argmax(reached))
    return float(cuts.thresholds[best]), f"{measure} {wanted:g} is out of reach, the highest is {reached[best]:.4g}"


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """Every way in which a threshold can part the rows, from the lowest threshold on.

    Attributes:
        thresholds: (cuts,), strictly between 0 and 1.
        hits: weight of the positive rows at or above the threshold (cuts,).
        predicted: weight of all rows at or above it (cuts,).
        positives, rows: weight of all positive rows, and of all.
    """

    thresholds: Floats
    hits: Floats
    predicted: Floats
    positives: float
    rows: float

    @classmethod
    def of(cls, truth: NDArray[Any], score: Floats, weights: Floats) -> _Cuts:
        distinct, group = np.unique(score, return_inverse=True)
        edges = np.concatenate([[0.0], distinct, [1.0]])
        below, above = edges[:-1], edges[1:]
        middle = below + (above - below) / 2
        middle = np.where(middle <= below, above, middle)  # no number lies between the two
        possible = (middle > 0) & (middle < 1) & (above > below)
        hits, predicted = (
            np.append(np.cumsum(np.bincount(group, mass)[::-1])[::-1], 0.0) for mass in (weights * truth, weights)
        )
        return cls(middle[possible], hits[possible], predicted[possible], float(hits[0]), float(predicted[0]))

    def recall(self) -> Floats:
        return self.hits / self.positives

    def precision(self) -> Floats:
        return np.divide(self.hits, self.predicted, out=np.zeros(len(self.hits)), where=self.predicted > 0)

    def f1(self) -> Floats:
        return 2 * self.hits / (self.predicted + self.positives)

    def youden(self) -> Floats:
        return self.recall() - (self.predicted - self.hits) / (self.rows - self.positives)

    def best(self, values: Floats) -> float:
        """The threshold of the greatest value, of several the nearest to 0.5."""
        candidates = self.thresholds[values >= values.max() - _TIE]
        return float(candidates[np.argmin(abs(candidates - NEUTRAL))])
