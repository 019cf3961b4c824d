"""What simple answers say of the rows that a model is scored on."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.data.splits import Chronological
from dlcli.data.windows import Series
from dlcli.evaluation import baselines
from dlcli.evaluation.baselines import Baseline
from dlcli.evaluation.forecasts import Course
from dlcli.evaluation.persistence import Past
from dlcli.evaluation.scores import labels
from dlcli.network.layers.dense import Embedding
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.preprocessing.raw_windows import rows_alone
from dlcli.task import NUMBERS, Task
from dlcli.workflows.dataset import Dataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dlcli.part import Threshold


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a baseline says of some rows.

    Attributes:
        name: what it is, e.g. "majority class No".
        kind: which of them, e.g. "majority".
        prediction: as `Metric.compute` takes it.
        threshold: what to score it with; (rows,) or (rows, labels) where it differs between rows.
    """

    name: str
    kind: str
    prediction: NDArray[np.float64]
    threshold: Threshold


def in_time_order(experiment: Experiment) -> bool:
    """Whether rows follow each other in time."""
    return isinstance(experiment.split, Chronological) or experiment.data.time is not None


class FittedBaselines:
    """The baselines of a training, on the inputs of its network."""

    def __init__(self, experiment: Experiment, dataset: Dataset, fitted: Pipeline, train: NDArray[np.int64]) -> None:
        """Fits them to the training rows."""
        goal, weight = dataset.answer.goal, dataset.weight
        self._dataset, self._fitted = dataset, fitted
        self._codes = isinstance(next(iter(experiment.architecture), None), Embedding)
        self._series = in_time_order(experiment) and goal.task in NUMBERS
        self._forecasts = goal.task is Task.FORECAST
        seen = self._rows(train, None, fitting=True)
        given = goal, seen, dataset.answer.values[train], None if weight is None else weight[train]
        self._baselines = baselines.fit(*given, first_metric=labels(experiment.metrics or ())[0])
        linear = baselines.fit_linear(*given, rule=experiment.evaluation.threshold)
        if isinstance(linear, Baseline):
            self._baselines = (*self._baselines, linear)

    def answers(
        self, rows: NDArray[np.int64], *, truth: NDArray[Any] | None = None, reference_only: bool = False
    ) -> tuple[Answers, ...]:
        """What each baseline says of rows; the first is the reference.

        Args:
            rows: row numbers.
            truth: of the rows, where the data set does not hold it: the row before may be one of them.
            reference_only: whether one is enough.
        """
        seen = self._rows(rows, truth)
        asked = self._baselines[: 1 if reference_only else None]
        return tuple(Answers(each.name, each.kind, each.predict(seen), each.threshold) for each in asked)

    def for_rows_of(self, dataset: Dataset) -> FittedBaselines:
        """The same baselines, to be asked about rows of another data set."""
        other = copy(self)
        other._dataset = dataset
        return other

    def _transformed(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._fitted.transform(self._dataset.samples, rows)

    def _rows(self, rows: NDArray[np.int64], truth: NDArray[Any] | None, *, fitting: bool = False) -> baselines.Rows:
        inputs = None if self._codes else self._transformed
        if not self._series:
            return baselines.Rows(rows, inputs)
        dataset = self._dataset
        if dataset.series is not None and self._forecasts:
            return self._windows(dataset.series, rows, truth, inputs, fitting=fitting)
        known = dataset.answer.values.astype(np.float64)
        if truth is not None:
            known[rows] = truth
        times = np.arange(len(known)) if dataset.times is None else dataset.times
        groups = dataset.groups if dataset.series is None else dataset.series.numbers()
        return baselines.Rows(rows, inputs, Past(known, times, groups))

    def _windows(
        self,
        series: Series,
        rows: NDArray[np.int64],
        truth: NDArray[Any] | None,
        inputs: Callable[[NDArray[np.int64]], NDArray[np.float32]] | None,
        *,
        fitting: bool,
    ) -> baselines.Rows:
        """Windows with the targets of the rows that they lie over: what networks may see, and what is told."""
        dataset = self._dataset
        assert dataset.past is not None
        values, targets = dataset.past.copy(), series.target_rows(rows)
        if truth is not None:
            values[targets.ravel()] = truth.reshape(-1, values.shape[1])
        if fitting:
            unseen = np.setdiff1d(np.arange(len(values)), series.covered(rows))
            values[unseen] = np.nan
        else:
            values = self._with_inputs(series, values)
        course = Course(values, series.order, series.place, series.first, series.window.offsets)
        times = np.argsort(series.order) if dataset.times is None else dataset.times
        return baselines.Rows(rows, inputs, Past(values, times, series.numbers()), course)

    def _with_inputs(self, series: Series, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The targets where they are inputs too, so that windows see those of their own rows in any subset."""
        columns = rows_alone(self._dataset.samples)
        own = [columns.get(name) for name in series.names]
        if any(not isinstance(column, np.ndarray) or column.ndim > 1 for column in own):
            return values
        return np.where(np.isfinite(values), values, np.stack([np.asarray(column) for column in own], axis=1))
