"""How sure a score is: closed formulas for the true score of this fixed model on new rows like the scored ones.

Chosen by their coverage in simulations. Where none is right there is no interval but a reason; never
one of width 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import ranking

Floats = NDArray[np.float64]
Scale = Literal["logit", "log", "rest", "plain"]
"""On which a score is nearer to normal: proportions, losses, 1 minus the score as a loss, or as it is."""
FEW_ROWS = 30
"""Below this count an interval deserves a warning."""
_LARGEST_EXPONENT = 700.0
"""Beyond it an exponential overflows."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true score lies, with the confidence that was asked for.

    Attributes:
        low, high: its ends; None where there is no interval.
        method: the name of the formula.
        n: the count that carries it: rows, positives, folds; fractions come from weights.
        reason: why there is no interval.
    """

    low: float | None
    high: float | None
    method: str = ""
    n: float | None = None
    reason: str = ""

    def within(self, lowest: float, highest: float) -> Interval:
        """The interval cut to a range."""
        if self.low is None or self.high is None:
            return self
        return replace(self, low=min(max(self.low, lowest), highest), high=max(min(self.high, highest), lowest))


def absent(reason: str, n: float | None = None) -> Interval:
    """No interval, and why."""
    return Interval(None, None, n=n, reason=reason)


def normal_quantile(confidence: float) -> float:
    """z: the middle `confidence` of the standard normal distribution ends at -z and z."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def student_quantile(confidence: float, degrees: float) -> float:
    """t: as `normal_quantile`, of Student's distribution."""
    from scipy.special import stdtrit  # scipy.stats takes five times as long to import

    return float(stdtrit(degrees, (1 + confidence) / 2))


def wilson(share: float, n: float, confidence: float) -> Interval:
    """Wilson's score interval of a proportion of `n` independent rows (1927)."""
    if n < 1:
        return absent("no row counts here", n)
    z2 = normal_quantile(confidence) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return Interval(max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), "Wilson", n)


def f1(value: float, n: float, confidence: float) -> Interval:
    """F1 of one class through J = TP / (TP + FP + FN), of which it is 2J / (1 + J) (Lam et al. 2023).

    Args:
        value: F1.
        n: TP + FP + FN.
        confidence: e.g. 0.95.
    """
    share = wilson(value / (2 - value), n, confidence)
    if share.low is None or share.high is None:
        return absent("no row is of the class or predicted as it", n)
    low, high = (2 * end / (1 + end) for end in (share.low, share.high))
    return Interval(min(low, value), max(high, value), "Wilson, indirect", n)


def linearised(
    value: float, influence: Floats, weight: Floats | None, confidence: float, scale: Scale, method: str
) -> Interval:
    """A smooth function of means over independent rows: its first-order error with Student's t, on a scale.

    Args:
        value: the score.
        influence: psi, how much each row moves it (rows,), of mean 0; for a mean: that row's loss - value.
        weight: (rows,) or None.
        confidence: e.g. 0.95.
        scale: on which it is nearer to normal.
        method: how the interval is named.
    """
    n = len(influence)
    if n < 2:
        return absent("takes at least 2 rows", n)
    weights = np.ones(n) if weight is None else weight
    error = linear_error(influence, weights)
    if at_end(value, error, scale):
        return wilson(value, float(weights.sum()) ** 2 / float(weights @ weights), confidence)
    return on_scale(value, error, student_quantile(confidence, n - 1), scale, method, n)


def linear_error(influence: Floats, weights: Floats) -> float:
    """The first-order standard error over n > 1 independent rows: sqrt(n/(n-1) sum (w psi)^2) / sum w."""
    n = len(influence)
    return math.sqrt(n / (n - 1) * float(np.sum((weights * influence) ** 2))) / float(weights.sum())


def log_t(value: float, influence: Floats, weight: Floats | None, confidence: float) -> Interval:
    """A mean loss, or a smooth function of means, above 0: `linearised` on the log scale."""
    return linearised(value, influence, weight, confidence, "log", "log-t")


def at_end(value: float, error: float, scale: Scale) -> bool:
    """Whether a share has no error to go by, as when all rows are right: Wilson's interval is for these."""
    return scale == "logit" and not (error > 0 and 0 < value < 1)


def on_scale(value: float, error: float, quantile: float, scale: Scale, method: str, n: float) -> Interval:
    """The ends `quantile` standard errors from a score on a scale, brought back (delta method).

    Args:
        value: the score.
        error: its standard error.
        quantile: of the normal or Student's distribution.
        scale: on which the score is nearer to normal.
        method: how the interval is named.
        n: the count that carries it.
    """
    if not error > 0:
        return absent(f"the {'score' if scale in ('logit', 'plain') else 'loss'} is the same in every row", n)
    if scale == "plain":
        return Interval(value - quantile * error, value + quantile * error, method, n)
    if scale == "rest":
        rest = on_scale(1 - value, error, quantile, "log", method, n)
        if rest.low is None or rest.high is None:
            return rest
        return Interval(min(value, 1 - rest.high), max(value, 1 - rest.low), method, n)
    slope = value * (1 - value) if scale == "logit" else value
    if not slope > 0:
        return absent("the score is at the end of its range", n)
    half = quantile * error / slope
    if half > _LARGEST_EXPONENT:
        return absent("too few rows for so varied a score", n)
    if scale == "log":
        return Interval(value * math.exp(-half), value * math.exp(half), method, n)
    odds = (1 - value) / value
    low, high = (1 / (1 + odds * math.exp(-side * half)) for side in (-1, 1))
    return Interval(min(low, value), max(high, value), method, n)


def roc_auc(positive: NDArray[Any], score: Floats, confidence: float) -> Interval:
    """DeLong's error on the logit scale with many rows of both classes and not too near 0 or 1, else Newcombe 5."""
    m = int(np.sum(positive == 1))
    n = len(positive) - m
    count = min(m, n)
    if count < 2:
        return absent("takes at least 2 rows of each class", count)
    value = ranking.roc_auc(positive, score)
    if count >= FEW_ROWS and min(value, 1 - value) * count >= 1:
        error = ranking.delong_error(positive, score)
        return on_scale(value, error, normal_quantile(confidence), "logit", "logit-DeLong", count)
    return _newcombe(value, m, n, confidence)


def average_precision(positive: NDArray[Any], score: Floats, confidence: float) -> Interval:
    """The infinitesimal jackknife on the logit scale with 100 positives or more, else Wilson on the positives."""
    positives = int(np.sum(positive == 1))
    if positives < 2:
        return absent("takes at least 2 positive rows", positives)
    value, influence = ranking.average_precision_influence(positive, score)
    if positives >= 100 and (1 - value) * positives >= 1:
        n = len(influence)
        error = math.sqrt(n / (n - 1) * float(np.sum(influence**2)))
        return on_scale(value, error, normal_quantile(confidence), "logit", "logit jackknife", positives)
    return wilson(value, positives, confidence)


def _newcombe(value: float, m: int, n: int, confidence: float) -> Interval:
    """Newcombe's method 5 (2006): the areas from which `value` is z standard errors away, found by bisection."""
    z2 = normal_quantile(confidence) ** 2
    half = (m + n) / 2 - 1

    def distance(area: float) -> float:
        spread = 1 + half * ((1 - area) / (2 - area) + area / (1 + area))
        return (value - area) ** 2 - z2 * area * (1 - area) * spread / (m * n)

    def border(outside: float) -> float:
        inside = value
        for _ in range(100):  # halves to below the last digit
            middle = (inside + outside) / 2
            if distance(middle) > 0:
                outside = middle
            else:
                inside = middle
        return (inside + outside) / 2

    return Interval(
        0.0 if value == 0 else border(0.0), 1.0 if value == 1 else border(1.0), "Newcombe 5", min(m, n)
    )  # fmt: skip
