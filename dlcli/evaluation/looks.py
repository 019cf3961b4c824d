"""What it costs to look at test rows more than once."""

from __future__ import annotations

import math

from dlcli.evaluation.metrics.row_means import RowShare
from dlcli.part import Metric


def looks_bound(metric: Metric, value: float, n: float, looks: int) -> float | None:
    """How much too good the best of several equally good models looks on the same rows, on average, at most.

    sigma sqrt(2 log k), with sigma = sqrt(p (1 - p) / n): the bound on the mean of the largest of k normal
    errors, independent or not.

    Args:
        metric: what was scored.
        value: the score.
        n: how many rows.
        looks: how often they were scored.

    Returns:
        The bound in units of the score; None for one look, and for scores that are not a share of rows.
    """
    if looks < 2 or not isinstance(metric, RowShare) or not (0 < value < 1 and n >= 1):
        return None
    return math.sqrt(value * (1 - value) / n * 2 * math.log(looks))
