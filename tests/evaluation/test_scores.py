"""Score tables: every score with an interval or a reason, and plain JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dlcli.evaluation.baselines import baseline
from dlcli.evaluation.metrics import F1, R2, Accuracy, LogLoss, MeanAbsoluteError, RocAuc
from dlcli.evaluation.scores import ScoreSheet, score, score_table
from dlcli.problems import DataError
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
CLASSES = Goal(Task.MULTICLASS, ("y",), ("a", "b", "c"))
TRUTH, PREDICTION = np.array([0, 1, 1, 0, 1]), np.array([0.2, 0.7, 0.4, 0.6, 0.9])


def test_scores_are_named_as_monitors() -> None:
    found = score([Accuracy(), RocAuc()], BINARY, TRUTH, PREDICTION, None, 0.5)
    assert found == {"accuracy": 0.6, "roc_auc": pytest.approx(5 / 6)}


@pytest.mark.parametrize(
    ("truth", "prediction", "why"),
    [(TRUTH[:0], PREDICTION[:0], "there are no rows"), (TRUTH, PREDICTION * math.nan, "predictions are not finite")],
)
def test_what_cannot_be_scored_is_null_with_a_reason(truth: np.ndarray, prediction: np.ndarray, why: str) -> None:
    (row,) = score_table([Accuracy()], BINARY, truth, prediction, None, 0.5).scores
    assert (row.value, row.low, row.reason) == (None, None, why)


def test_every_score_has_an_interval_or_a_reason() -> None:
    metrics = [Accuracy(), F1(average="macro"), RocAuc(), LogLoss()]
    for row in score_table(metrics, BINARY, TRUTH, PREDICTION, None, 0.5, starred=True).scores:
        assert row.starred
        assert (row.low is None) == bool(row.reason)
        assert row.low is None or row.low <= row.value <= row.high


def test_dependent_rows_get_no_interval() -> None:
    table = score_table([Accuracy()], BINARY, TRUTH, PREDICTION, None, 0.5, dependence="rows are in time order")
    assert (table.scores[0].value, table.scores[0].low, table.scores[0].reason) == (0.6, None, "rows are in time order")


@pytest.mark.parametrize("weight", [[-1, 1, 1, 1, 1], [0] * 5, [math.nan, 1, 1, 1, 1]])
def test_weights_that_mean_nothing_are_refused(weight: list[float]) -> None:
    with pytest.raises(DataError, match="row weights"):
        score([Accuracy()], BINARY, TRUTH, PREDICTION, np.array(weight, dtype=float), 0.5)


def test_a_score_sheet_is_strict_json() -> None:
    one_class = score_table([RocAuc(), Accuracy()], BINARY, TRUTH * 0, PREDICTION, None, 0.5)
    sheet = ScoreSheet({"test": one_class}, {"test": one_class}, "majority class no", looks=1)
    data = json.loads(json.dumps(sheet.as_json(), allow_nan=False))
    assert data["test"]["scores"][0]["value"] is None
    assert data["test"]["rows"] == 5
    assert (data["baseline"]["test"]["rows"], data["looks"]) == (5, 1)


def test_the_baseline_answers_the_majority_of_training_rows() -> None:
    found = baseline(CLASSES, np.array([2, 2, 0, 1]), None)
    assert found.name == "majority class c"
    assert score([Accuracy()], CLASSES, np.array([2, 0]), found.predict(2), None, found.threshold) == {"accuracy": 0.5}


def test_the_baseline_of_weighted_rows_weighs_them() -> None:
    assert baseline(BINARY, np.array([1, 0, 0]), np.array([5.0, 1.0, 1.0])).name == "majority class yes"


def test_the_baseline_knows_the_shares_of_the_classes() -> None:
    found = baseline(BINARY, np.array([1, 0, 0, 0]), None)
    assert found.name == "majority class no"
    np.testing.assert_array_equal(found.predict(2), [0.25, 0.25])


def test_the_baseline_of_labels_answers_each_label() -> None:
    goal = Goal(Task.MULTILABEL, ("a", "b"))
    found = baseline(goal, np.array([[1, 0], [1, 0], [0, 1]]), None)
    assert score([Accuracy()], goal, np.array([[1, 0]]), found.predict(1), None, found.threshold) == {"accuracy": 1.0}


def test_the_baseline_of_numbers_is_their_mean() -> None:
    goal = Goal(Task.REGRESSION, ("a", "b"))
    found = baseline(goal, np.array([[1.0, 10.0], [3.0, 30.0]]), None)
    assert found.name == "mean"
    np.testing.assert_array_equal(found.predict(2), [[2.0, 20.0]] * 2)
    values = score([MeanAbsoluteError(), R2()], goal, np.array([[1.0, 10.0], [3.0, 30.0]]), found.predict(2), None, 0.5)
    assert values == {"mae": 5.5, "r2": 0.0}
