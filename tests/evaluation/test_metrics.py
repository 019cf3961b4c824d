"""Metrics: the definitions of scikit-learn, to 1e-9, on any rows, weights and ties."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlcli.config import catalog
from dlcli.evaluation.metrics import F1, R2, Accuracy, Custom, label, labels, misfit
from dlcli.evaluation.metrics.agreement import PositiveLikelihoodRatio
from dlcli.evaluation.metrics.areas import AveragePrecision, MeanAveragePrecision, RocAuc
from dlcli.evaluation.metrics.class_shares import BalancedAccuracy, Precision, Recall, Specificity
from dlcli.evaluation.metrics.deviances import D2Tweedie, MeanGammaDeviance, MeanPoissonDeviance, MeanTweedieDeviance
from dlcli.evaluation.metrics.explained import D2Brier, D2LogLoss, ExplainedVariance
from dlcli.evaluation.metrics.probabilities import HingeLoss, LogLoss
from dlcli.evaluation.metrics.right_rows import HammingLoss, TopKAccuracy
from dlcli.evaluation.metrics.value_errors import (
    MaxError,
    MeanPinballLoss,
    MeanSquaredLogError,
    MedianAbsoluteError,
    RootMeanSquaredLogError,
)
from dlcli.part import Metric
from dlcli.problems import ConfigError
from dlcli.task import NUMBERS, Task
from tests.evaluation.metric_table import CASES, GOALS, IDS, PAIRS, Case, drawn, made


def compute(metric: Metric, task: Task, truth: Any, prediction: Any, weight: Any = None, threshold: Any = 0.5) -> float:
    return metric.compute(GOALS[task], np.array(truth), np.array(prediction), weight, threshold)


def same(ours: float, theirs: float) -> bool:
    """To 1e-9; where scikit-learn divides by zero there is no score."""
    return ours == pytest.approx(theirs, rel=1e-9, abs=1e-9) if math.isfinite(theirs) else math.isnan(ours)


def test_every_metric_is_in_the_table() -> None:
    assert {case.metric.part_name for case in CASES} == set(catalog.names("metric")) - {"custom"}


@pytest.mark.parametrize(("case", "task"), PAIRS, ids=IDS)
@settings(max_examples=15)
@given(data=st.data())
def test_scores_are_scikit_learns(case: Case, task: Task, data: Any) -> None:
    rows = data.draw(drawn(case, task))
    # With weights scikit-learn's mean of equal numbers is off by a rounding, and then R2 by any amount.
    assume(task is not Task.REGRESSION or len(rows) < 2 or np.ptp(rows.truth, axis=0).all())
    assert same(rows.score(case.metric), case.expected(rows))


@settings(max_examples=300)
@given(pair=st.sampled_from(PAIRS), data=st.data())
def test_neither_the_order_of_rows_nor_the_sum_of_weights_matters(pair: tuple[Case, Task], data: Any) -> None:
    case, rows = pair[0], data.draw(drawn(*pair))
    order = np.random.default_rng(1).permutation(len(rows))
    shuffled = replace(rows, weight=rows.weights() * 4).take(order)
    assert shuffled.score(case.metric) == pytest.approx(rows.score(case.metric), rel=1e-9, abs=1e-12, nan_ok=True)


@settings(max_examples=300)
@given(pair=st.sampled_from(PAIRS), data=st.data())
def test_a_weight_of_two_counts_as_a_second_row_and_one_of_zero_not_at_all(pair: tuple[Case, Task], data: Any) -> None:
    case, rows = pair[0], replace(data.draw(drawn(*pair, smallest=4)), weight=None)
    times = np.arange(len(rows)) % 3
    expected = rows.take(np.repeat(np.arange(len(rows)), times)).score(case.metric)
    found = replace(rows, weight=times.astype(float)).score(case.metric)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(("case", "task"), PAIRS, ids=IDS)
def test_best_at_a_perfect_prediction(case: Case, task: Task) -> None:
    metric, generator = case.metric, np.random.default_rng(0)
    truth = {
        Task.BINARY: np.arange(8) % 2,
        Task.MULTICLASS: np.arange(8) % 4,
        Task.MULTILABEL: (np.arange(24) % 2).reshape(8, 3),
        Task.REGRESSION: (amounts := np.exp(generator.normal(size=(8, 2)))),
        Task.FORECAST: amounts,
    }[task]
    perfect = np.eye(4)[truth] if task is Task.MULTICLASS else truth.astype(float)
    worse = perfect[::-1].copy() if task in NUMBERS else 0.9 - 0.8 * perfect
    best, bad = compute(metric, task, truth, perfect), compute(metric, task, truth, worse)
    if metric.part_name in ("positive_likelihood_ratio", "coverage_error", "dcg"):
        return  # infinite, or best at a number that depends on the labels
    assert best == pytest.approx(1.0 if metric.greater_is_better else 0.0)
    if metric != TopKAccuracy(k=9) and metric != TopKAccuracy(k=4):
        assert (best > bad) == metric.greater_is_better


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_score_of_a_lone_row_warns(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for task in case.tasks:
            rows = (1, 2) if task in NUMBERS else (1, 3) if task is Task.MULTILABEL else (1,)
            shape = (1, 4) if task is Task.MULTICLASS else rows
            kind = float if task in NUMBERS else np.int64
            value = compute(case.metric, task, np.zeros(rows, dtype=kind), np.zeros(shape))
            assert math.isfinite(value) or case.metric.needs


def test_scores_are_within_their_range() -> None:
    for case, task in PAIRS:
        for seed in range(5):
            value = made(case, task, 8, np.random.default_rng(seed), 2).score(case.metric)
            assert math.isnan(value) or case.metric.lowest <= value <= case.metric.highest


def test_a_perfect_order_is_1_and_no_more_whatever_the_weights() -> None:
    generator, truth = np.random.default_rng(0), np.repeat([0, 1], [5, 7])
    for _ in range(100):
        assert 1 - 1e-9 < compute(RocAuc(), Task.BINARY, truth, np.linspace(0, 1, 12), generator.random(12)) <= 1


@pytest.mark.parametrize(
    ("metric", "truth", "prediction", "expected"),
    [
        (LogLoss(), [1], [0.0], 36.04365338911715),  # a sure miss, in float64
        (HingeLoss(), [1, 0], [0.5, 0.5], 1.0),
        (RocAuc(), [0, 1, 1], [0.3, 0.3, 0.3], 0.5),  # constant scores
        (RocAuc(), [1, 1, 1], [0.1, 0.2, 0.3], math.nan),  # one class
        (RocAuc(max_fpr=0.5), [1, 1, 1], [0.1, 0.2, 0.3], math.nan),
        (AveragePrecision(), [0, 1, 1], [0.3, 0.3, 0.3], 2 / 3),  # the share of positives
        (AveragePrecision(), [0, 0], [0.1, 0.9], math.nan),  # no positives
        (F1(), [0, 0], [0.1, 0.2], 0.0),  # 0 / 0
        (Precision(), [1, 0], [0.1, 0.2], 0.0),
        (Recall(), [0, 0], [0.9, 0.2], 0.0),
        (Specificity(), [0, 0, 1], [0.9, 0.2, 0.7], 0.5),
        (Specificity(), [1, 1], [0.9, 0.2], 0.0),
        (Accuracy(), [0, 1], [0.4, 0.5], 1.0),  # the threshold itself counts as yes
        (BalancedAccuracy(), [1, 1], [0.9, 0.2], 0.5),  # the class without rows is left out
        (BalancedAccuracy(adjusted=True), [1, 1], [0.9, 0.2], math.nan),
        (PositiveLikelihoodRatio(), [1, 1, 0, 0], [0.9, 0.2, 0.7, 0.1], 1.0),
        (PositiveLikelihoodRatio(), [1, 0], [0.9, 0.1], math.nan),  # no false positive
        (D2LogLoss(), [1, 1], [0.9, 0.8], math.nan),  # the shares of one class lose nothing
        (D2Brier(), [1, 1], [0.9, 0.8], math.nan),
    ],
)  # fmt: skip
def test_edges_of_the_definitions(metric: Metric, truth: Any, prediction: Any, expected: float) -> None:
    assert same(compute(metric, Task.BINARY, truth, prediction), expected)


@pytest.mark.parametrize(
    ("metric", "truth", "prediction", "expected"),
    [
        (R2(), [[0.1]] * 3, [[0.1]] * 3, 1.0),  # a constant target, met
        (R2(), [[0.1]] * 3, [[0.1], [0.2], [0.1]], 0.0),  # and missed
        (R2(), [[1.0]], [[1.0]], math.nan),  # a single row
        (ExplainedVariance(), [[1.0]], [[1.0]], math.nan),
        (ExplainedVariance(), [[0.1]] * 3, [[0.7]] * 3, 1.0),  # blind to what all rows share
        (D2Tweedie(power=1), [[0.0], [0.0]], [[1.0], [2.0]], math.nan),  # no Poisson distribution has the mean 0
        (MeanPinballLoss(alpha=0.9), [[1.0], [1.0]], [[0.0], [2.0]], 0.5),
        (MedianAbsoluteError(), [[0.0]] * 4, [[1.0], [2.0], [4.0], [100.0]], 3.0),
        (MaxError(), [[0.0, 0.0]], [[1.0, 3.0]], 2.0),  # the mean over targets
        (MeanPoissonDeviance(), [[0.0]], [[1.5]], 3.0),
        (MeanPoissonDeviance(), [[1.0]], [[0.0]], math.nan),
        (MeanPoissonDeviance(), [[-1.0]], [[1.0]], math.nan),
        (MeanGammaDeviance(), [[0.0]], [[1.0]], math.nan),
        (MeanTweedieDeviance(power=-1), [[-2.0]], [[1.0]], 2 * (-1 * -2.0 / 2 + 1 / 3)),
        (MeanSquaredLogError(), [[1.0], [-1.0]], [[1.0], [1.0]], math.nan),
        (RootMeanSquaredLogError(), [[1.0]], [[-3.0]], math.nan),
    ],
)  # fmt: skip
def test_edges_of_scores_of_numbers(metric: Metric, truth: Any, prediction: Any, expected: float) -> None:
    assert same(compute(metric, Task.REGRESSION, truth, prediction), expected)


def test_r2_of_a_constant_target_is_0_whatever_the_weights() -> None:
    truth, prediction = [[-0.38], [-0.38]], [[-2.07], [2.21]]
    assert compute(R2(), Task.REGRESSION, truth, prediction, np.array([1.0, 0.5])) == 0


def test_macro_f1_counts_a_class_that_these_rows_lack() -> None:
    truth, prediction = np.array([0, 1, 2]), np.eye(4)[[0, 1, 2]]
    assert compute(F1(), Task.MULTICLASS, truth, prediction) == 0.75


def test_a_mean_over_labels_leaves_out_the_one_without_a_positive_row() -> None:
    truth, prediction = [[1, 0, 0], [0, 0, 1]], [[0.9, 0.5, 0.1], [0.1, 0.4, 0.8]]
    assert compute(MeanAveragePrecision(), Task.MULTILABEL, truth, prediction) == 1.0
    assert compute(RocAuc(), Task.MULTILABEL, truth, prediction) == 1.0


def test_each_label_has_its_own_threshold() -> None:
    truth, prediction = [[1, 0, 0], [0, 0, 1]], [[0.2, 0.5, 0.1], [0.1, 0.4, 0.8]]
    thresholds = np.array([0.15, 0.6, 0.5])
    assert compute(Accuracy(), Task.MULTILABEL, truth, prediction, None, thresholds) == 1.0
    assert compute(F1(average="micro"), Task.MULTILABEL, truth, prediction, None, thresholds) == 1.0
    assert compute(HammingLoss(), Task.MULTILABEL, truth, prediction, None, 0.5) == pytest.approx(2 / 6)


def test_names_of_one_metric_are_plain_and_of_several_distinct() -> None:
    assert label(F1(average="macro")) == "f1"
    assert labels([F1(average="macro"), Accuracy()]) == ("f1", "accuracy")
    assert labels([F1(), F1(average="macro"), F1(average="macro")]) == ("f1", "f1_macro", "f1_macro_2")


@pytest.mark.parametrize(
    ("metric", "task", "why"),
    [
        (F1(average="binary"), Task.MULTICLASS, "needs the task binary"),
        (F1(average="samples"), Task.BINARY, "needs the task multilabel"),
        (R2(), Task.BINARY, "does not score"),
        (RocAuc(multi_class="ovo"), Task.BINARY, "needs the task multiclass"),
        (RocAuc(multi_class="ovo", average="micro"), Task.MULTICLASS, "no micro average"),
        (RocAuc(max_fpr=0.1), Task.MULTICLASS, "needs the task binary"),
        (MeanTweedieDeviance(power=0.5), Task.REGRESSION, "between 0 and 1"),
        (D2Tweedie(power=0.5), Task.REGRESSION, "between 0 and 1"),
    ],
)
def test_a_metric_that_cannot_score_a_task_says_why(metric: Metric, task: Task, why: str) -> None:
    assert why in str(misfit(metric, task))


def test_a_metric_that_fits_has_no_misfit() -> None:
    assert all(misfit(case.metric, task) is None for case, task in PAIRS)
    with pytest.raises(ConfigError, match="needs the task binary"):
        compute(F1(average="binary"), Task.MULTICLASS, [0], np.eye(4)[:1])


CLUSTERING = {
    "adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score", "fowlkes_mallows_score",
    "homogeneity_score", "mutual_info_score", "normalized_mutual_info_score", "rand_score", "v_measure_score",
}  # fmt: skip
NO_SCORES = {
    "auc", "classification_report", "confusion_matrix", "confusion_matrix_at_thresholds", "det_curve",
    "metric_at_thresholds", "multilabel_confusion_matrix", "precision_recall_curve",
    "precision_recall_fscore_support", "roc_curve",
}  # fmt: skip
FUNCTIONS = [
    name
    for name in sklearn.metrics.__all__
    if getattr(getattr(sklearn.metrics, name), "__module__", "").rpartition(".")[2]
    in ("_classification", "_ranking", "_regression")
]


@pytest.mark.parametrize("name", sorted({*sklearn.metrics.get_scorer_names(), *FUNCTIONS} - CLUSTERING - NO_SCORES))
def test_every_score_of_scikit_learn_leads_to_a_metric(name: str) -> None:
    written = yaml.safe_load(catalog.written("metric", name) or name)
    ((found, fields),) = written.items() if isinstance(written, dict) else [(written, {})]
    metric = catalog.find("metric", found)
    assert metric is not None
    metric.model_validate(fields)


def test_no_name_leads_to_two_metrics() -> None:
    parts = [catalog.find("metric", name) for name in catalog.names("metric")]
    others = [other for part in parts if part for other in part.other_names if other != part.part_name]
    assert len(set(others)) == len(others)
    assert not set(others) & set(catalog.names("metric"))


def test_a_custom_metric_is_the_users_function(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def hits(y_true, y_score, least):\n    return sum(y_score > least)\n")
    metric = Custom(object=f"{tmp_path}/mine.py:hits", arguments={"least": 0.5}, greater_is_better=False)
    assert compute(metric, Task.BINARY, [0, 1], [0.6, 0.7]) == 2.0
    assert (label(metric), metric.greater_is_better) == ("hits", False)


def test_a_custom_metric_that_fails_names_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def broken(y_true, y_score):\n    return 1 / 0\n")
    with pytest.raises(ConfigError, match="failed: ZeroDivisionError"):
        compute(Custom(object=f"{tmp_path}/mine.py:broken"), Task.BINARY, [0, 1], [0.6, 0.7])
