"""What a series did before, as an answer: the row before, or the row a season before."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SEASON_ROWS = 2**17
"""The season is looked for in so many of the newest rows, which bounds the time for any size,"""
SEASON_SERIES = 1_000
"""and in so many of the longest series."""
_ROUNDING = 1e-24
"""A share of the squares below which what is left beside a straight line is the rounding of numbers."""
_FALSE_ALARMS = 0.05
"""How often a series of independent numbers may seem to have a season."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Numbers in time, by row number of the source.

    Attributes:
        truth: (rows, targets), NaN where a row's is not known.
        times: (rows,), what orders the rows; rows of one time know nothing of each other.
        groups: int64 (rows,), the series that each row belongs to; None for one series.
    """

    truth: Floats
    times: NDArray[Any]
    groups: Integers | None = None

    def known_at(self, rows: Integers) -> Past:
        """The same where nothing is known but the truth of the given rows."""
        truth = np.full_like(self.truth, np.nan)
        truth[rows] = self.truth[rows]
        return Past(truth, self.times, self.groups)

    def row_before(self, lag: int) -> Integers:
        """For each row the one `lag` rows before it in its series, int64 (rows,); -1 where there is none.

        Where the truth of that one is not known, it is the one another `lag` rows before, and so on. Of rows of
        one time each counts from the first, so that none is predicted from another.
        """
        order, place, first = self._layout()
        known = self._known()[order]
        # Rows that are a whole number of lags apart, in time order: the newest known one so far.
        phase = place % lag
        chains = np.lexsort((place, phase, first))
        chain_start = np.ones(len(order), dtype=bool)
        chain_start[1:] = (np.diff(first[chains]) != 0) | (np.diff(phase[chains]) != 0)
        steps = np.arange(len(order))
        newest = np.maximum.accumulate(np.where(known[chains] | chain_start, steps, 0))
        newest_known = np.full(len(order), -1, dtype=np.int64)
        newest_known[chains] = np.where(known[chains][newest], chains[newest], -1)
        wanted = self._first_of_time(order, first) - lag
        inside = wanted >= first
        found = np.full(len(order), -1, dtype=np.int64)
        found[inside] = newest_known[wanted[inside]]
        before = np.empty(len(order), dtype=np.int64)
        before[order] = np.where(found >= 0, order[found], -1)
        return before

    def series(self) -> list[Floats]:
        """The truth of each series in time order, (rows, targets) from its first to its last known row."""
        order, _, first = self._layout()
        truth = self.truth[order]
        known = np.flatnonzero(self._known()[order])
        _, counts = np.unique(first[known], return_counts=True)
        ends = np.cumsum(counts)
        found = []
        for start, end in zip(ends - counts, ends, strict=True):
            place = known[start:end] - known[start]
            values = np.full((place[-1] + 1, truth.shape[1]), np.nan)  # gaps inside a series keep their place
            values[place] = truth[known[start:end]]
            found.append(values)
        return found

    def newest(self, rows: int) -> Past:
        """The same from the time on in which so many rows are known."""
        known = self.times[self._known()]
        if len(known) <= rows:
            return self
        taken = self.times >= np.partition(known, -rows)[-rows]
        return Past(self.truth[taken], self.times[taken], None if self.groups is None else self.groups[taken])

    def _known(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.truth).all(axis=1))

    def _layout(self) -> tuple[Integers, Integers, Integers]:
        """Row numbers by series and time; each one's place in its series; where its series begins."""
        groups = np.zeros(len(self.times), dtype=np.int64) if self.groups is None else self.groups
        order = np.lexsort((self.times, groups))
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = np.diff(groups[order]) != 0
        steps = np.arange(len(order))
        first = np.maximum.accumulate(np.where(begins, steps, 0))
        return order, steps - first, first

    def _first_of_time(self, order: Integers, first: Integers) -> Integers:
        """The place in `order` of the first row of the same series and time."""
        new = np.ones(len(order), dtype=bool)
        new[1:] = (np.diff(first) != 0) | (self.times[order][1:] != self.times[order][:-1])
        return np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))


def season(past: Past) -> int | None:
    """The lag after which a series repeats itself: that of the highest significant peak of its autocorrelation.

    A straight line is taken out of each series first, since a trend alone correlates at every lag. A peak is
    higher than its two neighbours, significant against a process that forgets where the autocorrelation first
    falls to 0 (Bartlett 1946), and rises significantly from a valley before it; the level is shared among all
    lags (Bonferroni).

    Args:
        past: with the truth of training rows alone.

    Returns:
        rows, from 2 to a quarter of the longest series; None if there is no such peak.
    """
    found = sorted(past.newest(SEASON_ROWS).series(), key=len)[-SEASON_SERIES:]
    rows = sum(int(np.isfinite(each[:, 0]).sum()) for each in found)
    lags = len(found[-1]) // 4 if found else 0
    if lags < 2:
        return None
    correlation = _autocorrelation(found, lags + 1)
    if correlation is None:
        return None
    quantile = NormalDist().inv_cdf(1 - _FALSE_ALARMS / lags)
    memory = correlation[1 : int(np.argmax(correlation <= 0)) or None]
    significant = quantile * np.sqrt((1 + 2 * (memory**2).sum()) / rows)
    valley = np.minimum.accumulate(correlation[1:])
    candidates = [
        lag
        for lag in range(2, lags + 1)
        if correlation[lag] > correlation[lag - 1]
        and correlation[lag] >= correlation[lag + 1]
        and correlation[lag] > significant
        and correlation[lag] - valley[lag - 2] > quantile / np.sqrt(rows)
    ]
    return max(candidates, key=lambda lag: float(correlation[lag]), default=None)


def _detrended(values: Floats) -> Floats:
    """A series without its straight line, (rows, targets); gaps stay NaN."""
    known = np.isfinite(values[:, 0])
    steps = np.arange(len(values), dtype=np.float64)
    centred = steps - steps[known].mean()
    level = values[known].mean(axis=0)
    spread = float((centred[known] ** 2).sum())
    slope = centred[known] @ (values[known] - level) / spread if spread else np.zeros(values.shape[1])
    return np.asarray(values - level - centred[:, None] * slope)


def _autocorrelation(series: list[Floats], lags: int) -> Floats | None:
    """The autocorrelation of detrended series at lags 0 to `lags`, mean over targets; None where nothing varies.

    The biased estimate, which does not overrate lags with few pairs: the mean product of the pairs of which both
    are known, times the share of all rows that have a row so many before them.
    """
    targets = series[0].shape[1]
    products, squares, pairs, rows = np.zeros((lags + 1, targets)), np.zeros(targets), *np.zeros((2, lags + 1))
    for values in series:
        known = np.isfinite(values[:, :1])
        both = _lagged_products(np.hstack([np.nan_to_num(_detrended(values)), known]), lags)
        products[: len(both)] += both[:, :-1]
        pairs[: len(both)] += both[:, -1].round()
        rows[: len(both)] += len(values) - np.arange(len(both))
        squares += np.nansum(values**2, axis=0)
    varies = products[0] > _ROUNDING * squares
    if not varies.any():
        return None
    means = products[:, varies] / np.maximum(pairs, 1)[:, None]
    return np.asarray((means / means[0]).mean(axis=1) * rows / rows[0])


def _lagged_products(values: Floats, lags: int) -> Floats:
    """The sum of x[i] * x[i + lag] of each column, (lags + 1, columns) or as many lags as there are rows."""
    size = 1 << (2 * len(values) - 1).bit_length()
    spectrum = np.fft.rfft(values, size, axis=0)
    return np.fft.irfft(np.abs(spectrum) ** 2, size, axis=0)[: min(lags + 1, len(values))]
