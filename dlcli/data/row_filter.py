"""`data.where`: the rows that a formula lets pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli import formula
from dlcli.data import literals
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import NO_TIME, Coded, Found, Samples

PATH: ConfigPath = ("data", "where")
_NAMES_SHOWN = 12


def filtered(found: Found, where: str | None) -> Found:
    """What a source found, with the rows alone that the filter lets pass.

    A cell of text counts as the number or the date that it writes, where the formula takes it as one, and as
    missing where it writes none.

    Args:
        found: what the source read.
        where: a condition in the grammar of `dlcli.formula`; None lets every row pass.

    Raises:
        DataError: the formula names a column that is not there or cannot be taken so, or no row passes.
    """
    if where is None:
        return found
    passing = found.take(*chosen(found, where))
    columns = {name: each.compact() if isinstance(each, Coded) else each for name, each in passing.samples.items()}
    return replace(passing, samples=Samples(columns, passing.samples.rows))


def chosen(found: Found, where: str) -> tuple[NDArray[np.int64], str]:
    """The numbers of the rows that pass, and a note of how many they are.

    Raises:
        DataError: as `filtered`.
    """
    rows = np.flatnonzero(passing(found.samples, where))
    if not len(rows):
        message = f"no row passes `{where}`"
        raise DataError(Problem("no-rows", message, "correct the formula, or take `where` away", PATH))
    return rows, f"where: {len(rows):,} of {found.samples.rows:,} rows"


def passing(samples: Samples, where: str) -> NDArray[np.bool_]:
    """Whether each row passes: (rows,).

    Raises:
        DataError: the formula names a column that is not there, or that cannot be taken so.
    """
    read = formula.parse(where)
    problems = [problem for name in read.columns for problem in _misfits(samples, name, read)]
    if problems:
        raise DataError(problems)
    with np.errstate(all="ignore"):  # the log of a negative number is a gap, and no matter
        passes = read.evaluate(_Cells(samples), np)
    return np.broadcast_to(np.asarray(passes, dtype=bool), (samples.rows,))


def _misfits(samples: Samples, name: str, read: formula.Formula) -> list[Problem]:
    """Why a column cannot be taken as the formula takes it."""
    if name not in samples:
        listed = ", ".join(list(samples)[:_NAMES_SHOWN])
        return [Problem("missing-column", f"there is no column {name}", f"columns: {listed}", PATH)]
    column, uses = samples[name], read.uses[name]
    if not isinstance(column, Coded):
        if not isinstance(column, np.ndarray) or column.ndim > 1:
            message = f"a row of {name} is no single number or text"
            return [Problem("wrong-column-kind", message, "filter by another column", PATH)]
        if uses & {"text", "time"}:
            message = f"{name} holds numbers, and the formula compares it with a text"
            return [Problem("wrong-column-kind", message, "take away the quotes", PATH)]
        return []
    if "number" in uses and column.vocabulary and not literals.numbers(column.vocabulary)[1].any():
        hint = f"put the text in single quotes: {name} == '{column.vocabulary[0]}'"
        return [Problem("wrong-column-kind", f"{name} holds no numbers, but the formula takes it as one", hint, PATH)]
    if "time" in uses and column.vocabulary and not literals.times(column.vocabulary)[1].any():
        hint = "dates are written as 2024-05-31 or 2024-05-31 12:00"
        return [Problem("wrong-column-kind", f"{name} holds no dates, but the formula takes it as one", hint, PATH)]
    return []


class _Cells:
    """The columns of a source as a formula reads them: (rows,)."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def number(self, name: str) -> NDArray[np.float64]:
        column = self._samples[name]
        if isinstance(column, Coded):
            return np.asarray(np.append(literals.numbers(column.vocabulary)[0], np.nan)[column.codes])
        values = np.asarray(column, dtype=np.float64)
        return np.where(np.isfinite(values), values, np.nan)

    def text(self, name: str) -> NDArray[Any]:
        column: Coded = self._samples[name]
        return column.texts()

    def time(self, name: str) -> NDArray[np.float64]:
        column: Coded = self._samples[name]
        moments = np.append(literals.times(column.vocabulary)[0], NO_TIME)[column.codes]
        return np.where(moments == NO_TIME, np.nan, moments)

    def gap(self, name: str) -> NDArray[np.bool_]:
        column = self._samples[name]
        if isinstance(column, Coded):
            empty = np.append(np.array([text == "" for text in column.vocabulary], dtype=bool), True)
            return np.asarray(empty[column.codes])
        return np.isnan(self.number(name))

    def is_time(self, name: str) -> bool:  # noqa: ARG002 - what a source read has no kinds yet: dates are compared as texts
        return False
