"""Rows of a source as windows over series: what they see, what they predict, and in which subset they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config.sections import Data
from dlcli.data import roles, windows
from dlcli.data.gaps import duration
from dlcli.data.new_rows import NewRows
from dlcli.data.target import Answer
from dlcli.data.window_section import Window
from dlcli.data.windows import Series
from dlcli.numbers import number
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.samples import Samples, Subset
from dlcli.task import CLASSIFICATION, Goal, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_ROWS_SHOWN = 3
"""So many row numbers are told in a sentence."""


def require_task(window: Window | None, task: Task) -> None:
    """Refuses a task that cannot go with a window, or not without one.

    Raises:
        ConfigError: it cannot.
    """
    if window is None or not window.horizon:
        if task is Task.FORECAST:
            message = "a forecast needs to know how much of the series it sees, and how far ahead it looks"
            hint = "write `window: {length: 24}` under data" if window is None else "write `horizon: 1`"
            raise ConfigError(Problem("forecast-needs-window", message, hint, ("task",)))
        return
    if task is Task.REGRESSION:
        message = "numbers that follow a window are a forecast"
        raise ConfigError(Problem("does-not-fit", message, "write `task: forecast`, or `horizon: 0`", ("task",)))
    if task is not Task.FORECAST and window.horizon > 1:
        message = f"a {task} task answers for one row, but the window's horizon is {window.horizon}"
        hint = f"write `horizon: 1, gap: {window.gap + window.horizon - 1}` for the last one"
        raise ConfigError(Problem("does-not-fit", message, hint, ("data", "window", "horizon")))


def ordered(
    window: Window, samples: Samples, rows: Rows, *, time: str | None, group: str | None, names: tuple[str, ...]
) -> Series:
    """The rows of a source as series.

    Args:
        window: what is seen and predicted.
        samples: every column.
        rows: the rows to order.
        time: the column of time, if there is one.
        group: the column of groups, which are series where `per` names no other.
        names: the target columns.

    Raises:
        DataError: a column that orders rows is not there; a row has no time or series, or the time of another.
    """
    per = window.per or group
    if missing := [name for name in (time, per) if name and name not in samples]:
        message = f"column missing: {', '.join(missing)}: it says which rows a window holds"
        path = ("data", "window", "per") if missing == [window.per] else ()
        raise DataError(Problem("missing-column", message, f"columns that are there: {', '.join(samples)}", path))
    times = roles.times(samples[time], time) if time else None
    return Series.of(window, rows, samples.rows, times, roles.groups(samples[per], per) if per else None, names)


def ordering_columns(data: Data) -> tuple[str, ...]:
    """The columns that say which rows a window holds."""
    if data.window is None:
        return ()
    return tuple(name for name in (data.time, data.window.per or data.group) if name)


def windows_of_new_rows(data: Data, rows: NewRows) -> tuple[Samples, Rows]:
    """Rows that a model has not seen as windows, and the numbers of those that are whole, in the order of the file.

    Raises:
        DataError: the column of time or of series is missing, or no series is long enough.
    """
    assert data.window is not None
    there = rows.found.samples
    every = np.arange(there.rows)
    series = ordered(data.window, there, every, time=data.time, group=data.group, names=())
    numbers = np.sort(series.whole())
    if not len(numbers):
        needed = (data.window.length - 1) * data.window.sampling_rate + 1
        message = f"no series has the {needed:,} rows that a window takes ({there.rows:,} rows in all)"
        raise DataError(Problem("no-window", message, "give more rows of the past"))
    return series.of_rows(rows.samples), numbers


def answered(series: Series, answer: Answer, past: NDArray[np.float64] | None, train: Rows) -> Answer:
    """What each window predicts, by the number of the row that it ends with.

    Forecast targets are called `Temp+1`, `Temp+2`, ...: all targets of the first step, then those of the second.

    Args:
        series: of the rows.
        answer: of the single rows.
        past: targets of single rows, where they are numbers.
        train: training rows, of which the error of the naive forecast is taken.
    """
    if not series.window.horizon:
        return answer
    if answer.goal.task in CLASSIFICATION:
        return replace(answer, values=series.gather(answer.values, -1)[:, 0])
    values = series.gather(answer.values, np.nan).reshape(len(answer.values), -1)
    if answer.goal.task is not Task.FORECAST:
        return replace(answer, values=values)
    steps = len(series.window.offsets)
    naive = naive_errors(series, answer.values if past is None else past, train)
    goal = forecast_goal(answer.goal, series.window, tuple(np.tile(naive, steps).tolist()))
    return replace(answer, goal=goal, values=values, scales=answer.scales * steps)


def forecast_goal(goal: Goal, window: Window, naive: tuple[float, ...]) -> Goal:
    """The goal of all steps: a name for each step of each target."""
    names = tuple(f"{name}+{offset}" for offset in window.offsets for name in goal.names)
    return replace(goal, names=names, naive_errors=naive)


def naive_errors(series: Series, values: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
    """The mean absolute change from row to row of each target, (targets,), within the given rows; NaN for none."""
    inside = np.zeros(len(values), dtype=bool)
    inside[rows] = True
    both = inside[series.order[1:]] & inside[series.order[:-1]] & (series.first[1:] == series.first[:-1])
    changes = np.abs(np.diff(values[series.order], axis=0))[both]
    changes = changes[np.isfinite(changes).all(axis=1)]
    return changes.mean(axis=0) if len(changes) else np.full(values.shape[1], np.nan)


def windowed_subsets(series: Series, subsets: Mapping[Subset, Rows], known: NDArray[np.bool_]) -> dict[Subset, Rows]:
    """The windows of each subset.

    With `context: earlier` windows of validation rows also see rows that are no test rows, and windows of test
    rows every earlier row; windows of training rows see training rows only.

    Raises:
        DataError: no window fits into a subset that has rows.
    """
    found: dict[Subset, Rows] = {
        name: series.within(rows, seen_beside(series, name, subsets), known) for name, rows in subsets.items()
    }
    for name, rows in subsets.items():
        windows.require_some(series, found[name], rows, f"{name} rows", _more_room(series.window, name))
    return found


def windows_with_target(series: Series, rows: Rows, known: NDArray[np.bool_], file: str) -> Rows:
    """The windows of a file that a model is scored on.

    Raises:
        DataError: no window fits into its rows.
    """
    found = series.within(rows, None, known)
    windows.require_some(series, found, rows, f"rows of {file}", "give more rows of the past")
    return found


def _more_room(window: Window, name: Subset) -> str:
    """What to write where no window fits into a subset."""
    if window.context == "own" and name != "train":
        return "write a smaller `length`, a larger share, or `context: earlier`, which lets windows see earlier rows"
    return "write a smaller `length` or `horizon`, or a larger share"


def skipped_time(series: Series, times: NDArray[Any] | None, name: str | None) -> tuple[str, ...]:
    """What to say where time is left out within series: a window counts rows, whatever lies between them."""
    if times is None or name is None or (found := windows.longer_steps(series, times)) is None:
        return ()
    steps, usual, before = found
    unit = duration(int(usual)) if times.dtype.kind == "i" else number(float(usual))
    after = ", ".join(f"{row + 1:,}" for row in np.sort(before)[:_ROWS_SHOWN])
    counted = f"{len(before):,} of {steps:,} steps in {name} are longer than the usual one ({unit})"
    return (f"{counted}, first after row {after}: a window counts rows, not time",)


def seen_beside(series: Series, name: Subset, subsets: Mapping[Subset, Rows]) -> Rows | None:
    """Which rows of other subsets windows of one may see."""
    if series.window.context == "own" or name == "train":
        return None
    return series.order if name == "test" else np.setdiff1d(series.order, subsets["test"])


def without_test_rows(series: Series, answer: Answer, test_rows: Rows) -> Answer:
    """The answer without that of any window that predicts a test row, whichever subset it is in."""
    test = np.zeros(len(answer.values), dtype=bool)
    test[test_rows] = True
    rows = series.target_rows()
    touching = (test[rows] & (rows >= 0)).any(axis=1)
    values = answer.values.copy()
    values[touching] = -1 if values.dtype.kind == "i" else np.nan
    return replace(answer, values=values)


def known_past(answer: Answer, test_rows: Rows) -> NDArray[np.float64] | None:
    """The numeric targets of single rows, those of test rows missing; None for classes."""
    if answer.goal.task in CLASSIFICATION:
        return None
    past = answer.values.astype(np.float64)
    past[test_rows] = np.nan
    return past


def mean_weight(series: Series, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """The weight of each window: the mean of that of the rows that it predicts."""
    if weight is None:
        return None
    gathered: NDArray[Any] = series.gather(weight, 0.0)
    return np.asarray(gathered.mean(axis=1))
