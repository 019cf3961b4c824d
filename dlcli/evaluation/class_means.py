"""Intervals of means over classes: balanced accuracy and macro-F1, from counts.

With few classes the errors of the classes' own intervals are put together (MOVER); with many, the mean is
treated as the share of as many independent rows as have its variance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import intervals
from dlcli.evaluation.intervals import Interval, absent

Floats = NDArray[np.float64]
_FEW_CLASSES = 3
_FEW_ROWS = 10


def balanced_accuracy(hits: Floats, rows: Floats, confidence: float) -> Interval:
    """The mean recall of the classes that have rows: MOVER for up to three, else Wilson's with effective rows.

    Args:
        hits: rows of each class that are predicted as it (classes,).
        rows: rows of each class (classes,); those of weighted rows count as Kish's effective rows, and
            `hits` as their weighted share of them. A class without rows is left out.
        confidence: e.g. 0.95.
    """
    there = rows > 0
    hits, rows = hits[there], rows[there]
    classes = len(rows)
    if classes == 0 or rows.min() < 1:
        return absent("takes at least 1 row of each class", float(rows.min()) if classes else 0)
    recalls = hits / rows
    mean = float(recalls.mean())
    if classes <= _FEW_CLASSES:
        each = (intervals.wilson(*pair, confidence) for pair in zip(recalls.tolist(), rows.tolist(), strict=True))
        return _mover(recalls, each, float(rows.min()))
    shrunk = (hits + mean) / (rows + 1)
    middle, variance = float(shrunk.mean()), float(np.sum(shrunk * (1 - shrunk) / rows)) / classes**2
    alike = classes**2 / float(np.sum(1 / rows))
    worth = middle * (1 - middle) / variance if variance > 0 else alike
    return _wilson(mean, worth, confidence, worth)


def macro_f1(counts: Floats, confidence: float) -> Interval:
    """The mean F1 of classes by the delta method (Takahashi et al. 2022), as Wilson's with effective rows.

    Up to three classes of which one has fewer than 10 rows: MOVER of their own intervals. It is biased low,
    and covers less, where classes have only a handful of rows: hence the smallest class is its count.

    Args:
        counts: rows of each class (first axis) by predicted class (classes, classes); weighted rows so
            scaled that all together are Kish's effective rows.
        confidence: e.g. 0.95.
    """
    actual, predicted = counts.sum(axis=1), counts.sum(axis=0)
    total = float(actual.sum())
    if total < 2:
        return absent("takes at least 2 rows", total)
    carriers = actual + predicted
    scores = np.divide(2 * np.diag(counts), carriers, out=np.zeros(len(counts)), where=carriers > 0)
    mean, smallest = float(scores.mean()), float(actual[actual > 0].min())
    if len(counts) <= _FEW_CLASSES and smallest < _FEW_ROWS:
        unions = (carriers - np.diag(counts)).tolist()
        pairs = zip(scores.tolist(), unions, strict=True)
        return _mover(scores, (intervals.f1(*pair, confidence) for pair in pairs), smallest)
    return _wilson(mean, _rows_of_macro_f1(counts, mean), confidence, smallest)


def _rows_of_macro_f1(counts: Floats, mean: float) -> float:
    """How many independent rows have the variance of a macro-F1.

    The variance is taken with one more row in each class that has rows, as right as the mean F1, so that a
    class without an error is not thought free of them. With no error at all: at one small rate of error in
    every class, spread over the others, of which only the ratio of mean to variance is left.
    """
    actual = counts.sum(axis=1)
    others = 1 - np.eye(len(counts))
    spread = others / max(1, len(counts) - 1)
    if 0 < mean < 1:
        there = (actual > 0)[:, None]
        added = counts + there * (mean * np.eye(len(counts)) + (1 - mean) * spread)
        return mean * (1 - mean) / _macro_f1_variance(added, float(actual.sum()))
    inverse = np.divide(1, actual, out=np.zeros(len(actual)), where=actual > 0)
    step = (inverse[:, None] + inverse) / (2 * len(counts))
    errors = actual[:, None] * spread
    return float(np.sum(errors * step) / np.sum(errors * step**2))


def _macro_f1_variance(counts: Floats, rows: float) -> float:
    """Of `rows` rows that fall into the cells in proportion to the counts."""
    shares = counts / counts.sum()
    carriers = shares.sum(axis=0) + shares.sum(axis=1)
    known = np.where(carriers > 0, carriers, 1)
    scores = 2 * np.diag(shares) / known
    loss = scores / known
    slope = (np.diag(2 / known) - loss[:, None] - loss) / len(counts)
    return float(np.sum(shares * slope**2)) / rows


def _mover(values: Floats, each: Iterable[Interval], n: float) -> Interval:
    """The mean of independent scores from their own intervals (Zou & Donner 2008).

    The distance to either end is the root of the sum of the squared distances of the parts, over their number.
    A part without an interval counts as unknown within 0 and 1.
    """
    below = above = 0.0
    for value, interval in zip(values.tolist(), each, strict=True):
        below += (value - (interval.low or 0.0)) ** 2
        above += ((1.0 if interval.high is None else interval.high) - value) ** 2
    mean, count = float(values.mean()), len(values)
    low, high = mean - math.sqrt(below) / count, mean + math.sqrt(above) / count
    return Interval(low, high, "MOVER", n).within(0.0, 1.0)


def _wilson(value: float, rows: float, confidence: float, n: float) -> Interval:
    found = intervals.wilson(value, rows, confidence)
    return found if found.low is None else Interval(found.low, found.high, "Wilson, effective rows", n)
