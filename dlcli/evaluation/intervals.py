"""How sure a score is: closed formulas for the true score of this fixed model on new rows like the scored ones.

Chosen by their coverage in simulations. Where none is right there is no interval but a reason; never
one of width 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import ranking

Floats = NDArray[np.float64]
FEW_ROWS = 30
"""Below this count an interval deserves a warning."""


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


def log_t(value: float, influence: Floats, weight: Floats | None, confidence: float) -> Interval:
    """A mean loss, or a smooth function of means, above 0: Student's t on the log scale.

    Args:
        value: the score.
        influence: how much each row moves it (rows,), of mean 0; for a mean loss: loss - value.
        weight: (rows,) or None.
        confidence: e.g. 0.95.
    """
    n = len(influence)
    if n < 2:
        return absent("takes at least 2 rows", n)
    weights = np.ones(n) if weight is None else weight
    error = math.sqrt(n / (n - 1) * float(np.sum((weights * influence) ** 2))) / float(weights.sum())
    if not (value > 0 and error > 0):
        return absent("the loss is the same in every row", n)
    exponent = student_quantile(confidence, n - 1) * error / value
    if exponent > 700:  # its exponential would overflow
        return absent("too few rows for so varied a loss", n)
    return Interval(value * math.exp(-exponent), value * math.exp(exponent), "log-t", n)


def r2(value: float, influence: Floats, weight: Floats | None, confidence: float) -> Interval:
    """R2 through the loss 1 - R2; `influence` is that of R2."""
    loss = log_t(1 - value, influence, weight, confidence)
    if loss.low is None or loss.high is None:
        return loss
    return Interval(min(value, 1 - loss.high), max(value, 1 - loss.low), "log-t of 1 - R2", loss.n)


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
        return _logit(value, error, confidence, "logit-DeLong", count)
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
        return _logit(value, error, confidence, "logit jackknife", positives)
    return wilson(value, positives, confidence)


def _logit(value: float, error: float, confidence: float, method: str, n: float) -> Interval:
    if not error > 0:
        return absent("every row moves the score alike", n)
    centre = math.log(value / (1 - value))
    half = normal_quantile(confidence) * error / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-(centre + side * half))) for side in (-1, 1))
    return Interval(min(low, value), max(high, value), method, n)


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
