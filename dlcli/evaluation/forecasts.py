"""Simple forecasts of several steps ahead: the last value that is known, or that of the season before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The targets of single rows, and where the windows over them end.

    Attributes:
        truth: (rows, targets), NaN where a row's is not known.
        order: int64, row numbers by series and time.
        place: int64 (rows,), the place of each row in `order`.
        first: int64, for each place in `order` that of the first row of its series.
        offsets: how many rows after the window's last one each predicted row is.
    """

    truth: Floats
    order: Integers
    place: Integers
    first: Integers
    offsets: range

    def repeated(self, ends: Integers, lag: int) -> Floats:
        """For each step the newest value a whole number of lags before it that the window's end knows.

        Where that one is missing it is the newest known one before it.

        Args:
            ends: row numbers of the last rows of windows.
            lag: rows of a season; 1 repeats the last value.

        Returns:
            (windows, steps, targets), NaN where nothing is known.
        """
        ahead = np.array(self.offsets)
        back = ahead - lag * np.maximum(-(-ahead // lag), 1)
        places = self.place[ends][:, None] + back
        first = self.first[self.place[ends]][:, None]
        newest = self._newest_known()[np.maximum(places, 0)]
        inside = (places >= first) & (newest >= first)
        return np.where(inside[..., None], self.truth[self.order[np.maximum(newest, 0)]], np.nan)

    def _newest_known(self) -> Integers:
        """For each place the newest one up to it whose truth is known; -1 for none."""
        known = np.asarray(np.isfinite(self.truth[self.order]).all(axis=1))
        return np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
