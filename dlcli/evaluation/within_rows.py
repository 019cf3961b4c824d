"""How well each row orders its own classes or labels, row by row; the others of a row are its rivals.

Formulas as scikit-learn's: labels of equal score share the places that they take together, the worst for ranks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def top_hits(truth: NDArray[Any], prediction: Floats, k: int) -> NDArray[np.bool_]:
    """Which rows (rows,) have their class among the k likeliest; of equal ones the last class counts as likelier."""
    best = np.argsort(prediction, axis=1, kind="stable")[:, ::-1][:, :k]
    return np.asarray((best == truth[:, None]).any(axis=1))


def coverages(truth: NDArray[Any], prediction: Floats) -> Floats:
    """How many of a row's likeliest labels hold all true ones (rows,); 0 in a row without one."""
    return np.asarray((truth * _places(prediction)[1]).max(axis=1))


def ranking_precisions(truth: NDArray[Any], prediction: Floats) -> Floats:
    """The mean share of true labels among those at least as likely as each true one (rows,); 1 if all or none is."""
    true = truth.sum(axis=1)
    found = (truth * _true_above(truth, prediction) / _places(prediction)[1]).sum(axis=1)
    return np.where((true == 0) | (true == truth.shape[1]), 1.0, found / np.maximum(true, 1))


def ranking_losses(truth: NDArray[Any], prediction: Floats) -> Floats:
    """The share of a row's pairs of a true and an untrue label in which the untrue one is as likely or more (rows,)."""
    true = truth.sum(axis=1)
    wrong = (truth * (_places(prediction)[1] - _true_above(truth, prediction))).sum(axis=1)
    return np.asarray(wrong / np.maximum(true * (truth.shape[1] - true), 1))


def gains(truth: NDArray[Any], prediction: Floats, k: int | None, log_base: float = 2.0) -> Floats:
    """Discounted cumulative gain (rows,): each true label counts 1 / log(1 + place), up to the place k."""
    first, last = _places(prediction)
    reached = _discounts(truth.shape[1], k, log_base)
    return np.asarray((truth * (reached[last] - reached[first]) / (last - first)).sum(axis=1))


def normalized_gains(truth: NDArray[Any], prediction: Floats, k: int | None) -> Floats:
    """The discounted cumulative gain as a share of the greatest one (rows,); 0 in a row without a true label."""
    best = _discounts(truth.shape[1], k, 2.0)[truth.sum(axis=1).astype(np.int64)]
    found: Floats = np.divide(gains(truth, prediction, k), best, out=np.zeros(len(truth)), where=best > 0)
    return found


def _discounts(labels: int, k: int | None, log_base: float) -> Floats:
    """The sum of the discounts of the first places, from none to all (labels + 1,)."""
    discounts = np.log(log_base) / np.log(np.arange(labels) + 2.0)
    if k is not None:
        discounts[k:] = 0
    return np.concatenate([[0.0], np.cumsum(discounts)])


def _true_above(truth: NDArray[Any], prediction: Floats) -> NDArray[np.int64]:
    """How many true labels of its row are at least as likely as each true one (rows, labels)."""
    return _places(np.where(truth == 1, prediction, -np.inf))[1]


def _places(score: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many labels of its row are likelier than each one, and how many are at least as likely (rows, labels)."""
    order = np.argsort(-score, axis=1, kind="stable")
    ranked = np.take_along_axis(score, order, axis=1)
    place = np.broadcast_to(np.arange(score.shape[1]), score.shape)
    new = np.ones(score.shape, dtype=bool)
    new[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    first = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    ends = np.ones(score.shape, dtype=bool)
    ends[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(ends, place, score.shape[1])[:, ::-1], axis=1)[:, ::-1] + 1
    likelier, as_likely = np.empty_like(first), np.empty_like(last)
    np.put_along_axis(likelier, order, first, axis=1)
    np.put_along_axis(as_likely, order, last, axis=1)
    return likelier, as_likely
