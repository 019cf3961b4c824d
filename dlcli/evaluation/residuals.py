"""How predicted numbers miss: the distribution of actual minus predicted, and where along the range it happens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation.rows import ScoredRows

Floats = NDArray[np.float64]

QUANTILES = {"min": 0.0, "1": 0.01, "5": 0.05, "25": 0.25, "50": 0.5, "75": 0.75, "95": 0.95, "99": 0.99, "max": 1.0}
POINTS = 500
FEWEST_BINS, MOST_BINS = 10, 60
_SPREAD = 1e-9
"""A range smaller than this share of its values is one of rounding."""


def residuals(rows: ScoredRows) -> list[dict[str, Any]]:
    """By target, in its unit, plain data: every row counts once, whatever its weight; rows of weight 0 do not.

    `quantiles` of the residuals by percent; a `histogram` of them with Freedman and Diaconis's bins (1981), at least
    10 and at most 60; and up to 500 `points`, predicted value and residual, evenly by rank of the predicted value,
    the lowest and the highest among them.

    Args:
        rows: of a task that predicts numbers, with at least one row of weight above 0.
    """
    counted = rows.weights() > 0
    columns = zip(rows.goal.names, rows.truth[counted].T, rows.prediction[counted].T, strict=True)
    return [_of_target(name, actual, predicted) for name, actual, predicted in columns]


def _of_target(name: str, actual: Floats, predicted: Floats) -> dict[str, Any]:
    missed = actual - predicted
    order = np.argsort(predicted, kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(POINTS, len(order))).round().astype(np.int64)]
    levels = np.quantile(missed, list(QUANTILES.values()))
    counts, edges = _histogram(missed)
    return {
        "target": name,
        "quantiles": dict(zip(QUANTILES, levels.tolist(), strict=True)),
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "points": np.stack([predicted[chosen], missed[chosen]], axis=1).tolist(),
    }


def _histogram(values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Counts and edges with bins of 2 IQR / n^(1/3); values that are all but equal stand in the middle."""
    low, first, third, high = np.quantile(values, [0, 0.25, 0.75, 1])
    largest = max(abs(low), abs(high))
    if high - low <= _SPREAD * largest:
        low, high = low - max(0.5, _SPREAD * largest), high + max(0.5, _SPREAD * largest)
    width = 2 * (third - first) / len(values) ** (1 / 3)
    wanted = (high - low) / width if width > 0 else 0.0
    return np.histogram(values, int(np.clip(np.ceil(wanted), FEWEST_BINS, MOST_BINS)), (low, high))
