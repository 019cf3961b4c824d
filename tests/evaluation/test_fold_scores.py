"""Scores over folds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from dlcli.evaluation import intervals
from dlcli.evaluation.fold_scores import meaning_over_folds, meaning_over_runs, spread, summarize
from dlcli.evaluation.metrics import Accuracy, RocAuc
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.task import Goal, Task


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
    assert (found["method"], found["n"], found["degrees"]) == ("corrected t", 10, 9)


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
    assert over([0.8, 0.9], dependence="folds grow")["degrees"] is None


def out_of_fold(right: int, n: int) -> ScoredRows:
    truth = np.arange(n) % 2
    answered = np.where(np.arange(n) < right, truth, 1 - truth)
    return ScoredRows(Goal(Task.BINARY, ("y",), ("no", "yes")), truth, answered * 0.8 + 0.1, None, 0.5)


def test_a_mean_over_rows_of_one_round_takes_its_interval_from_the_rows() -> None:
    scores = [{"accuracy": value, "roc_auc": value} for value in (0.8, 0.7, 0.9, 0.8, 0.8)]
    accuracy, auc = summarize([Accuracy(), RocAuc()], scores, 5, pooled=out_of_fold(80, 100))
    expected = intervals.wilson(0.8, 100, 0.95)
    assert accuracy.spread.interval == expected
    assert accuracy.degrees is None
    assert (auc.spread.interval.method, auc.degrees) == ("corrected t", 4)


def test_several_rounds_take_the_corrected_interval_whatever_the_score() -> None:
    scores = [{"accuracy": value} for value in (0.8, 0.7, 0.9, 0.8, 0.8, 0.7)]
    (found,) = summarize([Accuracy()], scores, 3, pooled=out_of_fold(80, 100))
    assert (found.spread.interval.method, found.degrees) == ("corrected t", 5)


def repeated(values: list[float]) -> dict[str, object]:
    (found,) = spread([Accuracy()], [{"accuracy": value} for value in values])
    return json.loads(json.dumps(found.as_json(), allow_nan=False))


def test_five_seeds_know_the_mean_to_within_1_24_deviations() -> None:
    values = [0.80, 0.82, 0.78, 0.84, 0.81]
    found, sd = repeated(values), np.std(values, ddof=1)
    assert (found["values"], found["mean"], found["sd"]) == (values, pytest.approx(0.81), pytest.approx(sd))
    assert (found["low"], found["high"]) == pytest.approx((0.81 - 1.2416 * sd, 0.81 + 1.2416 * sd), abs=1e-5)


@pytest.mark.parametrize(
    ("values", "why"), [([0.8, 0.7, 0.9, 0.8], "5 runs"), ([0.8] * 6, "same"), ([0.8, math.nan], "every run")]
)
def test_few_or_equal_runs_have_no_interval(values: list[float], why: str) -> None:
    found = repeated(values)
    assert (found["low"], found["high"]) == (None, None)
    assert why in str(found["reason"])


def test_what_intervals_of_means_cover_is_said() -> None:
    assert "trained on 4/5 of this many rows" in meaning_over_folds(5, 0.95)
    assert "other seeds" in meaning_over_runs(0.95)
