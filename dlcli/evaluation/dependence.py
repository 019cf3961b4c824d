"""Intervals of scores of rows that depend on each other: neighbours in time, or rows of one group.

Formulas for independent rows would be far too narrow for them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import intervals
from dlcli.evaluation.intervals import Interval, Scale, absent

Floats = NDArray[np.float64]
FEWEST_ORDERED_ROWS = 50
FEWEST_GROUPS = 5
TOO_FEW_ORDERED_ROWS = f"takes at least {FEWEST_ORDERED_ROWS} rows in time order"
TOO_FEW_GROUPS = f"takes at least {FEWEST_GROUPS} groups"
ONE_GROUP = "the score hangs on a single group"


def in_time_order(value: float, influence: Floats, weights: Floats, confidence: float, scale: Scale) -> Interval:
    """Rows in time order: the equal-weighted cosine estimate of the long-run variance, with Student's t.

    With nu = round(0.4 n^(2/3)) cosines L_j = sqrt(2/n) sum psi_i cos(pi j (i - 1/2) / n), the variance of
    the score is sum L_j^2 / (nu n), with nu degrees of freedom (Lazarus, Lewis, Stock & Watson 2018).

    Args:
        value: the score.
        influence: psi, how much each row moves it (rows,), of mean 0, in time order.
        weights: (rows,).
        confidence: e.g. 0.95.
        scale: on which the score is nearer to normal.
    """
    n = len(influence)
    if n < FEWEST_ORDERED_ROWS:
        return absent(TOO_FEW_ORDERED_ROWS, n)
    error, degrees = error_in_time_order(influence, weights)
    if intervals.at_end(value, error, scale):  # nothing tells how long errors last: each cosine counts as a row
        return intervals.wilson(value, degrees + 1, confidence)
    quantile = intervals.student_quantile(confidence, degrees)
    return intervals.on_scale(value, error, quantile, scale, "cosine t over time", n)


def error_in_time_order(influence: Floats, weights: Floats) -> tuple[float, int]:
    """The standard error by the cosine estimate, and its degrees of freedom; arguments as of `in_time_order`."""
    from scipy.fft import dct

    n = len(influence)
    degrees = round(0.4 * n ** (2 / 3))
    cosines = dct(influence * weights / weights.mean(), type=2)[1 : degrees + 1] / 2
    return math.sqrt(2 / n * float(cosines @ cosines) / (degrees * n)), degrees


def over_groups(value: float, without: Floats, sizes: Floats, confidence: float, scale: Scale) -> Interval:
    """Rows in groups: the jackknife that leaves out one group at a time (CR3), with Student's t.

    The variance is (G-1)/G sum (S_without - S)^2; G_eff = (sum of sizes)^2 / sum of sizes^2 groups of one
    size are worth as much, and leave G_eff - 1 degrees of freedom (at least 1).

    Args:
        value: the score of all rows.
        without: the score without each group (groups,).
        sizes: the weight of each group (groups,), its rows without weights.
        confidence: e.g. 0.95.
        scale: on which the score is nearer to normal.
    """
    groups = len(sizes)
    if groups < FEWEST_GROUPS:
        return absent(TOO_FEW_GROUPS, groups)
    if not np.isfinite(without).all():
        return absent(ONE_GROUP, groups)
    error, effective = error_over_groups(value, without, sizes)
    if intervals.at_end(value, error, scale):
        return intervals.wilson(value, effective, confidence)
    quantile = intervals.student_quantile(confidence, max(1.0, effective - 1))
    return intervals.on_scale(value, error, quantile, scale, "jackknife over groups", effective)


def error_over_groups(value: float, without: Floats, sizes: Floats) -> tuple[float, float]:
    """The standard error by the jackknife, and how many groups of one size they are worth; as of `over_groups`."""
    groups, spread = len(sizes), without - value
    error = math.sqrt((groups - 1) / groups * float(spread @ spread))
    if error <= 1e-12 * abs(value):
        error = 0.0  # the same but for rounding
    return error, float(sizes.sum()) ** 2 / float(sizes @ sizes)
