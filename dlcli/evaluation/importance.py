"""Permutation importance: how much worse a score is when one input column is shuffled among the rows.

Breiman (2001), in the form for any fitted model of Fisher, Rudin and Dominici (2019). A column that another
one stands in for shows little, however much the model would miss both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import dependence, intervals
from dlcli.evaluation.intervals import Interval
from dlcli.evaluation.metrics import EstimatedMetric, label
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.problems import DataError, Problem
from dlcli.samples import Samples

Floats = NDArray[np.float64]
Predict = Callable[[Samples], Floats]
"""Raw rows in, predictions as `Metric.compute` takes them out."""

REPEATS = 5
MOST_ROWS = 2_000
MOST_COLUMNS = 100
_SCREENED_ROWS = 200
_FEWEST_ROWS = 30
"""With fewer affordable rows there is no telling columns apart."""
_VALUES = 2e8
"""Raw values that all predictions together may read: half a minute for a small network on two cores."""
_CALL_VALUES = 2**24
"""Raw values of one call of the model."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: what the score loses when it is shuffled, above 0 if the model needs it."""

    name: str
    drop: float
    interval: Interval

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        low, high, reason = self.interval.low, self.interval.high, self.interval.reason
        return {"name": self.name, "drop": self.drop, "low": low, "high": high, "reason": reason or None}


@dataclass(frozen=True, slots=True)
class Importance:
    """The columns of a model, the most needed first.

    Attributes:
        rows: how many rows were scored.
        features: of each column.
        left_out: how many columns are missing: those that move the predictions least.
    """

    rows: int
    features: tuple[Feature, ...]
    left_out: int

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        features = [feature.as_json() for feature in self.features]
        return {
            "rows": self.rows,
            "repeats": REPEATS,
            "features": features,
            "left_out": self.left_out,
        }


def permutation_importance(
    metric: Metric,
    rows: ScoredRows,
    samples: Samples,
    predict: Predict,
    generator: np.random.Generator,
    confidence: float = 0.95,
) -> Importance:
    """Shuffles each column in turn and scores the predictions again.

    Each of `REPEATS` shuffles is one random cycle through the rows, the same for all columns: every row gets
    the value of another one. Of more than `MOST_ROWS` rows a sample is used; of more than `MOST_COLUMNS`
    columns those whose shuffling moves the predictions most, which is found without looking at any target.

    Args:
        metric: the score.
        rows: the rows to score, as the model predicts them.
        samples: the same rows, raw.
        predict: the model.
        generator: of the shuffles.
        confidence: of the intervals: of the drop that this model would show on new rows like these.

    Raises:
        DataError: there are fewer than 2 columns or rows, more columns than there is time for, or no score.
    """
    width = sum(max(1, math.prod(_row_shape(column))) for column in samples.values())
    affordable = int(_VALUES / (REPEATS * width * min(len(samples), MOST_COLUMNS)))
    if len(samples) < 2 or len(rows) < 2:
        raise _impossible(f"takes at least 2 input columns and 2 rows, got {len(samples)} and {len(rows)}")
    if min(affordable, _VALUES / (width * len(samples))) < _FEWEST_ROWS:
        raise _impossible(f"{len(samples):,} input columns would take too long")
    if len(rows) > (most := min(MOST_ROWS, affordable)):
        chosen = np.sort(generator.choice(len(rows), most, replace=False))
        rows, samples = rows.take(chosen), samples.take(chosen)
    if not (np.isfinite(rows.prediction).all() and math.isfinite(rows.score(metric))):
        raise _impossible(f"{label(metric)} does not exist for these rows")
    names = tuple(samples)
    if len(names) > MOST_COLUMNS:
        names = _influential(rows, samples, predict, generator, int(_VALUES / (width * len(names))))
    donors = np.stack([_cycle(len(rows), generator) for _ in range(REPEATS)])
    shuffled = _predictions(names, samples, predict, donors, max(1, int(_CALL_VALUES / (donors.size * width))))
    features = [_feature(metric, name, rows, prediction, donors, confidence) for name, prediction in shuffled]
    features.sort(key=lambda each: -each.drop)
    return Importance(len(rows), tuple(features), len(samples) - len(names))


def _impossible(reason: str) -> DataError:
    return DataError(Problem("no-importance", f"no permutation importance: {reason}"))


def _row_shape(column: Any) -> tuple[int, ...]:
    shape: tuple[int, ...] = column.shape[1:] if isinstance(column, np.ndarray) else ()
    return shape


def _cycle(n: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """For each row the one that it gets a value from, never itself: a random cycle through all of them (n,)."""
    order = generator.permutation(n)
    donor = np.empty(n, dtype=np.int64)
    donor[order] = np.roll(order, 1)
    return donor


def _influential(
    rows: ScoredRows, samples: Samples, predict: Predict, generator: np.random.Generator, most: int
) -> tuple[str, ...]:
    """The columns whose shuffling moves the predictions of a few rows most, in their order in the data."""
    few = np.arange(len(rows))
    if len(few) > (most := min(_SCREENED_ROWS, most)):
        few = np.sort(generator.choice(len(rows), most, replace=False))
    screened, base = samples.take(few), _columns(rows.prediction[few])
    spread = base.std(axis=0)
    unit = np.where(spread > 0, spread, 1.0)
    donors = _cycle(len(few), generator)[np.newaxis]
    moved = [
        (float((abs(_columns(prediction[0]) - base) / unit).mean()), name)
        for name, prediction in _predictions(tuple(samples), screened, predict, donors, MOST_COLUMNS)
    ]
    kept = {name for _, name in sorted(moved, key=lambda each: -each[0])[:MOST_COLUMNS]}
    return tuple(name for name in samples if name in kept)


def _columns(prediction: Floats) -> Floats:
    return prediction.reshape(len(prediction), -1)


def _predictions(
    names: Sequence[str], samples: Samples, predict: Predict, donors: NDArray[np.int64], at_once: int
) -> Iterator[tuple[str, Floats]]:
    """What the model gives (shuffles, rows, ...) with each column shuffled, some columns in one call."""
    repeats, n = donors.shape
    for start in range(0, len(names), at_once):
        some = names[start : start + at_once]
        given = np.tile(np.arange(n), (len(some), repeats, 1))
        columns = {}
        for name, column in samples.items():
            taken = given.copy()
            if name in some:
                taken[some.index(name)] = donors
            columns[name] = Samples({name: column}, n).take(taken.ravel())[name]
        found = predict(Samples(columns, given.size))
        yield from zip(some, found.reshape(len(some), repeats, n, *found.shape[1:]), strict=True)


def _feature(
    metric: Metric,
    name: str,
    rows: ScoredRows,
    predictions: Floats,
    donors: NDArray[np.int64],
    confidence: float,
) -> Feature:
    shuffled = [replace(rows, prediction=prediction) for prediction in predictions]
    sign = 1.0 if metric.greater_is_better else -1.0
    score = rows.score(metric)
    drop = sign * float(np.mean([score - each.score(metric) for each in shuffled]))
    if not isinstance(metric, EstimatedMetric) or (base := metric.influence(rows)) is None:
        return Feature(name, drop, intervals.absent(f"no formula for differences of {label(metric)}", len(rows)))
    weights = rows.weights() / rows.weights().sum()
    moved = []
    for each in shuffled:
        influence = metric.influence(each)
        if influence is None:
            return Feature(name, drop, intervals.absent("the shuffled score has no error", len(rows)))
        moved.append(sign * weights * (base - influence) / len(shuffled))
    interval = _interval(drop, np.stack(moved), donors, rows, confidence)
    ends = sorted((sign * (score - metric.lowest), sign * (score - metric.highest)))
    return Feature(name, drop, interval.within(*ends))


def _interval(drop: float, moved: Floats, donors: NDArray[np.int64], rows: ScoredRows, confidence: float) -> Interval:
    """An interval whose error knows that each shuffled row hangs on two rows.

    A shuffled row's score depends on the row and on the one that gave the value, so the changes are dyadic
    data: V = sum_i (sum of the changes that row i has a part in)^2 - sum of their squares (Fafchamps & Gubert
    2007; Aronow, Samii & Assenova 2015), times n / (n - 1), with Student's t. In simulations of 36 to 500 rows 95 %
    intervals covered 92-96 %; those that forget the giver, 85 %. Rows that depend on each other enter the formulas
    for those with all that they have a part in, a little on the safe side.

    Args:
        drop: the mean change.
        moved: its parts, of mean 0 (shuffles, rows).
        donors: which row gave the value (shuffles, rows).
        rows: with what is known of how they depend on each other.
        confidence: e.g. 0.95.
    """
    n = len(rows)
    if not moved.any():
        return intervals.absent("no row moves the score", n)
    received = moved.sum(axis=0)
    part = received + np.bincount(donors.ravel(), moved.ravel(), n)
    if rows.groups is not None:
        _, group, sizes = np.unique(rows.groups, return_inverse=True, return_counts=True)
        if len(sizes) < n:
            without = drop - np.bincount(group, part) * n / np.maximum(n - sizes, 1)
            return dependence.over_groups(drop, without, sizes.astype(np.float64), confidence, "plain")
    if rows.ordered:
        return dependence.in_time_order(drop, n * part, np.ones(n), confidence, "plain")
    variance = max(float(part @ part - (moved**2).sum()), float(received @ received))
    error = math.sqrt(variance * n / (n - 1))
    return intervals.on_scale(drop, error, intervals.student_quantile(confidence, n - 1), "plain", "dyadic t", n)
