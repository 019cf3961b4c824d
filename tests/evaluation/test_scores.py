"""Score tables: every score with an interval or a reason, and plain JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dlcli.evaluation.metrics import F1, Accuracy, LogLoss, RocAuc
from dlcli.evaluation.rows import ScoredRows
from dlcli.evaluation.scores import score, score_table
from dlcli.problems import DataError
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
TRUTH, PREDICTION = np.array([0, 1, 1, 0, 1]), np.array([0.2, 0.7, 0.4, 0.6, 0.9])


def rows(truth: np.ndarray = TRUTH, prediction: np.ndarray = PREDICTION, **more: object) -> ScoredRows:
    return ScoredRows(BINARY, truth, prediction, **{"weight": None, "threshold": 0.5, **more})


def test_scores_are_named_as_monitors() -> None:
    found = score([Accuracy(), RocAuc()], rows())
    assert found == {"accuracy": 0.6, "roc_auc": pytest.approx(5 / 6)}


@pytest.mark.parametrize(
    ("truth", "prediction", "why"),
    [(TRUTH[:0], PREDICTION[:0], "there are no rows"), (TRUTH, PREDICTION * math.nan, "predictions are not finite")],
)
def test_what_cannot_be_scored_is_null_with_a_reason(truth: np.ndarray, prediction: np.ndarray, why: str) -> None:
    (row,) = score_table([Accuracy()], rows(truth, prediction))
    assert (row.value, row.low, row.reason) == (None, None, why)


def test_every_score_has_an_interval_or_a_reason() -> None:
    metrics = [Accuracy(), F1(average="macro"), RocAuc(), LogLoss()]
    for row in score_table(metrics, rows(), starred=True):
        assert row.starred
        assert (row.low is None) == bool(row.reason)
        assert row.low is None or row.low <= row.value <= row.high


def test_rows_in_time_order_have_another_interval_than_independent_ones() -> None:
    generator = np.random.default_rng(0)
    truth = (np.arange(200) // 20) % 2
    prediction = np.clip(truth + generator.normal(0, 0.6, 200), 0, 1)
    (free,), (ordered,) = (score_table([Accuracy()], rows(truth, prediction, ordered=o)) for o in (False, True))
    assert free.value == ordered.value
    assert free.method != ordered.method


@pytest.mark.parametrize("weight", [[-1, 1, 1, 1, 1], [0] * 5, [math.nan, 1, 1, 1, 1]])
def test_weights_that_mean_nothing_are_refused(weight: list[float]) -> None:
    with pytest.raises(DataError, match="row weights"):
        score([Accuracy()], rows(weight=np.array(weight, dtype=float)))


def test_scores_are_strict_json() -> None:
    table = score_table([RocAuc(), Accuracy()], rows(TRUTH * 0))
    data = json.loads(json.dumps([each.as_json() for each in table], allow_nan=False))
    assert (data[0]["value"], data[1]["value"]) == (None, 0.4)
