"""Inputs that are distributed otherwise in one subset than in another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.leakage.columns import FALSE_ALARM, gaps_of, is_id_number, is_id_text
from dlcli.data.leakage.findings import Divided, Finding
from dlcli.samples import Coded, Ragged, Subset

LEAST_DISTANCE = 0.15
"""Smaller differences matter little, however sure they are: a distance between distributions, from 0 to 1."""
LEAST_IN_TIME = 0.5
"""In order of time some drift is the rule; only a greater distance is said."""
MOSTLY = 0.5
"""Drift is not usual where this share of the values lies beyond all that training has seen."""
STRETCHES = 10
"""So many of the last stretches of training rows say how much drift is usual."""
_FEWEST_ROWS = 20
_MOST_ROWS = 20_000
_LEAST_EXPECTED = 5.0
_COLUMNS_TOLD = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Shift:
    column: str
    what: str
    test: str
    cells: NDArray[Any]
    distance: float
    p: float


def distribution_shift(divided: Divided) -> Iterator[Finding]:
    """Inputs whose distribution in a later subset differs from that in training.

    Numbers: the two-sample Kolmogorov-Smirnov test (also of the mean brightness of images and the length of
    texts). Categories, and how often a cell is missing: Pearson's chi-square test of the counts. An input is told
    of where the test's p lies below 0.001 divided by the number of all comparisons (Bonferroni), and the distance
    between the distributions (largest difference of shares; half the summed difference for categories) is at
    least 0.15. In order of time it must be at least 0.5, and greater than any stretch of as many training rows has
    from those before it (or half of the values must lie beyond those of training, or be other categories): seasons
    and a trend that training has seen are no surprise. Rows of one group count as one row, and rows in order of time
    as n (1 - r) / (1 + r), with r the correlation of an input's neighbouring rows (Bayley and Hammersley 1946).
    """
    train = _some(divided.subsets["train"])
    later: list[Subset] = [name for name in ("validation", "test") if len(divided.subsets[name]) >= _FEWEST_ROWS]
    if len(train) < _FEWEST_ROWS or not later:
        return
    columns = {name: column for name in divided.samples if (column := _comparable(divided, name)) is not None}
    level = FALSE_ALARM / max(1, len(columns) * len(later))
    least = LEAST_IN_TIME if divided.way == "chronological" else LEAST_DISTANCE
    for subset in later:
        rows = _some(divided.subsets[subset])
        shifts = [shift for name, column in columns.items() for shift in _compared(name, column, train, rows, divided)]
        told = [shift for shift in shifts if shift.p < level and shift.distance >= least]
        if divided.way == "chronological":
            length = max(1, len(divided.subsets[subset]) * len(train) // len(divided.subsets["train"]))
            told = [shift for shift in told if not _usual(shift, train, rows, length)]
        if told:
            yield _finding(subset, told, len(columns) * len(later))


def _usual(shift: _Shift, train: NDArray[np.int64], rows: NDArray[np.int64], length: int) -> bool:
    """Whether a stretch of training rows is as far from the rows before it, and most values have occurred in training.

    The second matters because no distance is greater than 1, which the first stretches of a season have, too.
    """
    values, later = shift.cells[train], shift.cells[rows]
    if values.dtype == np.int32:
        unseen = ~np.isin(later, values)
    else:
        unseen = (later < np.nanmin(values)) | (later > np.nanmax(values))
    if unseen.mean() >= MOSTLY:
        return False
    starts = range(length, len(train) - length + 1, length)[-STRETCHES:]
    return any(_distance(values[:start], values[start : start + length]) >= shift.distance for start in starts)


def _distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    if one.dtype == np.int32:
        return _chi_square(one, other, [1.0, 1.0])[0]
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    return kolmogorov_smirnov(one, other, [1.0, 1.0])[0] if len(one) and len(other) else 0.0


def _finding(subset: Subset, shifts: list[_Shift], comparisons: int) -> Finding:
    shifts = sorted(shifts, key=lambda shift: -shift.distance)
    names = tuple(dict.fromkeys(shift.column for shift in shifts))
    told = ", ".join(f"{shift.what} ({shift.test} {shift.distance:.2f})" for shift in shifts[:_COLUMNS_TOLD])
    more = f" and {len(shifts) - _COLUMNS_TOLD:,} more" if len(shifts) > _COLUMNS_TOLD else ""
    message = f"{subset} rows differ from training rows in {told}{more}"
    chance = f"chance would hardly do that: p below {FALSE_ALARM:g} / {comparisons:,}"
    hint = f"{chance}; find out how {subset} rows were gathered: their score speaks for rows like them only"
    return Finding("distribution-shift", message, hint, names)


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Evenly spaced ones of many rows, their order kept."""
    return rows if len(rows) <= _MOST_ROWS else rows[np.linspace(0, len(rows) - 1, _MOST_ROWS).astype(np.int64)]


def _comparable(divided: Divided, name: str) -> NDArray[Any] | None:
    """An input as one number (float64) or category (int32) a row; None where there is nothing to compare."""
    column, kind = divided.samples[name], divided.schema.columns[name].kind
    if isinstance(column, Coded):
        if kind == "categorical":
            return None if is_id_text(column) else np.asarray(column.codes)
        lengths = np.fromiter(map(len, column.vocabulary), np.float64, len(column.vocabulary))
        return np.asarray(np.append(lengths, 0)[column.codes])
    if isinstance(column, Ragged):
        return column.sizes().astype(np.float64)
    if column.ndim > 1:
        return np.asarray(column.reshape(len(column), -1).mean(axis=1, dtype=np.float64)) if kind == "image" else None
    if kind == "datetime":
        return None
    return None if is_id_number(column) else np.asarray(column, dtype=np.float64)


def _compared(
    name: str, column: NDArray[Any], train: NDArray[np.int64], rows: NDArray[np.int64], divided: Divided
) -> Iterator[_Shift]:
    weight = [_independent(column, part, divided) for part in (train, rows)]
    here, there = column[rows], column[train]
    if column.dtype == np.int32:
        yield _Shift(name, name, "chi-square", column, *_chi_square(there, here, weight))
        return
    gaps = gaps_of(column)
    assert gaps is not None
    if gaps[train].any() or gaps[rows].any():
        missing = gaps.astype(np.int32)
        test = _chi_square(missing[train], missing[rows], weight)
        yield _Shift(name, f"gaps of {name}", "chi-square", missing, *test)
    here, there = here[~np.isnan(here)], there[~np.isnan(there)]
    if min(len(here), len(there)) >= _FEWEST_ROWS:
        yield _Shift(name, name, "Kolmogorov-Smirnov", column, *kolmogorov_smirnov(there, here, weight))


def _independent(column: NDArray[Any], rows: NDArray[np.int64], divided: Divided) -> float:
    """The share of rows that count, because others say the same."""
    if divided.groups is not None:
        return len(np.unique(divided.groups[rows])) / len(rows)
    if divided.way != "chronological":
        return 1.0
    values = column[rows].astype(np.float64)
    values = values[~np.isnan(values)]
    if len(values) < 3 or np.ptp(values) == 0:
        return 1.0
    near = float(np.mean((values[1:] - values.mean()) * (values[:-1] - values.mean())) / values.var())
    return max(1 / len(rows), min(1.0, (1 - near) / (1 + near))) if near > 0 else 1.0


def kolmogorov_smirnov(
    one: NDArray[np.float64], other: NDArray[np.float64], weight: list[float]
) -> tuple[float, float]:
    """The distance and its p: Q(sqrt(n) D), Q(x) = 2 sum (-1)^(k-1) exp(-2 k^2 x^2) (Kolmogorov 1933)."""
    one, other = np.sort(one), np.sort(other)
    places = np.concatenate([one, other])
    shares = [np.searchsorted(part, places, side="right") / len(part) for part in (one, other)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    n, m = len(one) * weight[0], len(other) * weight[1]
    x = distance * math.sqrt(n * m / (n + m))
    p = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))
    return distance, min(1.0, max(0.0, p)) if x > 0.2 else 1.0


def _chi_square(one: NDArray[Any], other: NDArray[Any], weight: list[float]) -> tuple[float, float]:
    """The distance of two distributions of codes (-1: missing), and p; rare codes are taken together."""
    size = int(max(one.max(), other.max())) + 2
    counts = np.stack([np.bincount(part + 1, minlength=size) for part in (one, other)]).astype(np.float64)
    shares = counts / counts.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    counts *= np.array(weight)[:, None]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    rare = expected.min(axis=0) < _LEAST_EXPECTED
    pooled = [np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) for table in (counts, expected)]
    counts, expected = (table[:, pooled[1].min(axis=0) > 0] for table in pooled)
    freedom = counts.shape[1] - 1
    if freedom < 1:
        return distance, 1.0
    return distance, chi_square_tail(float(((counts - expected) ** 2 / expected).sum()), freedom)


def chi_square_tail(statistic: float, freedom: int) -> float:
    """The probability of a greater chi-square, by the cube-root normal approximation (Wilson and Hilferty 1931)."""
    variance = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - variance)) / math.sqrt(variance)
    return 0.5 * math.erfc(z / math.sqrt(2))
