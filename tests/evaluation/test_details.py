"""Details of a subset: scikit-learn's curves and confusions, each class on its own, and always plain JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st

from dlcli.evaluation import drawn_curves
from dlcli.evaluation.details import MOST_CLASSES, MOST_CURVES, OTHERS, details, worst
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import CLASSIFICATION, Goal, Task

GOALS = {
    Task.BINARY: Goal(Task.BINARY, ("y",), ("no", "yes")),
    Task.MULTICLASS: Goal(Task.MULTICLASS, ("y",), ("a", "b", "c")),
    Task.MULTILABEL: Goal(Task.MULTILABEL, ("sun", "rain")),
    Task.REGRESSION: Goal(Task.REGRESSION, ("u", "v")),
}


@st.composite
def scored(draw: st.DrawFn, task: Task, *, smallest: int = 0) -> ScoredRows:
    """Rows with ties and weights, some of them 0; classes may be absent."""
    rows = draw(st.integers(smallest, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps = draw(st.sampled_from([1, 3, 1000]))
    weight = None if draw(st.booleans()) else generator.integers(0, 3, rows) / 2 + np.eye(1, rows)[0]
    if task is Task.REGRESSION:
        values = np.round(generator.normal(size=(2, rows, 2)), draw(st.sampled_from([0, 6])))
        return ScoredRows(GOALS[task], values[0], values[1], weight, 0.5)
    if task is Task.MULTICLASS:
        shares = generator.integers(1, steps + 1, (rows, 3)).astype(float)
        return ScoredRows(
            GOALS[task], generator.integers(0, 3, rows), shares / shares.sum(1, keepdims=True), weight, 0.5
        )
    shape = (rows, 2) if task is Task.MULTILABEL else (rows,)
    threshold = np.array([0.3, 0.7]) if task is Task.MULTILABEL else 0.4
    score = generator.integers(0, steps + 1, shape) / steps
    return ScoredRows(GOALS[task], generator.integers(0, 2, shape), score, weight, threshold)


def columns(rows: ScoredRows) -> list[tuple[Any, Any, Any]]:
    """Truth, probability and answer of the positive class, or of each class or label."""
    if rows.goal.task is Task.BINARY:
        return [(rows.truth, rows.prediction, rows.prediction >= rows.threshold)]
    if rows.goal.task is Task.MULTICLASS:
        answer = rows.prediction.argmax(axis=1)
        return [(rows.truth == k, rows.prediction[:, k], answer == k) for k in range(3)]
    answer = rows.prediction >= rows.threshold
    return [(rows.truth[:, k], rows.prediction[:, k], answer[:, k]) for k in range(2)]


KEYS = {
    "classes", "classes_left_out", "confusion", "label_confusions", "roc", "precision_recall", "curves_left_out",
    "calibration", "residuals",
}  # fmt: skip


@given(st.data(), st.sampled_from(list(GOALS)), st.booleans(), st.sampled_from(["independent", "grouped", "ordered"]))
def test_details_are_plain_json_whatever_the_rows(data: Any, task: Task, fitted: bool, dependence: str) -> None:
    rows = data.draw(scored(task))
    groups = np.arange(len(rows)) % 6 if dependence == "grouped" else None
    rows = replace(rows, groups=groups, ordered=dependence == "ordered")
    found = details(rows, confidence=0.95, fitted_temperature=fitted)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found.keys() == KEYS
    there = {key for key, value in found.items() if value is not None}
    if not len(rows):
        assert there == set()
    elif task is Task.REGRESSION:
        assert there == {"residuals"}
    else:
        assert there == KEYS - {"residuals", "label_confusions" if task in CLASSIFICATION else "confusion"}


@given(st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS]))
def test_the_confusion_matrix_is_scikit_learns(data: Any, task: Task) -> None:
    rows = data.draw(scored(task, smallest=1))
    answer = rows.prediction >= rows.threshold if task is Task.BINARY else rows.prediction.argmax(axis=1)
    theirs = reference.confusion_matrix(
        rows.truth, answer, labels=range(len(rows.goal.classes)), sample_weight=rows.weight
    )
    found = details(rows, confidence=0.95)["confusion"]
    assert found["labels"] == list(rows.goal.classes)
    assert np.allclose(found["counts"], theirs)
    assert rows.weight is not None or type(found["counts"][0][0]) is int


@given(st.data())
def test_label_confusions_are_scikit_learns(data: Any) -> None:
    rows = data.draw(scored(Task.MULTILABEL, smallest=1))
    theirs = reference.multilabel_confusion_matrix(
        rows.truth, (rows.prediction >= rows.threshold).astype(int), sample_weight=rows.weight
    )
    found = details(rows, confidence=0.95)["label_confusions"]
    assert [each["label"] for each in found] == ["sun", "rain"]
    assert np.allclose([each["counts"] for each in found], theirs)


@given(st.data())
def test_full_curves_are_scikit_learns(data: Any) -> None:
    rows = data.draw(scored(Task.BINARY, smallest=2))
    counted = rows.weights() > 0
    if len(set(rows.truth[counted])) < 2:
        return
    roc, precision_recall = drawn_curves.curves(rows.truth, rows.prediction, rows.weights())
    of = rows.truth[counted], rows.prediction[counted]
    fpr, tpr, _ = reference.roc_curve(*of, sample_weight=rows.weights()[counted], drop_intermediate=False)
    assert np.allclose(roc, np.stack([fpr, tpr], axis=1))
    precision, recall, _ = reference.precision_recall_curve(*of, sample_weight=rows.weights()[counted])
    assert np.allclose(precision_recall, np.stack([recall, precision], axis=1)[::-1])


@given(st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]))
def test_curves_carry_scikit_learns_areas_and_are_left_out_with_one_class_only(data: Any, task: Task) -> None:
    rows = data.draw(scored(task, smallest=1))
    found = details(rows, confidence=0.95)
    weight = rows.weights()
    names = rows.goal.names if task is Task.MULTILABEL else rows.goal.classes
    shown = [
        (name, truth, score)
        for name, (truth, score, _) in zip(names[-len(columns(rows)) :], columns(rows), strict=True)
        if len(set(np.asarray(truth)[weight > 0])) == 2
    ]
    assert [each["label"] for each in found["roc"]] == [name for name, *_ in shown]
    for roc, precision_recall, (_, truth, score) in zip(found["roc"], found["precision_recall"], shown, strict=True):
        assert roc["auc"] == pytest.approx(reference.roc_auc_score(truth, score, sample_weight=weight))
        area = reference.average_precision_score(truth, score, sample_weight=weight)
        assert precision_recall["average_precision"] == pytest.approx(area)
        assert precision_recall["prevalence"] == pytest.approx(np.average(truth, weights=weight))


def test_a_long_curve_keeps_its_ends_and_its_shape_in_200_points() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 20_000)
    score = generator.normal(size=20_000) + truth
    for full in drawn_curves.curves(truth, score, np.ones(20_000)):
        thin = np.array(drawn_curves.thin(full))
        assert 20 <= len(thin) <= 200
        assert (thin[0].tolist(), thin[-1].tolist()) == (full[0].tolist(), full[-1].round(6).tolist())
        inside = full[:, 0] > 0.01
        drawn = np.interp(full[inside, 0], thin[:, 0], thin[:, 1])
        assert np.abs(drawn - full[inside, 1]).max() < 0.01


def test_a_corner_is_kept_and_what_lies_on_a_line_is_not() -> None:
    points = np.array([[0, 0], [0, 0.25], [0, 0.5], [0, 1], [0.5, 1], [1, 1]])
    assert drawn_curves.thin(points) == [[0, 0], [0, 1], [1, 1]]


@given(st.data(), st.sampled_from([Task.BINARY, Task.MULTICLASS, Task.MULTILABEL]))
def test_each_class_is_scored_against_the_rest(data: Any, task: Task) -> None:
    rows = data.draw(scored(task, smallest=1))
    found = details(rows, confidence=0.95, starred=True)["classes"]
    for entry, (truth, score, answer) in zip(found[-len(columns(rows)) :], columns(rows), strict=True):
        precision, recall, f1, roc_auc = entry["scores"]
        theirs = reference.precision_recall_fscore_support(
            truth, answer, average="binary", sample_weight=rows.weight, zero_division=0
        )
        assert (precision["value"], recall["value"], f1["value"]) == pytest.approx(theirs[:3])
        assert entry["rows"] == sum(truth)
        if roc_auc["value"] is not None:
            area = reference.roc_auc_score(truth, score, sample_weight=rows.weight)
            assert roc_auc["value"] == pytest.approx(area)
        for each in entry["scores"]:
            assert each["starred"]
            assert (each["low"] is None) == bool(each["reason"])


def test_the_negative_class_is_scored_too() -> None:
    rows = ScoredRows(GOALS[Task.BINARY], np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.6, 0.9]), None, 0.6)
    no, yes = details(rows, confidence=0.95)["classes"]
    assert [score["name"] for score in no["scores"]] == ["precision", "recall", "f1", "roc_auc"]
    assert [score["value"] for score in no["scores"]] == [1.0, 0.5, pytest.approx(2 / 3), 0.875]
    assert (no["name"], yes["name"], yes["scores"][1]["value"]) == ("no", "yes", 1.0)


def test_of_many_classes_the_worst_are_shown_and_the_rest_counted() -> None:
    count = 60
    goal = Goal(Task.MULTICLASS, ("y",), tuple(f"class {number}" for number in range(count)))
    truth = np.arange(count).repeat(2)
    answer = truth.copy()
    answer[-6:] = truth[-6:] - 1  # 56 to 59 are confused
    found = details(ScoredRows(goal, truth, np.eye(count)[answer], None, 0.5), confidence=0.95)
    shown = [each["name"] for each in found["classes"]]
    assert (len(shown), found["classes_left_out"]) == (MOST_CLASSES, count - MOST_CLASSES)
    assert shown[-4:] == ["class 56", "class 57", "class 58", "class 59"]
    assert (len(found["roc"]), found["curves_left_out"]) == (MOST_CURVES, count - MOST_CURVES)
    assert [each["label"] for each in found["roc"]][-4:] == shown[-4:]
    assert found["confusion"]["labels"] == [*shown, OTHERS]
    counts = np.array(found["confusion"]["counts"])
    assert (counts.sum(), counts[-1, -1]) == (len(truth), 2 * (count - MOST_CLASSES))


def test_residuals_are_described_by_target() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(1000, 2))
    rows = ScoredRows(GOALS[Task.REGRESSION], truth, truth - np.array([2.0, 0.0]), None, 0.5)
    moved, exact = details(rows, confidence=0.95)["residuals"]
    assert (moved["target"], exact["target"]) == ("u", "v")
    assert list(moved["quantiles"]) == ["min", "1", "5", "25", "50", "75", "95", "99", "max"]
    assert moved["quantiles"]["50"] == pytest.approx(2)
    for each in (moved, exact):
        edges, counts = each["histogram"]["edges"], each["histogram"]["counts"]
        assert sum(counts) == 1000
        assert 10 <= len(counts) == len(edges) - 1 <= 60
        assert len(each["points"]) == 500
        predicted = [point[0] for point in each["points"]]
        assert predicted == sorted(predicted)
    assert moved["points"][0] == [pytest.approx(truth[:, 0].min() - 2), pytest.approx(2)]
    assert moved["points"][-1] == [pytest.approx(truth[:, 0].max() - 2), pytest.approx(2)]


def test_quantiles_of_residuals_are_numpys() -> None:
    generator = np.random.default_rng(1)
    rows = ScoredRows(Goal(Task.REGRESSION, ("y",)), *generator.normal(size=(2, 77, 1)), None, 0.5)
    found = details(rows, confidence=0.95)["residuals"][0]["quantiles"]
    percents = [0, 1, 5, 25, 50, 75, 95, 99, 100]
    assert list(found.values()) == pytest.approx(np.percentile(rows.truth - rows.prediction, percents).tolist())


def test_the_worst_rows_are_those_with_the_greatest_loss() -> None:
    rows = ScoredRows(GOALS[Task.BINARY], np.array([1, 0, 1, 0]), np.array([0.5, 0.8, 0.1, 0.5]), None, 0.5)
    assert worst(rows, 3) == [
        (2, pytest.approx(-np.log(0.1)), pytest.approx(0.1)),
        (1, pytest.approx(-np.log(0.2)), pytest.approx(0.2)),
        (0, pytest.approx(np.log(2)), pytest.approx(0.5)),
    ]


def test_the_loss_of_labels_is_their_mean_and_that_of_numbers_counts_in_standard_deviations() -> None:
    labels = ScoredRows(GOALS[Task.MULTILABEL], np.array([[1, 0]]), np.array([[0.5, 0.875]]), None, 0.5)
    assert worst(labels) == [(0, pytest.approx(np.log(4)), pytest.approx(0.25))]
    truth = np.array([[0.0, 0.0], [2.0, 200.0]])
    numbers = ScoredRows(GOALS[Task.REGRESSION], truth, truth + np.array([[0.0, 50.0], [1.0, 0.0]]), None, 0.5)
    assert worst(numbers) == [(1, 0.5, None), (0, 0.25, None)]


@given(st.data(), st.sampled_from(list(GOALS)))
def test_worst_rows_count_and_come_in_order(data: Any, task: Task) -> None:
    rows = data.draw(scored(task))
    found = worst(rows)
    assert len(found) == min(12, int((rows.weights() > 0).sum()))
    assert [loss for _, loss, _ in found] == sorted((loss for _, loss, _ in found), reverse=True)
    assert json.loads(json.dumps(found, allow_nan=False)) == [list(each) for each in found]


def test_predictions_that_are_not_finite_have_no_details() -> None:
    rows = ScoredRows(GOALS[Task.BINARY], np.array([0, 1]), np.array([np.nan, 0.5]), None, 0.5)
    assert set(details(rows, confidence=0.95).values()) == {None}
    assert worst(rows) == []
