"""What it costs to look at test rows more than once."""

from __future__ import annotations

import math

from dlcli.evaluation.intervals import normal_quantile


def looks_bound(low: float | None, high: float | None, confidence: float, looks: int) -> float | None:
    """How much too good the best of several equally good models looks on the same rows, on average, at most.

    sigma sqrt(2 log k): the bound on the mean of the largest of k normal errors, independent or not. Sigma is what
    the interval of the score says, half its width in normal quantiles, so that it knows of weights, groups and time;
    for a share p of n rows it is nearly sqrt(p (1 - p) / n).

    Args:
        low: the end of the interval of the score; None where it has none.
        high: its other end.
        confidence: of the interval.
        looks: how often the rows were scored.

    Returns:
        The bound in units of the score; None for one look, and for a score without an interval.
    """
    if looks < 2 or low is None or high is None:
        return None
    return (high - low) / 2 / normal_quantile(confidence) * math.sqrt(2 * math.log(looks))
