"""Columns by whose values scores are looked at one by one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data import literals
from dlcli.problems import DataError, Problem
from dlcli.samples import MISSING, Coded, Ragged, Samples

MOST_VALUES = 20
"""Slices of one column: its most frequent values; numbers and dates with more are cut at their quartiles."""
_NO_VALUE = "missing"


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """The slices of one column.

    Attributes:
        column: its name.
        names: of the slices, e.g. "France", "40 to 52".
        numbers: int64 (rows,), which slice each row is in; -1 for none.
    """

    column: str
    names: tuple[str, ...]
    numbers: NDArray[np.int64]

    def of(self, rows: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Each slice that has some of these rows, with their places among `rows`."""
        numbers = self.numbers[rows]
        for number, name in enumerate(self.names):
            places = np.flatnonzero(numbers == number)
            if len(places):
                yield name, places


def cut(samples: Samples, columns: Sequence[str], known: NDArray[Any]) -> tuple[Slices, ...]:
    """Slices of columns of the source, whatever their role.

    Args:
        samples: every column of the source.
        columns: their names.
        known: the rows that quartiles and frequencies come from: all but the test rows.

    Raises:
        DataError: a column is not there, or holds images or sequences.
    """
    found, problems = [], []
    for position, name in enumerate(columns):
        path = ("evaluation", "slices", position)
        column = samples.columns.get(name)
        if column is None:
            near = difflib.get_close_matches(name, tuple(samples), n=1)
            hint = f"did you mean {near[0]}?" if near else ""
            problems.append(Problem("missing-column", f"there is no column {name}", hint, path))
        elif isinstance(column, Ragged) or getattr(column, "ndim", 1) > 1:
            message = f"column {name} holds no single values"
            problems.append(Problem("does-not-fit", message, "name a column of words or numbers", path))
        else:
            found.append(_cut(name, column, known))
    if problems:
        raise DataError(problems)
    return tuple(found)


def _cut(name: str, column: Any, known: NDArray[Any]) -> Slices:
    numbers = _as_numbers(column, known)
    if numbers is None:
        assert isinstance(column, Coded)
        moments = _as_times(column, known)
        if moments is not None and len(np.unique(moments[known])) > MOST_VALUES:
            return _quartiles(name, moments, known, _dates)
        texts = (*column.vocabulary, _NO_VALUE)
        return _values(name, np.where(column.codes == MISSING, len(texts) - 1, column.codes), texts, known)
    if len(np.unique(numbers[known])) <= MOST_VALUES:
        distinct, places = np.unique(numbers, return_inverse=True)  # NaN comes last, once
        finite = distinct[np.isfinite(distinct)]
        texts = (*_numerals(finite, 6), *[_NO_VALUE] * (len(distinct) - len(finite)))
        return _values(name, places, texts, known)
    return _quartiles(name, numbers, known, lambda edges: _numerals(edges, 4))


def _as_numbers(column: Any, known: NDArray[Any]) -> NDArray[np.float64] | None:
    """The column as numbers; None if it holds words."""
    if not isinstance(column, Coded):
        return np.asarray(column, dtype=np.float64)
    values, are_numbers = literals.numbers(column.vocabulary)
    used = np.unique(column.codes[known])
    if not are_numbers[used[used != MISSING]].all():
        return None
    return np.asarray(np.append(np.where(are_numbers, values, np.nan), np.nan)[column.codes])


def _as_times(column: Coded, known: NDArray[Any]) -> NDArray[np.float64] | None:
    """The column as seconds, NaN where there is none; None if it holds other words than dates."""
    values, are_times = literals.times(column.vocabulary)
    used = np.unique(column.codes[known])
    if not are_times[used[used != MISSING]].all():
        return None
    return np.asarray(np.append(np.where(are_times, values, np.nan), np.nan)[column.codes])


def _numerals(values: NDArray[np.float64], digits: int) -> list[str]:
    """Numbers with so many digits, or as many as tell them apart; never fewer than stand before the point."""
    whole = [len(f"{abs(value):.0f}") if abs(value) < 1e15 else 0 for value in values]
    texts: list[str] = []
    for least in range(digits, 18):
        texts = [f"{value:.{max(least, before)}g}" for value, before in zip(values, whole, strict=True)]
        if len(set(texts)) == len(texts):
            break
    return texts


def _dates(edges: NDArray[np.float64]) -> list[str]:
    """Seconds as days, or to the second where days do not tell them apart."""
    moments = edges.astype(np.int64).astype("datetime64[s]")
    days: list[str] = np.datetime_as_string(moments, unit="D").tolist()
    return days if len(set(days)) == len(days) else np.datetime_as_string(moments).tolist()


def _values(name: str, codes: NDArray[Any], texts: Sequence[str], known: NDArray[Any]) -> Slices:
    """A slice per value, the most frequent ones in the order of their names as given."""
    counts = np.bincount(codes[known], minlength=len(texts))
    chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_VALUES])
    chosen = chosen[counts[chosen] > 0]
    number = np.full(len(texts), -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    return Slices(name, tuple(texts[index] for index in chosen), number[codes])


def _quartiles(
    name: str,
    numbers: NDArray[np.float64],
    known: NDArray[Any],
    told: Callable[[NDArray[np.float64]], list[str]],
) -> Slices:
    edges = np.unique(np.nanquantile(numbers[known], (0, 0.25, 0.5, 0.75, 1)))
    inside = edges[1:-1]
    found = np.searchsorted(inside, numbers, side="right").astype(np.int64)
    names = [f"{low} to {high}" for low, high in pairwise(told(edges))]
    missing = np.isnan(numbers)
    if missing[known].any():
        names.append(_NO_VALUE)
    found[missing] = len(names) - 1 if missing[known].any() else -1
    return Slices(name, tuple(names), found)
