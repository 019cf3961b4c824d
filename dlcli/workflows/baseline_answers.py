"""What simple answers say of the rows that a model is scored on."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.data.splits import Chronological
from dlcli.evaluation import baselines
from dlcli.evaluation.baselines import Baseline
from dlcli.evaluation.persistence import Past
from dlcli.evaluation.scores import labels
from dlcli.network.layers.dense import Embedding
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.task import NUMBERS
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
        seen = self._rows(train, None)
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

    def _rows(self, rows: NDArray[np.int64], truth: NDArray[Any] | None) -> baselines.Rows:
        inputs = None if self._codes else self._transformed
        if not self._series:
            return baselines.Rows(rows, inputs)
        dataset = self._dataset
        known = dataset.answer.values.astype(np.float64)
        if truth is not None:
            known[rows] = truth
        times = np.arange(len(known)) if dataset.times is None else dataset.times
        return baselines.Rows(rows, inputs, Past(known, times, dataset.groups))
