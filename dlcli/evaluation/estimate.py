"""The interval of any score: the one door to all formulas, chosen by how the rows depend on each other."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import dependence, intervals
from dlcli.evaluation.intervals import Interval
from dlcli.evaluation.metrics import EstimatedMetric
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric

Floats = NDArray[np.float64]
_RECOMPUTED_ROWS = 10_000_000
"""How many rows may be scored again in all to leave out each group; about a second."""


def estimate(metric: Metric, rows: ScoredRows, confidence: float) -> Interval:
    """The interval of the score that a metric gives rows.

    Rows of groups: the jackknife over groups, with five of them or more. Rows in time order: the cosine
    estimate. Independent rows: the metric's own. Groups of one row each are no groups.

    Returns:
        An interval around the score within its range, or one without ends and with a reason.
    """
    if not isinstance(metric, EstimatedMetric):
        return intervals.absent("no formula for a function of one's own")
    if rows.weight is not None:
        rows = rows.take(rows.weight > 0)
    value = rows.score(metric) if len(rows) else math.nan
    if not math.isfinite(value):
        return intervals.absent("does not exist for these rows", len(rows))
    value = min(max(value, metric.lowest), metric.highest)  # weights may round it out of its range
    groups = shared_groups(rows)
    if groups is None and not rows.ordered:
        return _around(metric.interval(rows, confidence), value, metric)
    influence = metric.influence(rows)
    if influence is None:
        own = metric.interval(rows, confidence)
        return own if own.low is None else intervals.absent("no formula for rows that depend on each other", len(rows))
    weights = rows.weights()
    if groups is None or judged_by_time(rows, groups):
        found = dependence.in_time_order(value, influence, weights, confidence, metric.scale)
    else:
        sizes: Floats = np.bincount(groups, weights).astype(np.float64)
        without = without_each_group(metric, rows, value, groups, influence)
        found = dependence.over_groups(value, without, sizes, confidence, metric.scale)
    return _around(found, value, metric)


def judged_by_time(rows: ScoredRows, groups: NDArray[np.int64]) -> bool:
    """Whether the order in time says more of rows than their groups, as of a few long series."""
    return rows.ordered and int(groups.max()) + 1 < dependence.FEWEST_GROUPS


def meaning(confidence: float, *, grouped: bool = False, ordered: bool = False) -> str:
    """What the interval of a score covers, in a sentence."""
    drawn = "new groups of rows" if grouped else "new stretches of time" if ordered else "new rows"
    return (
        f"The {100 * confidence:.4g} % interval holds the true score of this fixed model on {drawn} like these; it "
        "knows neither the luck of training nor data that change."
    )


def shared_groups(rows: ScoredRows) -> NDArray[np.int64] | None:
    """The number of each row's group, from 0 on; None if no two rows share one."""
    if rows.groups is None:
        return None
    names, number = np.unique(rows.groups, return_inverse=True)
    return number if len(names) < len(rows) else None


def without_each_group(
    metric: Metric, rows: ScoredRows, value: float, groups: NDArray[np.int64], influence: Floats
) -> Floats:
    """The score without each group (groups,): computed again, or to first order where that would take long.

    For means over rows both are the same.
    """
    weights = rows.weights()
    sizes = np.bincount(groups, weights)
    if len(sizes) < dependence.FEWEST_GROUPS:
        return np.empty(0)  # so few have no interval, and there may be no rows without one of them
    if len(sizes) * len(rows) <= _RECOMPUTED_ROWS:
        return np.array([rows.take(groups != group).score(metric) for group in range(len(sizes))])
    first_order: Floats = value - np.bincount(groups, weights * influence) / (weights.sum() - sizes)
    return first_order


def _around(interval: Interval, value: float, metric: EstimatedMetric) -> Interval:
    """The interval within the range of the score, with the score in it."""
    if interval.low is None or interval.high is None:
        return interval
    low, high = min(interval.low, value), max(interval.high, value)
    return replace(interval, low=low, high=high).within(*metric.bounds())
