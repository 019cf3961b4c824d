"""Scores over folds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from dlcli.evaluation.fold_scores import summarize
from dlcli.evaluation.metrics import Accuracy, Metric, RocAuc


def over(values: list[float], folds: int = 5, metric: Metric | None = None, dependence: str = "") -> dict[str, object]:
    metric = metric or Accuracy()
    name = metric.part_name
    (found,) = summarize([metric], [{name: value} for value in values], folds, dependence=dependence)
    return json.loads(json.dumps(found.as_json(), allow_nan=False))


def test_the_interval_allows_for_folds_that_share_training_rows() -> None:
    values = [0.80, 0.82, 0.78, 0.84, 0.81, 0.79, 0.83, 0.80, 0.82, 0.81]
    found = over(values)
    half = stats.t.ppf(0.975, 9) * np.std(values, ddof=1) * math.sqrt(1 / 10 + 1 / 4)
    assert (found["mean"], found["sd"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert (found["low"], found["high"]) == pytest.approx((np.mean(values) - half, np.mean(values) + half))
    assert (found["method"], found["n"]) == ("corrected t", 10)


def test_the_interval_stays_in_the_range_of_the_score() -> None:
    assert over([1.0, 0.9, 1.0])["high"] == 1.0


@pytest.mark.parametrize(("values", "why"), [([0.9] * 5, "same"), ([0.9], "at least 2 folds"), ([], "every fold")])
def test_without_spread_there_is_no_interval(values: list[float], why: str) -> None:
    found = over(values)
    assert found["low"] is None
    assert why in str(found["reason"])


def test_a_fold_without_a_score_leaves_no_mean() -> None:
    found = over([0.9, math.nan], metric=RocAuc())
    assert (found["folds"], found["mean"], found["sd"]) == ([0.9, None], None, None)


def test_folds_that_grow_get_no_interval() -> None:
    assert over([0.8, 0.9], dependence="folds grow")["reason"] == "folds grow"
