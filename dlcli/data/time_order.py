"""Whether a column of times is what orders the rows of a table, as one series or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlcli.samples import NO_TIME

_EVEN_SHARE = 0.9
"""So many steps of a series must be the usual one, give or take half of it: months are alike, and some may lack."""
_ROWS_PER_SERIES = 10
"""Rows on average from which the values of a column may tell series apart."""


@dataclass(frozen=True, slots=True)
class TimeOrder:
    """How times order rows.

    Attributes:
        per: the column whose values are series of their own; None for one series.
        step: the usual seconds from row to row of a series where they are even; None where they are not.
        shortest: rows of the shortest series.
    """

    per: str | None
    step: int | None
    shortest: int


def time_order(times: NDArray[np.int64], categories: Mapping[str, NDArray[np.int32]]) -> TimeOrder | None:
    """How times order the rows; None where they look like one fact about a row among others.

    They order rows where they are evenly spaced and all different, throughout or for each value of a
    category, or where the rows stand in their order.

    Args:
        times: int64 (rows,), seconds.
        categories: codes (rows,) of columns that might tell series apart.
    """
    if len(times) < 2 or (times == NO_TIME).any():
        return None
    if step := _even_step(times, np.zeros(len(times), dtype=np.int64)):
        return TimeOrder(None, step, len(times))
    for name, codes in categories.items():
        _, series, rows = np.unique(codes, return_inverse=True, return_counts=True)
        if len(rows) > 1 and rows.mean() >= _ROWS_PER_SERIES and (step := _even_step(times, series)):
            return TimeOrder(name, step, int(rows.min()))
    steps = np.diff(times)
    in_order = (steps >= 0).all() or (steps <= 0).all()
    return TimeOrder(None, None, len(times)) if in_order and (steps != 0).mean() > 0.5 else None


def _even_step(times: NDArray[np.int64], series: NDArray[np.int64]) -> int | None:
    """The usual step within series; None where two rows have one time, or steps differ."""
    order = np.lexsort((times, series))
    steps = np.diff(times[order])[np.diff(series[order]) == 0]
    if not len(steps) or (steps == 0).any():
        return None
    usual = float(np.median(steps))
    return int(usual) if (np.abs(steps - usual) <= usual / 2).mean() >= _EVEN_SHARE else None
