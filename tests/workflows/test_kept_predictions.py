"""Predictions that were kept are those that are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.evaluation.counts import predicted_classes
from dlcli.problems import DataError
from dlcli.task import LABELS, Goal, Task
from dlcli.workflows.kept_predictions import KeptPredictions, read_predictions
from dlcli.workflows.predictions import Predictions

DRAW = np.random.default_rng(0)
ROWS = np.array([4, 0, 7, 2, 9])
CASES = [
    (Goal(Task.BINARY, ("y",), ("no", "yes")), DRAW.integers(0, 2, 5), DRAW.random(5), 0.3),
    (Goal(Task.MULTICLASS, ("y",), ("a", "b", "c")), DRAW.integers(0, 3, 5), DRAW.dirichlet([1, 1, 1], 5), 0.5),
    (Goal(Task.MULTILABEL, ("a", "b")), DRAW.integers(0, 2, (5, 2)), DRAW.random((5, 2)), np.array([0.2, 0.7])),
    (Goal(Task.REGRESSION, ("u", "v")), DRAW.normal(size=(5, 2)), DRAW.normal(size=(5, 2)), 0.5),
]


def kept(folder: Path, predictions: Predictions, **more: Any) -> KeptPredictions:
    (folder / "predictions").mkdir()
    (folder / "predictions/validation.parquet").write_bytes(predictions.parquet())
    return read_predictions(folder, "validation", predictions.goal, **more)


@pytest.mark.parametrize(("goal", "truth", "values", "threshold"), CASES, ids=[str(goal.task) for goal, *_ in CASES])
def test_truth_predictions_and_classes_come_back(
    tmp_path: Path, goal: Goal, truth: np.ndarray, values: np.ndarray, threshold: Any
) -> None:
    found = kept(tmp_path, Predictions(goal, values, ROWS, threshold, actual=truth))
    assert (found.numbers == ROWS).all()
    assert (found.scored.truth == truth).all()
    assert (found.scored.prediction == values).all()
    assert (found.scored.weight, found.scored.groups, found.folds) == (None, None, None)
    if goal.task in LABELS:
        classes = [predicted_classes(goal, values, each) for each in (threshold, found.scored.threshold)]
        assert (classes[0] == classes[1]).all()


def test_weights_groups_and_the_order_in_time_come_back(tmp_path: Path) -> None:
    goal, truth, values, _ = CASES[3]
    beside = {"weight": np.arange(5) / 2, "group": np.array([1, 1, 2, 2, 3]), "time": np.array([5, 3, 4, 3, 1])}
    found = kept(tmp_path, Predictions(goal, values, ROWS, actual=truth, beside=beside), ordered=True)
    assert found.numbers.tolist() == [9, 0, 2, 7, 4]
    assert found.scored.ordered
    assert found.scored.weights().tolist() == [2, 0.5, 1.5, 1, 0]
    assert found.scored.groups is not None
    assert found.scored.groups.tolist() == [3, 1, 2, 2, 1]


def test_a_target_called_like_a_column_of_ours_is_not_lost(tmp_path: Path) -> None:
    goal = Goal(Task.REGRESSION, ("weight", "v"))
    _, truth, values, _ = CASES[3]
    found = kept(tmp_path, Predictions(goal, values, ROWS, actual=truth, beside={"weight": np.ones(5)}))
    assert (found.scored.prediction == values).all()
    assert found.scored.weight is None


def test_a_table_without_truth_is_refused(tmp_path: Path) -> None:
    goal, _, values, _ = CASES[0]
    with pytest.raises(DataError, match="it has no column 'actual_y'"):
        kept(tmp_path, Predictions(goal, values, ROWS))
