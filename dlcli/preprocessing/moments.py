"""Statistics of training columns in float64, over every axis but the last.

Cells that are no finite number are left out. Work goes by parts, so that no float64 copy of a large
array is made, and in units of a power of two, so that neither 1e200 nor 1e-200 overflows when squared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CELLS_AT_ONCE = 4_000_000

Numbers = NDArray[np.float64]


def _parts(values: NDArray[Any]) -> Iterator[Numbers]:
    """The values in float64 as rows over the last axis, some at a time."""
    flat = values.reshape(-1, values.shape[-1])
    step = max(1, _CELLS_AT_ONCE // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        yield flat[start : start + step].astype(np.float64)


def extremes(values: NDArray[Any]) -> tuple[Numbers, Numbers]:
    """Smallest and largest finite cell per column; 0 and 0 for a column without one."""
    low = np.full(values.shape[-1], np.inf)
    high = -low
    for part in _parts(values):
        finite = np.isfinite(part)
        low = np.minimum(low, part.min(axis=0, where=finite, initial=np.inf))
        high = np.maximum(high, part.max(axis=0, where=finite, initial=-np.inf))
    empty = low > high
    return np.where(empty, 0.0, low), np.where(empty, 0.0, high)


def mean_and_std(values: NDArray[Any], ddof: int = 0) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation per column.

    A column with one distinct value has exactly that mean and a deviation of exactly 0; one without
    a finite cell has 0 and 0.
    """
    low, high = extremes(values)
    unit = np.ldexp(1.0, np.clip(np.frexp(np.maximum(-low, high))[1], -1000, 1000))
    count, total = np.zeros(len(low)), np.zeros(len(low))
    for part in _parts(values):
        finite = np.isfinite(part)
        count += finite.sum(axis=0)
        total += np.where(finite, part / unit, 0.0).sum(axis=0)
    mean = total / np.maximum(count, 1)
    squares = np.zeros(len(low))
    for part in _parts(values):
        squares += np.square(np.where(np.isfinite(part), part / unit - mean, 0.0)).sum(axis=0)
    constant = low == high
    std = np.sqrt(squares / np.maximum(count - ddof, 1)) * unit
    return np.where(constant, low, np.clip(mean * unit, low, high)), np.where(constant, 0.0, std)


def median(values: NDArray[Any]) -> Numbers:
    """Median of the finite cells per column; 0 for a column without one."""
    return _by_column(values, _median)


def mode(values: NDArray[Any]) -> Numbers:
    """Most frequent finite cell per column, the smallest of those that tie; 0 for a column without one."""
    return _by_column(values, _mode)


def quantiles(values: NDArray[Any], shares: tuple[float, ...]) -> tuple[Numbers, ...]:
    """For each share the quantile of the finite cells per column, linear between neighbours; 0 without one."""

    def cut(column: Numbers) -> Numbers:
        unit = np.ldexp(1.0, np.clip(np.frexp(np.abs(column).max())[1], -1000, 1000))
        return np.asarray(np.quantile(column / unit, shares) * unit)

    table = _by_column(values, cut, len(shares))
    return tuple(table[:, number] for number in range(len(shares)))


def _by_column(values: NDArray[Any], statistic: Any, size: int | None = None) -> Numbers:
    flat = values.reshape(-1, values.shape[-1])
    columns = (flat[:, number].astype(np.float64) for number in range(flat.shape[1]))
    finite = (column[np.isfinite(column)] for column in columns)
    nothing = 0.0 if size is None else np.zeros(size)
    return np.array([statistic(column) if len(column) else nothing for column in finite], dtype=np.float64)


def _median(column: Numbers) -> float:
    below, above = (len(column) - 1) // 2, len(column) // 2
    halves = np.partition(column, (below, above))
    low, high = float(halves[below]), float(halves[above])
    return low if low == high else low / 2 + high / 2  # halved first: the sum may overflow


def _mode(column: Numbers) -> float:
    distinct, counts = np.unique(column, return_counts=True)
    return float(distinct[counts.argmax()])
