"""The scores of several folds as one: mean, standard deviation and an interval of the mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcli.evaluation import intervals
from dlcli.evaluation.intervals import Interval
from dlcli.evaluation.metrics import EstimatedMetric, labels
from dlcli.part import Metric


@dataclass(frozen=True, slots=True)
class FoldScores:
    """One metric over all folds.

    Attributes:
        name: of the metric.
        values: fold by fold, repeat after repeat; None where it does not exist.
        mean, sd: of the values; None where one is missing (sd: or there are fewer than 2).
        greater_is_better: the direction of the metric.
        interval: of the expected score of this recipe, trained on as many rows as a fold trains on.
    """

    name: str
    values: tuple[float | None, ...]
    mean: float | None
    sd: float | None
    interval: Interval
    greater_is_better: bool = True

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        interval = self.interval
        return {
            "name": self.name,
            "folds": list(self.values),
            "mean": self.mean,
            "sd": self.sd,
            "low": interval.low,
            "high": interval.high,
            "method": interval.method or None,
            "n": interval.n,
            "reason": interval.reason or None,
            "greater_is_better": self.greater_is_better,
        }


def summarize(
    metrics: Sequence[Metric],
    fold_scores: Sequence[Mapping[str, float]],
    folds: int,
    *,
    confidence: float = 0.95,
    dependence: str = "",
) -> tuple[FoldScores, ...]:
    """Each metric over all folds.

    Args:
        metrics: what was scored.
        fold_scores: what `scores.score` gave for each fold, repeat after repeat.
        folds: how many folds one repeat has.
        confidence: of the intervals.
        dependence: why folds do not overlap as in plain k-fold, e.g. "each fold trains on more rows than
            the one before"; then there are no intervals.
    """
    found = []
    for name, metric in zip(labels(metrics), metrics, strict=True):
        values = np.array([scores[name] for scores in fold_scores], dtype=np.float64)
        shown = tuple(float(value) if math.isfinite(value) else None for value in values)
        if None in shown or not shown:
            interval = intervals.absent("does not exist in every fold")
            found.append(FoldScores(name, shown, None, None, interval, metric.greater_is_better))
            continue
        mean, sd = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None
        interval = intervals.absent(dependence) if dependence else corrected_t(values, folds, confidence)
        found.append(FoldScores(name, shown, mean, sd, _within(interval, metric), metric.greater_is_better))
    return tuple(found)


def corrected_t(values: intervals.Floats, folds: int, confidence: float) -> Interval:
    """Nadeau and Bengio's interval (2003): m +- t s sqrt(1/J + 1/(K-1)) for J scores of K-fold rounds.

    The second term is for folds that share training rows; without it the interval would be far too narrow.
    """
    count = len(values)
    if count < 2:
        return intervals.absent("takes at least 2 folds", count)
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    if np.ptp(values) == 0:
        return intervals.absent("every fold scores the same", count)
    half = intervals.student_quantile(confidence, count - 1) * sd * math.sqrt(1 / count + 1 / (folds - 1))
    return Interval(mean - half, mean + half, "corrected t", count)


def _within(interval: Interval, metric: Metric) -> Interval:
    """The interval inside the range of the score."""
    if interval.low is None or interval.high is None or not isinstance(metric, EstimatedMetric):
        return interval
    low, high = max(interval.low, metric.lowest), min(interval.high, metric.highest)
    return Interval(low, high, interval.method, interval.n)
