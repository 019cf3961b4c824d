"""Metrics: the definitions of scikit-learn, to 1e-9, on any rows, weights and ties."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlcli.evaluation.metrics import (
    F1,
    R2,
    Accuracy,
    AveragePrecision,
    Brier,
    Custom,
    LogLoss,
    MeanAbsoluteError,
    MeanAveragePrecision,
    MeanSquaredError,
    Precision,
    Recall,
    RocAuc,
    RootMeanSquaredError,
    label,
    labels,
    misfit,
)
from dlcli.part import Metric
from dlcli.problems import ConfigError
from dlcli.task import NUMBERS, Goal, Task

GOALS = {
    Task.BINARY: Goal(Task.BINARY, ("y",), ("no", "yes")),
    Task.MULTICLASS: Goal(Task.MULTICLASS, ("y",), ("a", "b", "c", "d")),
    Task.MULTILABEL: Goal(Task.MULTILABEL, ("a", "b", "c")),
    Task.REGRESSION: Goal(Task.REGRESSION, ("a", "b")),
}
OF_CLASSES = {Precision: reference.precision_score, Recall: reference.recall_score, F1: reference.f1_score}
ALL = [
    Accuracy(), Precision(), Recall(), F1(), RocAuc(), RocAuc(average="weighted"), AveragePrecision(),
    MeanAveragePrecision(), LogLoss(), Brier(), MeanAbsoluteError(), MeanSquaredError(), RootMeanSquaredError(), R2(),
    *(kind(average=average) for kind in OF_CLASSES for average in ("macro", "micro", "weighted")),
]  # fmt: skip


@st.composite
def answers(draw: st.DrawFn, task: Task, *, smallest: int = 2, every_class: bool = False) -> tuple[Any, ...]:
    """Truth, predictions with many ties, and weights of some rows."""
    rows = draw(st.integers(smallest, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    coarse = draw(st.sampled_from([2, 5, 1000]))
    weight = None if draw(st.booleans()) else generator.integers(1, 5, rows) / 2
    if task is Task.REGRESSION:
        return np.round(generator.normal(size=(rows, 2)), 2), generator.normal(size=(rows, 2)), weight
    if task is Task.MULTICLASS:
        truth = generator.integers(0, 4, rows)
        if every_class:
            truth[:4] = range(4)
        chances = generator.integers(1, coarse + 1, (rows, 4)).astype(float)
        return truth, chances / chances.sum(axis=1, keepdims=True), weight
    shape = (rows,) if task is Task.BINARY else (rows, 3)
    truth = generator.integers(0, 2, shape)
    if every_class:
        truth[0], truth[1] = 0, 1
    return truth, generator.integers(0, coarse + 1, shape) / coarse, weight


def compute(
    metric: Metric, task: Task, truth: Any, prediction: Any, weight: Any = None, threshold: float = 0.5
) -> float:
    return metric.compute(GOALS[task], truth, prediction, weight, threshold)


def same(ours: float, theirs: float) -> bool:
    return ours == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True)


def guessed(task: Task, prediction: Any, threshold: float = 0.5) -> Any:
    return prediction.argmax(axis=1) if task is Task.MULTICLASS else (prediction >= threshold).astype(int)


@given(st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]), st.sampled_from([0.2, 0.5, 0.8]))
def test_accuracy_is_scikit_learns(data: Any, task: Task, threshold: float) -> None:
    truth, prediction, weight = data.draw(answers(task, smallest=1))
    theirs = reference.accuracy_score(truth, guessed(task, prediction, threshold), sample_weight=weight)
    assert same(compute(Accuracy(), task, truth, prediction, weight, threshold), theirs)


@given(
    st.data(),
    st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]),
    st.sampled_from(["auto", "binary", "macro", "micro", "weighted"]),
    st.sampled_from(list(OF_CLASSES)),
)
def test_precision_recall_and_f1_are_scikit_learns(data: Any, task: Task, average: str, kind: type[Metric]) -> None:
    if average == "binary" and task is not Task.BINARY:
        return
    truth, prediction, weight = data.draw(answers(task, smallest=1))
    plain = {"auto": "binary" if task is Task.BINARY else "macro"}.get(average, average)
    known = {} if plain == "binary" else {"labels": range(len(GOALS[task].classes) or 3)}
    theirs = OF_CLASSES[kind](
        truth, guessed(task, prediction), average=plain, sample_weight=weight, zero_division=0, **known
    )
    assert same(compute(kind(average=average), task, truth, prediction, weight), theirs)


@given(
    st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]), st.sampled_from(["macro", "weighted"])
)
def test_roc_auc_is_scikit_learns_with_ties_and_weights(data: Any, task: Task, average: str) -> None:
    truth, prediction, weight = data.draw(answers(task, smallest=5, every_class=True))
    theirs = reference.roc_auc_score(truth, prediction, average=average, sample_weight=weight, multi_class="ovr")
    assert same(compute(RocAuc(average=average), task, truth, prediction, weight), theirs)


@given(st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]))
def test_average_precision_is_scikit_learns(data: Any, task: Task) -> None:
    truth, prediction, weight = data.draw(answers(task, smallest=5, every_class=True))
    theirs = reference.average_precision_score(truth, prediction, sample_weight=weight)
    metric = AveragePrecision() if task is Task.BINARY else MeanAveragePrecision()
    assert same(compute(metric, task, truth, prediction, weight), theirs)


@given(st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS]))
def test_losses_of_probabilities_are_scikit_learns(data: Any, task: Task) -> None:
    truth, prediction, weight = data.draw(answers(task, smallest=5, every_class=True))
    known = range(len(GOALS[task].classes))
    log_loss = reference.log_loss(truth, prediction, sample_weight=weight, labels=known)
    brier = reference.brier_score_loss(truth, prediction, sample_weight=weight, labels=known)
    assert same(compute(LogLoss(), task, truth, prediction, weight), log_loss)
    assert same(compute(Brier(), task, truth, prediction, weight), brier)


@given(
    answers(Task.REGRESSION),
    st.sampled_from([
        (MeanAbsoluteError(), reference.mean_absolute_error),
        (MeanSquaredError(), reference.mean_squared_error),
        (RootMeanSquaredError(), reference.root_mean_squared_error),
        (R2(), reference.r2_score),
    ]),
)  # fmt: skip
def test_scores_of_numbers_are_scikit_learns(rows: Any, pair: Any) -> None:
    truth, prediction, weight = rows
    # With weights scikit-learn's mean of equal numbers is off by a rounding, and its R2 then by any amount.
    assume(not isinstance(pair[0], R2) or len(truth) < 2 or np.ptp(truth, axis=0).all())
    theirs = pair[1](truth, prediction, sample_weight=weight)
    assert same(compute(pair[0], Task.REGRESSION, truth, prediction, weight), theirs)


def test_r2_of_a_constant_target_is_0_whatever_the_weights() -> None:
    truth, prediction = np.array([[-0.38], [-0.38]]), np.array([[-2.07], [2.21]])
    assert compute(R2(), Task.REGRESSION, truth, prediction, np.array([1.0, 0.5])) == 0


@pytest.mark.parametrize(
    ("metric", "truth", "prediction", "expected"),
    [
        (LogLoss(), [1], [0.0], 36.04365338911715),  # a sure miss, in float64
        (RocAuc(), [0, 1, 1], [0.3, 0.3, 0.3], 0.5),  # constant scores
        (RocAuc(), [1, 1, 1], [0.1, 0.2, 0.3], math.nan),  # one class
        (AveragePrecision(), [0, 1, 1], [0.3, 0.3, 0.3], 2 / 3),  # the share of positives
        (AveragePrecision(), [0, 0], [0.1, 0.9], math.nan),  # no positives
        (F1(), [0, 0], [0.1, 0.2], 0.0),  # 0 / 0
        (Precision(), [1, 0], [0.1, 0.2], 0.0),
        (Recall(), [0, 0], [0.9, 0.2], 0.0),
        (Accuracy(), [0, 1], [0.4, 0.5], 1.0),  # the threshold itself counts as yes
    ],
)  # fmt: skip
def test_edges_of_the_definitions(metric: Metric, truth: Any, prediction: Any, expected: float) -> None:
    assert same(compute(metric, Task.BINARY, np.array(truth), np.array(prediction)), expected)


@pytest.mark.parametrize(("prediction", "expected"), [([[0.1]] * 3, 1.0), ([[0.1], [0.2], [0.1]], 0.0)])
def test_r2_of_a_constant_target_is_one_or_zero(prediction: Any, expected: float) -> None:
    assert compute(R2(), Task.REGRESSION, np.array([[0.1]] * 3), np.array(prediction)) == expected


def test_r2_of_one_row_does_not_exist() -> None:
    assert math.isnan(compute(R2(), Task.REGRESSION, np.array([[1.0]]), np.array([[1.0]])))


def test_macro_f1_counts_a_class_that_these_rows_lack() -> None:
    truth, prediction = np.array([0, 1, 2]), np.eye(4)[[0, 1, 2]]
    assert compute(F1(), Task.MULTICLASS, truth, prediction) == 0.75


def test_a_mean_over_labels_leaves_out_the_one_without_a_positive_row() -> None:
    truth, prediction = np.array([[1, 0, 0], [0, 0, 1]]), np.array([[0.9, 0.5, 0.1], [0.1, 0.4, 0.8]])
    assert compute(MeanAveragePrecision(), Task.MULTILABEL, truth, prediction) == 1.0
    assert compute(RocAuc(), Task.MULTILABEL, truth, prediction) == 1.0


@pytest.mark.parametrize("metric", ALL, ids=str)
def test_best_at_a_perfect_prediction(metric: Metric) -> None:
    generator = np.random.default_rng(0)
    for task in metric.tasks - {Task.BOUNDED_REGRESSION}:
        truth = {
            Task.BINARY: np.arange(8) % 2,
            Task.MULTICLASS: np.arange(8) % 4,
            Task.MULTILABEL: (np.arange(24) % 2).reshape(8, 3),
            Task.REGRESSION: generator.normal(size=(8, 2)),
        }[task]
        perfect = np.eye(4)[truth] if task is Task.MULTICLASS else truth.astype(float)
        worse = perfect[::-1].copy() if task in NUMBERS else 1 - perfect
        best, bad = compute(metric, task, truth, perfect), compute(metric, task, truth, worse)
        assert best == pytest.approx(1.0 if metric.greater_is_better else 0.0)
        assert (best > bad) == metric.greater_is_better


@settings(max_examples=30)
@given(st.data(), st.sampled_from(ALL))
def test_the_order_of_rows_does_not_matter(data: Any, metric: Metric) -> None:
    task = data.draw(st.sampled_from(sorted(metric.tasks - {Task.BOUNDED_REGRESSION})))
    truth, prediction, weight = data.draw(answers(task))
    order = np.random.default_rng(1).permutation(len(truth))
    shuffled = compute(metric, task, truth[order], prediction[order], None if weight is None else weight[order])
    assert shuffled == pytest.approx(compute(metric, task, truth, prediction, weight), rel=1e-12, nan_ok=True)


@settings(max_examples=30)
@given(st.data(), st.sampled_from(ALL))
def test_a_weight_of_two_counts_as_a_second_row(data: Any, metric: Metric) -> None:
    task = data.draw(st.sampled_from(sorted(metric.tasks - {Task.BOUNDED_REGRESSION})))
    truth, prediction, _ = data.draw(answers(task))
    times = np.arange(len(truth)) % 2 + 1
    twice = compute(metric, task, np.repeat(truth, times, axis=0), np.repeat(prediction, times, axis=0))
    assert compute(metric, task, truth, prediction, times.astype(float)) == pytest.approx(twice, rel=1e-9, nan_ok=True)


def test_names_of_one_metric_are_plain_and_of_several_distinct() -> None:
    assert label(F1(average="macro")) == "f1"
    assert labels([F1(average="macro"), Accuracy()]) == ("f1", "accuracy")
    assert labels([F1(), F1(average="macro"), F1(average="macro")]) == ("f1", "f1_macro", "f1_macro_2")


def test_average_binary_fits_the_binary_task_only() -> None:
    assert misfit(F1(average="binary"), Task.BINARY) is None
    assert "needs the task binary" in str(misfit(F1(average="binary"), Task.MULTICLASS))
    assert "does not score" in str(misfit(R2(), Task.BINARY))
    with pytest.raises(ConfigError, match="needs the task binary"):
        compute(F1(average="binary"), Task.MULTICLASS, np.array([0]), np.eye(4)[:1])


def test_a_custom_metric_is_the_users_function(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def hits(y_true, y_score, least):\n    return sum(y_score > least)\n")
    metric = Custom(object=f"{tmp_path}/mine.py:hits", arguments={"least": 0.5}, greater_is_better=False)
    assert compute(metric, Task.BINARY, np.array([0, 1]), np.array([0.6, 0.7])) == 2.0
    assert (label(metric), metric.greater_is_better) == ("hits", False)


def test_a_custom_metric_that_fails_names_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def broken(y_true, y_score):\n    return 1 / 0\n")
    with pytest.raises(ConfigError, match="failed: ZeroDivisionError"):
        compute(Custom(object=f"{tmp_path}/mine.py:broken"), Task.BINARY, np.array([0, 1]), np.array([0.6, 0.7]))


def test_no_score_warns(recwarn: pytest.WarningsRecorder) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for metric in ALL:
            for task in metric.tasks & GOALS.keys():
                rows = (1, 2) if task is Task.REGRESSION else (1, 3) if task is Task.MULTILABEL else (1,)
                shape = (1, 4) if task is Task.MULTICLASS else rows
                kind = float if task is Task.REGRESSION else np.int64
                compute(metric, task, np.zeros(rows, dtype=kind), np.zeros(shape))
    assert not recwarn.list
