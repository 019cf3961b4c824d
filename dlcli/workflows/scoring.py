"""Scores of subsets beside their baseline, and the one place that opens the sealed test set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.data.splits import Chronological, Grouped
from dlcli.evaluation import baselines
from dlcli.evaluation.scores import SubsetScores, score_table
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.problems import ConfigError, Problem
from dlcli.workflows import exported
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.recording import Recording

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray


class Scorer:
    """Scores rows of one data set as an experiment asks for."""

    def __init__(self, experiment: Experiment, dataset: Dataset, train: NDArray[np.int64]) -> None:
        """Takes the baseline's answer from the training rows."""
        self.experiment, self.dataset = experiment, dataset
        self.goal = dataset.answer.goal
        self.baseline = baselines.baseline(self.goal, dataset.answer.values[train], self._weight(train))
        self._dependence = _dependence(experiment)

    def scores(
        self,
        rows: NDArray[np.int64],
        prediction: NDArray[np.float64],
        *,
        truth: NDArray[Any] | None = None,
        starred: bool = False,
    ) -> SubsetScores:
        """The scores of predictions of rows; `truth` where the data set does not hold it."""
        return self._table(rows, prediction, truth, self.experiment.evaluation.threshold, starred=starred)

    def baseline_scores(self, rows: NDArray[np.int64], *, truth: NDArray[Any] | None = None) -> SubsetScores:
        """What the baseline reaches on the same rows."""
        return self._table(rows, self.baseline.predict(len(rows)), truth, self.baseline.threshold, starred=False)

    def _table(
        self,
        rows: NDArray[np.int64],
        prediction: NDArray[np.float64],
        truth: NDArray[Any] | None,
        threshold: float,
        *,
        starred: bool,
    ) -> SubsetScores:
        return score_table(
            self.experiment.metrics or (),
            self.goal,
            self.dataset.answer.values[rows] if truth is None else truth,
            prediction,
            self._weight(rows),
            threshold,
            confidence=self.experiment.evaluation.confidence,
            starred=starred,
            dependence=self._dependence,
        )

    def _weight(self, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
        return None if self.dataset.weight is None else self.dataset.weight[rows]


def _dependence(experiment: Experiment) -> str:
    """Why rows are not independent, so that intervals made for independent ones would be too narrow."""
    if isinstance(experiment.split, Chronological) or experiment.data.time is not None:
        return "rows are in time order"
    if isinstance(experiment.split, Grouped) or experiment.data.group is not None:
        return "rows come in groups"
    return ""


def require_test_rows(dataset: Dataset) -> None:
    """Refuses to open a test set that cannot be scored.

    Raises:
        ConfigError: it has no rows.
        DataError: the weight of each of them is 0.
    """
    if not len(dataset.sealed.rows):
        message = "there are no test rows to evaluate on"
        raise ConfigError(Problem("no-test-rows", message, "write a `test` share under split", ("split",)))
    dataset.require_weight(dataset.sealed.rows, "test row")


def open_test(run: Recording, scorer: Scorer, model: keras.Model, fitted: Pipeline, command: str) -> None:
    """Opens the sealed test set once: the look is written to the ledger, then the model is scored.

    Args:
        run: test predictions, scores and the ledger line's hash are added to it.
        scorer: of the experiment.
        model: the exported model, on raw rows.
        fitted: its preprocessing.
        command: which command looks.
    """
    dataset, rows = scorer.dataset, scorer.dataset.sealed.rows
    prediction = exported.predict(model, fitted, dataset.samples, rows, scorer.goal)
    truth = dataset.sealed.open(lambda hashes: run.look(command, dataset.data_hash, hashes))
    run.write_predictions("test", Predictions(scorer.goal, prediction, rows, scorer.experiment.evaluation.threshold))
    scores = run.result().scores
    baseline = scores["baseline"] | {"test": scorer.baseline_scores(rows, truth=truth).as_json()}
    test = scorer.scores(rows, prediction, truth=truth).as_json()
    run.write_scores(scores | {"test": test, "baseline": baseline, "looks": run.looks})
