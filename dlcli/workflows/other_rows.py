"""Rows of another file as a data set like that of a run: same schema, same classes, every target sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli import formula
from dlcli.config.experiment import Experiment
from dlcli.data import hashes, literals, roles, sealed, slices, target
from dlcli.data.new_rows import NewRows, read_new_rows
from dlcli.data.row_facts import RowFacts
from dlcli.data.row_filter import filtered, passing
from dlcli.data.splits import RowSplit
from dlcli.data.target_columns import names_of
from dlcli.events import Listener, Note
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.samples import Coded, Samples
from dlcli.task import CLASSIFICATION, Goal
from dlcli.workflows import series as windowing
from dlcli.workflows.dataset import Dataset, misfit_warnings

if TYPE_CHECKING:
    from numpy.typing import NDArray


def other_rows(
    file: Path, experiment: Experiment, fitted: Pipeline, goal: Goal, columns: Mapping[str, bool], emit: Listener
) -> Dataset:
    """Reads a file as the source of a run was read; its rows with a target are the test rows, sealed.

    Args:
        file: with the columns of the run, target included; weight, group, time and slices may be absent.
        experiment: of the run, with everything spelled out.
        fitted: its preprocessing.
        goal: its target.
        columns: those of its source, and whether they hold text there; empty if that is not known.
        emit: hears what was found.

    Raises:
        DataError: the file cannot be read, lacks a column or the target, or holds a class that the run does not know.
    """
    data = experiment.data
    assert data.target is not None
    roles_named = (data.weight, data.group, data.time, data.window and data.window.per)
    named = (*(data.target.column or ()), *(name for name in roles_named if name))
    rows = read_new_rows(
        data.source,
        file,
        fitted.schema,
        inputs=data.inputs or (),
        shape=data.shape,
        channels=data.channels,
        arrays=tuple(columns) or (*fitted.schema.columns, *named),
    )
    rows = _passing(rows, data.where, file.name, emit)
    window, names = data.window, names_of(data.target, rows.found)
    told = goal if window is None or goal.task in CLASSIFICATION else replace(goal, names=names)
    answer = target.decode(data.target, rows.found, told, data.missing_target)
    _tell(rows, answer, fitted, emit)
    cells, count = rows.found.samples, rows.samples.rows
    row_hashes = hashes.row_hashes(_as_in_the_run(cells, columns))
    if lacking := [name for name in columns if name not in cells]:
        unknown = "whether its rows were trained on, or looked at before, cannot be told"
        emit(Note(f"{file.name} lacks {', '.join(lacking)}: {unknown}", warning=True))
    samples, series, past, every = rows.samples, None, None, answer.keep
    if window is not None:
        known = np.isin(np.arange(count), answer.keep)
        series = windowing.ordered(window, cells, np.arange(count), time=data.time, group=data.group, names=names)
        samples, past = series.of_rows(samples), windowing.known_past(answer, np.arange(count))
        every = windowing.windows_with_target(series, np.arange(count), known, file.name)
        answer = replace(windowing.answered(series, answer, past, every[:0]), goal=goal, keep=every)
    closed, test_targets = sealed.seal(answer, every, row_hashes)
    if series is not None:
        closed = windowing.without_test_rows(series, closed, np.arange(count))
    there = _Optional(cells, file.name, emit)
    facts, none = there.facts(experiment), np.zeros(0, dtype=np.int64)
    return Dataset(
        samples=samples,
        schema=fitted.schema,
        inputs=data.inputs or (),
        answer=closed,
        weight=there.weight(experiment) if series is None else windowing.mean_weight(series, there.weight(experiment)),
        weight_name=data.weight,
        hashes=row_hashes,
        contents=row_hashes,
        subsets={"train": none, "validation": none, "test": answer.keep},
        sealed=test_targets,
        facts=facts,
        slices=slices.cut(cells, there.slices(experiment), answer.keep),
        groups=facts.groups,
        times=facts.times,
        misfits=rows.misfits,
        found=replace(rows.found, samples=Samples({}, count)),
        columns=columns,
        series=series,
        past=past,
        single={"train": none, "validation": none, "test": np.arange(count)},
    )


def _passing(rows: NewRows, where: str | None, name: str, emit: Listener) -> NewRows:
    """The rows that `data.where` lets pass; all of them, which is said, where the file lacks a column of it."""
    if where is None:
        return rows
    if lost := [column for column in formula.parse(where).columns if column not in rows.found.samples]:
        emit(Note(f"there is no column {lost[0]} in {name}: every row counts, whatever `where` says", warning=True))
        return rows
    kept = np.flatnonzero(passing(rows.found.samples, where))
    return replace(rows, samples=rows.samples.take(kept), found=filtered(rows.found, where))


def _tell(rows: NewRows, answer: target.Answer, fitted: Pipeline, emit: Listener) -> None:
    for note in (*rows.found.notes, *answer.notes):
        emit(Note(note))
    for warning in misfit_warnings(rows.misfits):
        emit(warning)
    for name, count in fitted.unseen(rows.samples).items():
        emit(Note(f"{count:,} rows hold a value of {name} that was never seen in training", warning=True))


class _Optional:
    """Columns that are neither input nor target. Where a file lacks one, it is said, and done without."""

    def __init__(self, cells: Samples, name: str, emit: Listener) -> None:
        self._cells, self._name, self._emit = cells, name, emit

    def weight(self, experiment: Experiment) -> NDArray[np.float64] | None:
        """The weight of each row."""
        name = self._there(experiment.data.weight, "every row counts alike")
        return roles.weights(self._cells, name) if name else None

    def facts(self, experiment: Experiment) -> RowFacts:
        """The group and time of each row."""
        data, split, cells = experiment.data, experiment.split, self._cells
        assert isinstance(split, RowSplit)
        time = self._there(data.time, "rows count as in time order as they stand")
        group = self._there(data.group, "rows count as independent")
        facts = RowFacts(
            rows=cells.rows,
            groups=roles.groups(cells[group], group) if group else None,
            times=roles.times(cells[time], time) if time else None,
            column=cells.columns.get,
        )
        return split.know(facts) if set(split.reads) <= set(cells) else facts

    def slices(self, experiment: Experiment) -> tuple[str, ...]:
        """The columns whose values are scored one by one."""
        wanted = experiment.evaluation.slices
        return tuple(name for name in wanted if self._there(name, "no score for each of its values"))

    def _there(self, name: str | None, without: str) -> str | None:
        if name is None or name in self._cells:
            return name
        self._emit(Note(f"there is no column {name} in {self._name}: {without}", warning=True))
        return None


def _as_in_the_run(cells: Samples, columns: Mapping[str, bool]) -> Samples:
    """The cells as the run's source holds them, so that the same row has the same hash.

    Columns that the run has not are left out; numbers that a csv file holds as text become numbers where the
    run's source has them as such.
    """
    if not columns or not columns.keys() <= cells.keys():
        return cells
    return Samples(
        {name: cells[name] if text else _as_numbers(cells[name]) for name, text in columns.items()}, cells.rows
    )


def _as_numbers(column: Any) -> Any:
    if not isinstance(column, Coded):
        return column
    values, are_numbers = literals.numbers(column.vocabulary)
    return np.append(values, np.nan)[column.codes] if are_numbers.all() else column
