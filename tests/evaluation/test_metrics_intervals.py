"""Which interval a metric has, and that it has one or says why not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from dlcli.evaluation import class_means
from dlcli.evaluation.estimate import estimate
from dlcli.evaluation.metrics import F1, Accuracy, BalancedAccuracy, Precision, Recall, RocAuc, Specificity
from dlcli.evaluation.metrics.class_shares import FBeta, Jaccard
from dlcli.evaluation.metrics.estimated import EstimatedMetric
from dlcli.evaluation.metrics.right_rows import HammingLoss, TopKAccuracy, ZeroOneLoss
from dlcli.evaluation.metrics.value_errors import MeanSquaredLogError
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import LABELS, Task
from tests.evaluation.metric_table import CASES, GOALS, IDS, PAIRS, Case, made

ANY = CASES[0]


def wilson(k: float, n: float) -> tuple[float, float]:
    found = stats.binomtest(int(k), int(n)).proportion_ci(method="wilson")
    return found.low, found.high


def ends(metric: EstimatedMetric, rows: ScoredRows) -> tuple[float, float]:
    found = metric.interval(rows, 0.95)
    assert found.low is not None, found.reason
    assert found.high is not None
    return found.low, found.high


@pytest.mark.parametrize(("case", "task"), PAIRS, ids=IDS)
def test_every_interval_holds_the_score_or_says_why_there_is_none(case: Case, task: Task) -> None:
    for seed in range(6):
        generator = np.random.default_rng(seed)
        rows = made(case, task, 7 + 20 * seed, generator, 1000 if seed % 2 else 3, weighted=seed > 2)
        found, value = estimate(case.metric, rows, 0.95), rows.score(case.metric)
        if found.low is None or found.high is None:
            assert found.reason
        else:
            assert case.metric.lowest <= found.low <= value <= found.high <= case.metric.highest
            assert found.low < found.high
            assert found.method


METHODS = {
    Task.BINARY: {
        "accuracy": "Wilson", "zero_one_loss": "Wilson", "hamming_loss": "Wilson", "precision": "Wilson",
        "recall": "Wilson", "specificity": "Wilson", "jaccard": "Wilson", "f1": "Wilson, indirect", "fbeta": None,
        "balanced_accuracy": "MOVER", "matthews_corrcoef": None, "cohen_kappa": None,
        "positive_likelihood_ratio": None, "negative_likelihood_ratio": None, "roc_auc": "logit-DeLong",
        "average_precision": "logit jackknife", "log_loss": "log-t", "brier": "log-t", "hinge_loss": "log-t",
        "d2_log_loss": "log-t of 1 - d2_log_loss", "d2_brier": "log-t of 1 - d2_brier",
    },
    Task.MULTICLASS: {
        "accuracy": "Wilson", "zero_one_loss": "Wilson", "hamming_loss": "Wilson", "top_k_accuracy": "Wilson",
        "precision": None, "recall": "Wilson, effective rows", "specificity": None, "jaccard": None,
        "f1": "Wilson, effective rows", "fbeta": None, "balanced_accuracy": "Wilson, effective rows",
        "matthews_corrcoef": None, "cohen_kappa": None, "roc_auc": None, "mean_average_precision": None,
        "log_loss": "log-t", "brier": "log-t", "hinge_loss": "log-t", "d2_log_loss": "log-t of 1 - d2_log_loss",
        "d2_brier": "log-t of 1 - d2_brier",
    },
    Task.MULTILABEL: {
        "accuracy": "Wilson", "zero_one_loss": "Wilson", "hamming_loss": "log-t", "precision": None, "recall": None,
        "specificity": None, "jaccard": None, "f1": None, "fbeta": None, "roc_auc": None,
        "mean_average_precision": None, "coverage_error": "log-t", "label_ranking_loss": "log-t",
        "label_ranking_average_precision": None, "dcg": None, "ndcg": None,
    },
    Task.FORECAST: {"mase": "log-t"},
    Task.REGRESSION: {
        **dict.fromkeys(
            ("mae", "mse", "rmse", "msle", "rmsle", "mape", "mean_pinball_loss", "mean_poisson_deviance",
             "mean_gamma_deviance", "mean_tweedie_deviance"), "log-t"),
        "median_absolute_error": None, "max_error": None,
        **{name: f"log-t of 1 - {name}"
           for name in ("r2", "explained_variance", "d2_absolute_error", "d2_pinball", "d2_tweedie")},
    },
}  # fmt: skip


@pytest.mark.parametrize("task", sorted(GOALS))
def test_each_metric_has_the_interval_of_its_kind(task: Task) -> None:
    found = {}
    for case, of in PAIRS:
        if of is task and case.metric.part_name not in found:
            rows = made(case, task, 300, np.random.default_rng(1))
            found[case.metric.part_name] = case.metric.interval(rows, 0.95).method or None
    assert found == METHODS[task]


def test_shares_are_wilsons_with_their_own_rows() -> None:
    rows = made(ANY, Task.BINARY, 50, np.random.default_rng(3))
    truth, guess = rows.truth == 1, rows.prediction >= 0.5
    hits, either = int((truth & guess).sum()), int((truth | guess).sum())
    assert ends(Accuracy(), rows) == pytest.approx(wilson((truth == guess).sum(), 50))
    assert ends(ZeroOneLoss(), rows) == pytest.approx(wilson((truth != guess).sum(), 50))
    assert ends(Precision(), rows) == pytest.approx(wilson(hits, guess.sum()))
    assert ends(Recall(), rows) == pytest.approx(wilson(hits, truth.sum()))
    assert ends(Specificity(), rows) == pytest.approx(wilson((~truth & ~guess).sum(), (~truth).sum()))
    assert ends(Jaccard(), rows) == pytest.approx(wilson(hits, either))
    low, high = wilson(hits, either)
    assert ends(F1(), rows) == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))
    assert ends(FBeta(beta=1), rows) == ends(F1(), rows)


def test_micro_averages_follow_from_accuracy() -> None:
    rows = made(ANY, Task.MULTICLASS, 60, np.random.default_rng(4))
    low, high = ends(Accuracy(), rows)
    for metric in (Precision(average="micro"), F1(average="micro"), Recall(average="weighted")):
        assert ends(metric, rows) == pytest.approx((low, high))
    assert ends(Jaccard(average="micro"), rows) == pytest.approx((low / (2 - low), high / (2 - high)))
    assert ends(Specificity(average="micro"), rows) == pytest.approx(((2 + low) / 3, (2 + high) / 3))


def test_the_share_of_top_classes_is_wilsons() -> None:
    rows = made(ANY, Task.MULTICLASS, 60, np.random.default_rng(5))
    share = rows.score(TopKAccuracy(k=2))
    assert ends(TopKAccuracy(k=2), rows) == pytest.approx(wilson(round(share * 60), 60))


def test_balanced_accuracy_and_macro_recall_are_one_while_every_class_has_rows() -> None:
    rows = made(next(case for case in CASES if case.every_class), Task.MULTICLASS, 80, np.random.default_rng(6))
    guess = rows.prediction.argmax(axis=1)
    hits, there = (
        np.bincount(each, minlength=4).astype(float) for each in (rows.truth[guess == rows.truth], rows.truth)
    )
    expected = class_means.balanced_accuracy(hits, there, 0.95)
    assert ends(BalancedAccuracy(), rows) == pytest.approx((expected.low, expected.high))
    assert ends(Recall(), rows) == ends(BalancedAccuracy(), rows)
    lacking = rows.take(rows.truth != 2)
    assert "no row here" in Recall().interval(lacking, 0.95).reason
    assert ends(BalancedAccuracy(), lacking)


def test_adjusted_balanced_accuracy_scales_its_interval() -> None:
    rows = made(ANY, Task.BINARY, 50, np.random.default_rng(7))
    low, high = ends(BalancedAccuracy(), rows)
    assert ends(BalancedAccuracy(adjusted=True), rows) == pytest.approx((2 * low - 1, 2 * high - 1))


def test_macro_f1_takes_the_whole_confusion() -> None:
    rows = made(ANY, Task.MULTICLASS, 80, np.random.default_rng(8))
    table = np.zeros((4, 4))
    np.add.at(table, (rows.truth, rows.prediction.argmax(axis=1)), 1)
    expected = class_means.macro_f1(table, 0.95)
    assert ends(F1(average="macro"), rows) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("metric", [Accuracy(), Recall(), F1(), F1(average="macro"), BalancedAccuracy(), Specificity()])
def test_equal_weights_change_no_interval_of_classes(metric: EstimatedMetric) -> None:
    rows = made(ANY, Task.BINARY, 50, np.random.default_rng(9))
    assert ends(metric, replace(rows, weight=np.full(50, 0.2))) == pytest.approx(ends(metric, rows))


@pytest.mark.parametrize("metric", [Accuracy(), Recall(), F1(), F1(average="macro"), BalancedAccuracy(), Specificity()])
def test_uneven_weights_are_worth_fewer_rows(metric: EstimatedMetric) -> None:
    rows = made(ANY, Task.BINARY, 400, np.random.default_rng(10))
    weight = np.where(np.arange(400) % 10 == 0, 20.0, 1.0)
    narrow, wide = ends(metric, rows), ends(metric, replace(rows, weight=weight))
    assert wide[1] - wide[0] > 1.5 * (narrow[1] - narrow[0])


def test_the_hamming_loss_of_labels_is_a_mean_of_rows() -> None:
    rows = made(ANY, Task.MULTILABEL, 30, np.random.default_rng(11))
    losses = (rows.truth != (rows.prediction >= rows.threshold)).mean(axis=1)
    mean, error = losses.mean(), losses.std(ddof=1) / math.sqrt(30)
    factor = math.exp(stats.t.ppf(0.975, 29) * error / mean)
    assert ends(HammingLoss(), rows) == pytest.approx((mean / factor, mean * factor))


def test_a_part_of_an_area_has_no_interval() -> None:
    rows = made(next(case for case in CASES if case.every_class), Task.BINARY, 30, np.random.default_rng(12))
    assert "part of the area" in RocAuc(max_fpr=0.1).interval(rows, 0.95).reason
    assert "weighted" in RocAuc().interval(replace(rows, weight=np.ones(30)), 0.95).reason


def test_a_score_that_does_not_exist_has_no_interval() -> None:
    rows = ScoredRows(GOALS[Task.REGRESSION], np.full((3, 2), -2.0), np.ones((3, 2)), None, 0.5)
    assert "above -1" in MeanSquaredLogError().interval(rows, 0.95).reason


def test_scales_fit_the_ranges() -> None:
    for case in CASES:
        metric = case.metric
        if metric.scale == "logit":
            assert (metric.lowest, metric.highest) == (0, 1)
        if metric.scale == "log":
            assert metric.lowest == 0
        if metric.scale == "rest":
            assert (metric.lowest, metric.highest) == (-math.inf, 1)
        assert metric.tasks & LABELS or metric.scale in ("log", "rest")
