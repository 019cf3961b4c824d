"""From predictions to scores: bare for every epoch, with intervals for what is kept and shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import intervals
from dlcli.evaluation.fold_scores import FoldScores
from dlcli.evaluation.metrics import EstimatedMetric
from dlcli.evaluation.metrics import labels as labels  # beside `score`, whose keys they are
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.problems import DataError, Problem
from dlcli.task import Goal

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """One score and how sure it is.

    Attributes:
        name: of the metric, as a monitor.
        value: None where it does not exist.
        low, high: the ends of its interval; None where there is none.
        method: the formula of the interval.
        n: the count that carries the interval.
        reason: why there is no value or no interval.
        starred: whether these rows chose something (an epoch, a threshold), so that it flatters.
        greater_is_better: its direction.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    method: str = ""
    n: float | None = None
    reason: str = ""
    starred: bool = False
    greater_is_better: bool = True

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "method": self.method or None,
            "n": int(self.n) if self.n is not None and self.n % 1 == 0 else self.n,
            "reason": self.reason or None,
            "starred": self.starred,
            "greater_is_better": self.greater_is_better,
        }


@dataclass(frozen=True, slots=True)
class SubsetScores:
    """The scores of one subset of `rows` rows."""

    rows: int
    scores: tuple[Score, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"rows": self.rows, "scores": [score.as_json() for score in self.scores]}


@dataclass(frozen=True, slots=True)
class ScoreSheet:
    """What `scores.json` holds.

    Attributes:
        subsets: by name: "train", "validation", "test".
        baseline: the baseline's scores on the same subsets.
        baseline_name: what the baseline is.
        looks: how often the test set has been looked at, this time included; None if it stayed closed.
        folds: each metric over the folds of a k-fold round.
        baseline_folds: those of the baselines of the same folds.
    """

    subsets: Mapping[str, SubsetScores]
    baseline: Mapping[str, SubsetScores] = field(default_factory=dict)
    baseline_name: str = ""
    looks: int | None = None
    confidence: float = 0.95
    folds: tuple[FoldScores, ...] = ()
    baseline_folds: tuple[FoldScores, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **{name: scores.as_json() for name, scores in self.subsets.items()},
            "folds": [scores.as_json() for scores in self.folds] or None,
            "baseline_folds": [scores.as_json() for scores in self.baseline_folds] or None,
            "baseline": {name: scores.as_json() for name, scores in self.baseline.items()},
            "baseline_name": self.baseline_name or None,
            "looks": self.looks,
            "confidence": self.confidence,
        }


def score(
    metrics: Sequence[Metric],
    goal: Goal,
    truth: NDArray[Any],
    prediction: Floats,
    weight: Floats | None,
    threshold: float,
) -> dict[str, float]:
    """The scores of a subset by name; NaN for one that does not exist, and for all if a prediction is not finite.

    Args:
        metrics: what to compute.
        goal: task and classes.
        truth: class numbers (rows,) for binary and multiclass; (rows, targets) otherwise.
        prediction: probabilities or values in original units, as `Metric.compute` takes them.
        weight: (rows,) or None.
        threshold: from which probability on a label counts as predicted.

    Raises:
        DataError: weights are negative or all zero.
    """
    names = labels(metrics)
    if _unscorable(truth, prediction, weight):
        return dict.fromkeys(names, math.nan)
    return {
        name: metric.compute(goal, truth, prediction, weight, threshold)
        for name, metric in zip(names, metrics, strict=True)
    }  # fmt: skip


def score_table(  # noqa: PLR0913 - the arguments of `score` and three of its own
    metrics: Sequence[Metric],
    goal: Goal,
    truth: NDArray[Any],
    prediction: Floats,
    weight: Floats | None,
    threshold: float,
    *,
    confidence: float = 0.95,
    starred: bool = False,
    dependence: str = "",
) -> SubsetScores:
    """The scores of a subset with their intervals.

    Args:
        metrics: what to compute.
        goal: task and classes.
        truth: as of `score`.
        prediction: as of `score`.
        weight: as of `score`.
        threshold: as of `score`.
        confidence: of the intervals.
        starred: whether these rows chose something.
        dependence: why rows are not independent, e.g. "rows are in time order"; then there are no
            intervals, since these formulas would make them too narrow.

    Raises:
        DataError: weights are negative or all zero.
    """
    why = _unscorable(truth, prediction, weight) or "does not exist for these rows"
    values = score(metrics, goal, truth, prediction, weight, threshold)
    rows = ScoredRows(goal, truth, prediction, weight, threshold)
    found = []
    for (name, value), metric in zip(values.items(), metrics, strict=True):
        if not math.isfinite(value):
            absent = Score(name, None, reason=why, starred=starred, greater_is_better=metric.greater_is_better)
            found.append(absent)
            continue
        if dependence:
            interval = intervals.absent(dependence)
        elif isinstance(metric, EstimatedMetric):
            interval = metric.interval(rows, confidence)
        else:
            interval = intervals.absent("no formula for a function of one's own")
        direction = metric.greater_is_better
        found.append(Score(name, value, **asdict(interval), starred=starred, greater_is_better=direction))
    return SubsetScores(len(truth), tuple(found))


def _unscorable(truth: NDArray[Any], prediction: Floats, weight: Floats | None) -> str:
    """Why no metric can be computed; empty if they can."""
    if len(truth) == 0:
        return "there are no rows"
    if weight is not None and not (np.isfinite(weight).all() and weight.min() >= 0 and weight.sum() > 0):
        message = "row weights must be finite, 0 or more, and not all 0"
        raise DataError(Problem("unusable-weights", message, "mend the weight column", ("data", "weight")))
    return "" if np.isfinite(prediction).all() else "predictions are not finite"
