"""From predictions to scores: bare for every epoch, with intervals for what is kept and shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation.estimate import estimate
from dlcli.evaluation.metrics import EstimatedMetric
from dlcli.evaluation.metrics import labels as labels  # beside `score`, whose keys they are
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.problems import DataError, Problem

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


def score(metrics: Sequence[Metric], rows: ScoredRows) -> dict[str, float]:
    """The scores of rows by name; NaN for one that does not exist, and for all if a prediction is not finite.

    Raises:
        DataError: weights are negative or all zero.
    """
    names = labels(metrics)
    if _unscorable(rows):
        return dict.fromkeys(names, math.nan)
    return {name: rows.score(metric) for name, metric in zip(names, metrics, strict=True)}


def score_table(
    metrics: Sequence[Metric], rows: ScoredRows, *, confidence: float = 0.95, starred: bool = False
) -> tuple[Score, ...]:
    """The scores of rows with their intervals.

    Args:
        metrics: what to compute.
        rows: what to score; intervals take account of groups and of the order in time.
        confidence: of the intervals.
        starred: whether these rows chose something.

    Raises:
        DataError: weights are negative or all zero.
    """
    found = []
    for (name, value), metric in zip(score(metrics, rows).items(), metrics, strict=True):
        direction = metric.greater_is_better
        if not math.isfinite(value):
            needs = f"needs {metric.needs}" if isinstance(metric, EstimatedMetric) and metric.needs else ""
            reason = _unscorable(rows) or needs or "does not exist for these rows"
            found.append(Score(name, None, reason=reason, starred=starred, greater_is_better=direction))
            continue
        interval = estimate(metric, rows, confidence)
        found.append(Score(name, value, **asdict(interval), starred=starred, greater_is_better=direction))
    return tuple(found)


def _unscorable(rows: ScoredRows) -> str:
    """Why no metric can be computed; empty if they can."""
    if len(rows) == 0:
        return "there are no rows"
    weight = rows.weight
    if weight is not None and not (np.isfinite(weight).all() and weight.min() >= 0 and weight.sum() > 0):
        message = "row weights must be finite, 0 or more, and not all 0"
        raise DataError(Problem("unusable-weights", message, "mend the weight column", ("data", "weight")))
    return "" if np.isfinite(rows.prediction).all() else "predictions are not finite"
