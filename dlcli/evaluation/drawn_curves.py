"""The ROC and the precision-recall curve, exact with ties and weights, and thinned to what an eye can see."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POINTS = 200
"""Most points of a thinned curve."""
_VISIBLE = 5e-4
"""A point nearer than this to the line between its neighbours cannot be seen."""
_DIGITS = 6


def curves(positive: NDArray[Any], score: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The ROC and the precision-recall curve, from the highest threshold to the lowest.

    Args:
        positive: 0 or 1 (rows,), both among the rows of weight above 0.
        score: (rows,).
        weights: (rows,).

    Returns:
        False and true positive rate (points, 2), from 0 and 0 to 1 and 1; recall and precision (points, 2), from 0
        and, by convention, 1 to 1 and the share of positives.
    """
    counted = weights > 0
    positive, score, weights = positive[counted], score[counted], weights[counted]
    _, group = np.unique(-score, return_inverse=True)
    hits: Floats = np.cumsum(np.bincount(group, weights * positive))
    predicted: Floats = np.cumsum(np.bincount(group, weights))
    misses = predicted - hits
    recall = hits / hits[-1]
    rates = np.stack([misses / misses[-1], recall], axis=1)
    return np.vstack([[0.0, 0.0], rates]), np.vstack([[0.0, 1.0], np.stack([recall, hits / predicted], axis=1)])


def thin(points: Floats, most: int = POINTS) -> list[list[float]]:
    """A curve with at most so many points: its ends and the corners that matter (Douglas and Peucker 1973).

    The point farthest from the line through the kept points around it is added, until none can be seen.

    Args:
        points: (points, 2), at least two.
        most: of the points that are kept, at least two.
    """
    kept = [0, len(points) - 1]
    waiting: list[tuple[float, int, int, int]] = []

    def split(first: int, last: int) -> None:
        if last - first > 1:
            between = points[first + 1 : last] - points[first]
            across = points[last] - points[first]
            away = abs(between[:, 0] * across[1] - between[:, 1] * across[0])
            away /= max(float(np.hypot(*across)), np.finfo(np.float64).tiny)
            farthest = int(away.argmax())
            heapq.heappush(waiting, (-float(away[farthest]), first, first + 1 + farthest, last))

    split(0, len(points) - 1)
    while waiting and len(kept) < most:
        away, first, middle, last = heapq.heappop(waiting)
        if -away < _VISIBLE:
            break
        kept.append(middle)
        split(first, middle)
        split(middle, last)
    return [[float(value) for value in points[number].round(_DIGITS)] for number in sorted(kept)]
