"""Windows over series: a window has the number of the row that it ends with, and is in the subset of its target rows.

No value is copied: what a window sees and what it predicts are row numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.window_section import Window
from dlcli.problems import DataError, Problem
from dlcli.samples import Samples, Windowed, Windows

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The rows of a source as series in order of time.

    Attributes:
        window: what is seen and predicted.
        order: int64, row numbers by series and time.
        place: int64 (rows,), the place of each row in `order`; -1 for rows that are in no series.
        first, last: int64, for each place in `order` that of the first and the last row of its series.
        names: the target columns.
    """

    window: Window
    order: Rows
    place: Rows
    first: Rows
    last: Rows
    names: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        window: Window,
        rows: Rows,
        count: int,
        times: NDArray[Any] | None,
        series: NDArray[Any] | None,
        names: tuple[str, ...] = (),
    ) -> Series:
        """Orders rows by time within each series.

        Args:
            window: what is seen and predicted.
            rows: the rows to order; others are in no series.
            count: how many rows the source has.
            times: of every row; None where their order in the source counts.
            series: the number of the series of every row; None for one series.
            names: the target columns.

        Raises:
            DataError: two rows of one series have the same time.
        """
        moments = np.arange(count) if times is None else times
        which = np.zeros(count, dtype=np.int64) if series is None else series
        order = rows[np.lexsort((rows, moments[rows], which[rows]))]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = np.diff(which[order]) != 0
        same = ~begins[1:] & (moments[order][1:] == moments[order][:-1])
        if same.any():
            at = int(np.argmax(same))
            message = (
                f"{int(same.sum()):,} rows have the time of another row of their series, first rows "
                f"{order[at] + 1:,} and {order[at + 1] + 1:,}: a window could not tell which comes first"
            )
            hint = "name the column that tells series apart: `per` under window, or write `duplicates: drop`"
            raise DataError(Problem("repeated-time", message, hint, ("data", "window")))
        starts = np.flatnonzero(begins)
        lengths = np.diff(np.append(starts, len(order)))
        place = np.full(count, -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        return cls(window, order, place, np.repeat(starts, lengths), np.repeat(starts + lengths - 1, lengths), names)

    def ending_at_each_row(self) -> Windows:
        """A window for every row of the source; only those that `within` names are whole."""
        return Windows(self.order, self.place, self.window.length, self.window.sampling_rate)

    def of_rows(self, samples: Samples) -> Samples:
        """Samples whose rows are the windows that end with them."""
        windows = self.ending_at_each_row()
        return Samples({name: Windowed(column, windows) for name, column in samples.items()}, samples.rows)

    def whole(self) -> Rows:
        """The windows that have all rows that they see, whatever comes after them: of every row, at no stride."""
        return np.asarray(self.order[self._past_places() >= self.first])

    def within(self, rows: Rows, seen: Rows | None = None, known: NDArray[np.bool_] | None = None) -> Rows:
        """The windows all whose target rows are among `rows`.

        Args:
            rows: row numbers of a subset.
            seen: further rows that a window may see.
            known: (rows of the source,), whose target is known; None for all.

        Returns:
            numbers of windows, by series and time.
        """
        offsets = self.window.offsets
        own = self._mask(rows)
        visible = own if seen is None else own | self._mask(seen)
        targets = own if known is None else own & known[self.order]
        places = np.arange(len(self.order))
        starts, ends = places + offsets[0], places + offsets[-1]
        fits = (self._past_places() >= self.first) & (ends <= self.last)
        fits &= _all_between(visible, np.maximum(self._past_places(), 0), places)
        limit = len(self.order) - 1
        fits &= _all_between(targets, np.minimum(starts, limit), np.minimum(ends, limit))
        return self._spaced(fits)

    def target_rows(self, windows: Rows | None = None) -> Rows:
        """The rows that windows predict (windows, steps); -1 where a series has ended. By default of every row."""
        place = self.place if windows is None else self.place[windows]
        ahead = place[:, None] + np.array(self.window.offsets)
        inside = (place[:, None] >= 0) & (ahead <= self.last[np.maximum(place, 0)][:, None])
        return np.where(inside, self.order[np.minimum(ahead, len(self.order) - 1)], -1)

    def covered(self, windows: Rows) -> Rows:
        """Every row that some windows see or predict, ascending."""
        seen = self.ending_at_each_row().take(windows).rows()
        return np.unique(np.concatenate([seen.ravel(), self.target_rows(windows).ravel()]))

    def gather(self, values: NDArray[Any], missing: Any) -> NDArray[Any]:
        """What of a column of the source, (rows, ...), each window predicts: (rows, steps, ...)."""
        rows = self.target_rows()
        found: NDArray[Any] = values[rows]
        found[rows < 0] = missing
        return found

    def numbers(self) -> Rows:
        """The number of the series of each row of the source."""
        numbers = np.full(len(self.place), -1, dtype=np.int64)
        numbers[self.order] = self.first
        return numbers

    def _past_places(self) -> Rows:
        return np.arange(len(self.order)) - (self.window.length - 1) * self.window.sampling_rate

    def _mask(self, rows: Rows) -> NDArray[np.bool_]:
        inside = np.zeros(len(self.place), dtype=bool)
        inside[rows] = True
        return inside[self.order]

    def _spaced(self, fits: NDArray[np.bool_]) -> Rows:
        """Every `sequence_stride`-th row of a series from the first window on that fits."""
        places = np.flatnonzero(fits)
        if not len(places):
            return self.order[:0]
        new = np.ones(len(places), dtype=bool)
        new[1:] = np.diff(self.first[places]) != 0
        begin = places[np.maximum.accumulate(np.where(new, np.arange(len(places)), 0))]
        return np.asarray(self.order[places[(places - begin) % self.window.sequence_stride == 0]])


def _all_between(mask: NDArray[np.bool_], starts: Rows, ends: Rows) -> NDArray[np.bool_]:
    """Whether a mask is true everywhere from each start to its end, both counted."""
    total = np.concatenate([[0], np.cumsum(mask)])
    return np.asarray(total[ends + 1] - total[starts] == ends - starts + 1)


def require_some(series: Series, windows: Rows, rows: Rows, what: str, hint: str) -> None:
    """Refuses rows that are there, but not enough side by side for one window.

    Args:
        series: of all rows.
        windows: those that fit into the rows.
        rows: the rows.
        what: what they are called: "validation rows".
        hint: what to do about it.

    Raises:
        DataError: no window fits.
    """
    if len(rows) and not len(windows):
        message = f"no window fits into the {len(rows):,} {what}: one needs {series.window.span:,} in a row"
        raise DataError(Problem("no-window", message, hint, ("data", "window", "length")))


def longer_steps(series: Series, times: NDArray[Any]) -> tuple[int, Any, Rows] | None:
    """Where time is left out between rows that follow each other in a series, so that windows reach over the hole.

    A step counts as longer from half as much again as the usual one on, so that months are alike.

    Args:
        series: of the rows.
        times: of every row.

    Returns:
        how many steps there are in all, the usual one (the median), and the rows before those that are longer;
        None where none is.
    """
    steps = np.diff(times[series.order])
    inside = series.first[1:] == series.first[:-1]
    if not inside.any():
        return None
    usual = np.median(steps[inside])
    longer = inside & (steps > 1.5 * usual)
    return (int(inside.sum()), usual, series.order[:-1][longer]) if longer.any() else None
