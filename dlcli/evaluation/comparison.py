"""Whether one model is better than another on the same rows or folds; by how much, and how sure that is.

A difference is a minus b, in the metric's own unit. The tests were chosen by their false alarms in simulations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import dependence, ranking
from dlcli.evaluation.counts import effective_rows
from dlcli.evaluation.estimate import judged_by_time, shared_groups, without_each_group
from dlcli.evaluation.fold_scores import corrected_error
from dlcli.evaluation.intervals import linear_error, normal_quantile, student_quantile
from dlcli.evaluation.metrics import Accuracy, EstimatedMetric, Recall, RocAuc, Specificity
from dlcli.evaluation.metrics.row_means import RowMean
from dlcli.evaluation.rows import ScoredRows
from dlcli.numbers import rounded
from dlcli.part import Metric
from dlcli.task import NUMBERS, Task

Floats = NDArray[np.float64]
FOUND = 0.8
"""In this share of samples a detectable difference is found."""
_LEAST_P = 0.0001
_ROUNDING = 1e-12
_UNKNOWN = "no formula for the difference of this score"


@dataclass(frozen=True, slots=True)
class Difference:
    """A score minus another one of the same metric, on the same rows or folds.

    Attributes:
        value: a minus b, in the metric's own unit; None where one of the scores does not exist.
        low, high: the ends of its interval; None where there is none.
        p: how often models that are equally good would differ so much or more; None where there is no test.
        method: the formula.
        n: the count that carries it: rows, rows of the rarer class, groups, folds; fractions come from weights.
        reason: why there is no value or no interval.
        detectable: the true difference that such rows would show in 4 of 5 tries.
        greater_is_better: the direction of the metric.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    method: str = ""
    n: float | None = None
    reason: str = ""
    detectable: float | None = None
    greater_is_better: bool = True

    @property
    def better(self) -> Literal["a", "b"] | None:
        """Which of the two is better; None where the interval leaves that open."""
        if self.low is None or self.high is None or self.low <= 0 <= self.high:
            return None
        return "a" if (self.low > 0) == self.greater_is_better else "b"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "difference": self.value,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "method": self.method or None,
            "n": int(self.n) if self.n is not None and self.n % 1 == 0 else self.n,
            "reason": self.reason or None,
            "detectable": self.detectable,
            "greater_is_better": self.greater_is_better,
        }


def paired(metric: Metric, a: ScoredRows, b: ScoredRows, confidence: float = 0.95) -> Difference:
    """The difference of two models' scores on the same rows.

    Where every row is right or wrong: Bonett and Price's interval (2012) with McNemar's mid-p test (Fagerland
    2013). The area under the ROC curve: DeLong's covariance (1988), t with the rows of the rarer class. Mean losses
    and errors: paired t. Whatever else is a smooth function of means: t on the differences of influence values.
    Rows that depend on each other: their groups left out one by one, or the variance of their order in time.

    Args:
        metric: what is compared.
        a: the rows with one model's predictions; the same as `b` but for predictions and threshold.
        b: the rows with the other's.
        confidence: of the interval.
    """
    value = a.score(metric) - b.score(metric)
    if not math.isfinite(value):
        found = Difference(None, reason="the score does not exist for these rows")
    elif not isinstance(metric, EstimatedMetric):
        found = Difference(value, reason="no formula for a function of one's own")
    else:
        there = a.weights() > 0
        found = _paired(metric, a.take(there), b.take(there), value, confidence)
    return replace(found, greater_is_better=metric.greater_is_better)


def _paired(metric: EstimatedMetric, a: ScoredRows, b: ScoredRows, value: float, confidence: float) -> Difference:
    groups = shared_groups(a)
    if groups is None and not a.ordered:
        return _independent(metric, a, b, value, confidence)
    influences = metric.influence(a), metric.influence(b)
    if influences[0] is None or influences[1] is None:
        return Difference(value, reason=_UNKNOWN)
    return _dependent(metric, (a, b), (influences[0], influences[1]), groups, confidence)


def _independent(metric: EstimatedMetric, a: ScoredRows, b: ScoredRows, value: float, confidence: float) -> Difference:
    n, two_classes = len(a), a.goal.task is Task.BINARY
    if two_classes and isinstance(metric, RocAuc) and metric.max_fpr is None and a.weight is None:
        return _delong(a, b, value, confidence)
    if two_classes and isinstance(metric, Recall | Specificity) and metric.average in ("auto", "binary"):
        carriers = a.truth == (1 if isinstance(metric, Recall) else 0)
        return _independent(Accuracy(), a.take(carriers), b.take(carriers), value, confidence)
    if isinstance(metric, RowMean):
        outcomes = metric.row_values(a), metric.row_values(b)
        if n and all(np.isin(each, (0, 1)).all() for each in outcomes):
            return _bonett_price(*outcomes, a.weight, value, confidence)
    if n < 2:
        return Difference(value, n=n, reason="takes at least 2 rows")
    first, second = metric.influence(a), metric.influence(b)
    if first is None or second is None:
        return Difference(value, reason=_UNKNOWN)
    influence = first - second
    if np.abs(influence).max() <= _ROUNDING * np.abs(first).max():
        influence = np.zeros(n)
    if isinstance(metric, RowMean) or a.goal.task in NUMBERS:
        return from_error(value, linear_error(influence, a.weights()), n - 1, "paired t", n, confidence)
    return by_effective_rows(value, influence, a.weights(), confidence, "paired t of effective rows")


def by_effective_rows(value: float, influence: Floats, weights: Floats, confidence: float, method: str) -> Difference:
    """Student's t with the degrees of freedom of the rows that decide: (sum d^2)^2 / sum d^4 - 1, at least 1.

    Where a few rows decide, as in F1 of a rare class, n - 1 degrees would give three times the false alarms.

    Args:
        value: the difference.
        influence: how much each row moves it (rows,).
        weights: (rows,).
        confidence: of the interval.
        method: how it is named.
    """
    error, moving = linear_error(influence, weights), effective_rows((weights * influence) ** 2)
    return from_error(value, error, max(1.0, moving - 1), method, moving, confidence)


def _dependent(
    metric: EstimatedMetric,
    sides: tuple[ScoredRows, ScoredRows],
    influences: tuple[Floats, Floats],
    groups: NDArray[np.int64] | None,
    confidence: float,
) -> Difference:
    """Rows of groups, or in time order, as `estimate` judges them."""
    rows, weights = sides[0], sides[0].weights()
    first, second = (each.score(metric) for each in sides)
    value, n = first - second, len(rows)
    if groups is None or judged_by_time(rows, groups):
        if n < dependence.FEWEST_ORDERED_ROWS:
            return Difference(value, n=n, reason=dependence.TOO_FEW_ORDERED_ROWS)
        error, degrees = dependence.error_in_time_order(influences[0] - influences[1], weights)
        return from_error(value, error, degrees, "paired cosine t over time", n, confidence)
    sizes: Floats = np.bincount(groups, weights).astype(np.float64)
    if len(sizes) < dependence.FEWEST_GROUPS:
        return Difference(value, n=len(sizes), reason=dependence.TOO_FEW_GROUPS)
    without = without_each_group(metric, rows, first, groups, influences[0])
    without = without - without_each_group(metric, sides[1], second, groups, influences[1])
    if not np.isfinite(without).all():
        return Difference(value, n=len(sizes), reason=dependence.ONE_GROUP)
    error, effective = dependence.error_over_groups(value, without, sizes)
    return from_error(value, error, max(1.0, effective - 1), "paired jackknife over groups", effective, confidence)


def _bonett_price(a: Floats, b: Floats, weight: Floats | None, value: float, confidence: float) -> Difference:
    """A difference of the shares of the same rows in which a, and b, is 1 and not 0.

    With weights the counts become shares of the effective rows, and p that of the interval that ends at 0.
    """
    weights = np.ones(len(a)) if weight is None else weight
    n = effective_rows(weights)
    scale = n / float(weights.sum())
    more, less = (float(weights[rows].sum()) * scale for rows in (a > b, a < b))
    centre = (more - less) / (n + 2)
    error = math.sqrt(((more + less + 2) / (n + 2) - centre**2) / (n + 2))
    half = normal_quantile(confidence) * error
    ends = max(-1.0, min(value, centre - half)), min(1.0, max(value, centre + half))
    detectable = (normal_quantile(confidence) + normal_quantile(2 * FOUND - 1)) * error
    if weight is None:
        return Difference(value, *ends, mcnemar(int(more), int(less)), "Bonett-Price, McNemar mid-p", n, "", detectable)
    p = math.erfc(abs(centre) / error / math.sqrt(2))
    return Difference(value, *ends, p, "Bonett-Price, effective rows", n, "", detectable)


def mcnemar(more: int, less: int) -> float:
    """McNemar's mid-p value: how surely rows that only one of two models answers right fall to either alike.

    2 P(X <= min) - P(X = min), X binomial of more + less trials at 1/2; 1 where both are equal (Fagerland 2013).
    """
    if more == less:
        return 1.0
    from scipy.special import bdtr

    fewer, trials = min(more, less), more + less
    below = float(bdtr(fewer - 1, trials, 0.5)) if fewer else 0.0
    return float(bdtr(fewer, trials, 0.5)) + below


def _delong(a: ScoredRows, b: ScoredRows, value: float, confidence: float) -> Difference:
    """Areas under two ROC curves of the same rows."""
    places = [ranking.placements(rows.truth, rows.prediction) for rows in (a, b)]
    above, below = (first - second for first, second in zip(*places, strict=True))
    count = min(len(above), len(below))
    if count < 2:
        return Difference(value, n=count, reason="takes at least 2 rows of each class")
    error = math.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    return from_error(value, error, count - 1, "paired DeLong", count, confidence)


def from_error(value: float, error: float, degrees: float, method: str, n: float, confidence: float) -> Difference:
    """Student's t of a difference and its standard error.

    Args:
        value: the difference.
        error: its standard error.
        degrees: of freedom.
        method: how it is named.
        n: the count that carries it.
        confidence: of the interval.
    """
    if not error > 0:
        return Difference(value, n=n, reason="no row tells the two apart" if value == 0 else "too few rows decide")
    from scipy.special import stdtr

    quantile = student_quantile(confidence, degrees)
    half, detectable = quantile * error, (quantile + student_quantile(2 * FOUND - 1, degrees)) * error
    p = 2 * float(stdtr(degrees, -abs(value) / error))
    return Difference(value, value - half, value + half, p, method, n, "", detectable)


def over_folds(
    metric: Metric,
    a: Sequence[float | None],
    b: Sequence[float | None],
    folds: int,
    confidence: float = 0.95,
    *,
    dependence: str = "",
) -> Difference:
    """The mean difference of two recipes' scores on the same folds: Nadeau and Bengio's corrected t (2003).

    Args:
        metric: what is compared.
        a: one recipe's scores, fold by fold, repeat after repeat; None or NaN where a score does not exist.
        b: the other's.
        folds: how many folds one repeat has.
        confidence: of the interval.
        dependence: why folds do not overlap as in plain k-fold; then there is no interval.
    """
    values = np.array(a, dtype=np.float64) - np.array(b, dtype=np.float64)
    found = _over_folds(values, folds, confidence, dependence)
    return replace(found, greater_is_better=metric.greater_is_better)


def _over_folds(values: Floats, folds: int, confidence: float, dependence: str) -> Difference:
    count = len(values)
    if count == 0 or not np.isfinite(values).all():
        return Difference(None, n=count, reason="the score does not exist in every fold")
    mean = float(values.mean())
    if dependence or count < 2:
        return Difference(mean, n=count, reason=dependence or "takes at least 2 folds")
    if np.ptp(values) <= _ROUNDING * float(np.abs(values).max()):
        return Difference(mean, n=count, reason="every fold differs by the same")
    return from_error(mean, corrected_error(values, folds), count - 1, "corrected t", count, confidence)


def in_words(metric: str, difference: Difference, a: str, b: str, rows: str) -> str:
    """A difference as a plain sentence: which of two models is better, or what it would take to tell.

    Args:
        metric: its name.
        difference: a minus b.
        a: the name of one model.
        b: the name of the other.
        rows: what they were compared on, e.g. "36 rows".
    """
    value, low, high = difference.value, difference.low, difference.high
    if value is None or low is None or high is None or difference.detectable is None:
        return f"{a} and {b} cannot be compared by {metric}: {difference.reason}"
    shown, sign = partial(rounded, width=high - low), -1 if difference.better == "b" else 1
    ends = [shown(end) for end in sorted((sign * low, sign * high))]
    gap = f"{metric} {'+' if sign * value > 0 else ''}{shown(sign * value)} ({' to '.join(ends)})"
    if difference.p is not None:
        gap += f", p {difference.p:.2g}" if difference.p >= _LEAST_P else f", p < {_LEAST_P}"
    if difference.better:
        better, worse = (a, b) if difference.better == "a" else (b, a)
        return f"{better} is better than {worse}: {gap}"
    found = f"{shown(difference.detectable)} would be found in 4 of 5 tries"
    return f"no difference between {a} and {b} that {rows} could show: {gap}; {found}"


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P values corrected for their number by Holm's step-down method (1979); None stays None and does not count."""
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, place) in enumerate(order):
        reached = max(reached, min(1.0, (len(order) - rank) * p))
        found[place] = reached
    return found
