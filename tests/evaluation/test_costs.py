"""The mean cost of answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dlcli.evaluation.costs import mean_cost
from dlcli.evaluation.fold_scores import summarize
from dlcli.evaluation.metrics import label
from dlcli.evaluation.rows import ScoredRows
from dlcli.problems import ConfigError
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
CLASSES = Goal(Task.MULTICLASS, ("y",), ("a", "b", "c"))
TRUTH, PREDICTION = np.array([0, 0, 1, 1]), np.array([0.2, 0.7, 0.4, 0.9])


def test_each_mistake_costs_what_is_written_and_the_rest_nothing() -> None:
    metric = mean_cost(BINARY, {"yes": {"no": 10}, "no": {"yes": 1}})
    rows = ScoredRows(BINARY, TRUTH, PREDICTION, None, 0.5)
    assert rows.score(metric) == pytest.approx((1 + 10) / 4)
    assert (label(metric), metric.greater_is_better) == ("mean_cost", False)


def test_the_threshold_and_the_weights_count() -> None:
    metric = mean_cost(BINARY, {"yes": {"no": 10}, "no": {"yes": 1}})
    weighted = ScoredRows(BINARY, TRUTH, PREDICTION, np.array([1.0, 1.0, 2.0, 0.0]), 0.8)
    assert weighted.score(metric) == pytest.approx(2 * 10 / 4)


def test_right_answers_may_gain() -> None:
    metric = mean_cost(CLASSES, {"a": {"a": -2, "c": 5}})
    rows = ScoredRows(CLASSES, np.array([0, 0, 1]), np.eye(3)[[0, 2, 0]], None, 0.5)
    assert rows.score(metric) == pytest.approx((-2 + 5) / 3)


def test_its_interval_over_folds_stays_within_the_costs_too() -> None:
    metric = mean_cost(BINARY, {"yes": {"no": 1}})
    (found,) = summarize([metric], [{"mean_cost": value} for value in (0.0, 0.0, 0.9)], 3)
    assert (found.spread.interval.low, found.spread.interval.high) == (0, 1)


def test_its_interval_is_students_and_stays_within_the_costs() -> None:
    metric = mean_cost(BINARY, {"yes": {"no": 4, "yes": -1}, "no": {"yes": 1}})
    generator = np.random.default_rng(0)
    rows = ScoredRows(BINARY, generator.integers(0, 2, 100), generator.random(100), None, 0.5)
    costs = np.array([[0, 1], [4, -1]])[rows.truth, (rows.prediction >= 0.5).astype(int)]
    low, high = stats.t.interval(0.95, 99, costs.mean(), stats.sem(costs))
    found = metric.interval(rows, 0.95)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert metric.interval(rows.take(np.arange(2)), 0.999).low >= -1
    assert metric.influence(rows).mean() == pytest.approx(0)


def test_an_unknown_class_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="there is no class yess") as caught:
        mean_cost(BINARY, {"yess": {"no": 10}})
    (problem,) = caught.value.problems
    assert (problem.suggestion, problem.path) == ("there are: no, yes", ("evaluation", "costs"))


def test_labels_have_no_costs() -> None:
    with pytest.raises(ConfigError, match="one class per row"):
        mean_cost(Goal(Task.MULTILABEL, ("a", "b")), {"a": {"b": 1}})
