"""Baselines against scikit-learn's, on data that ship with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dlcli.evaluation import baselines, linear
from dlcli.evaluation.baselines import Linear, Rows
from dlcli.evaluation.persistence import Past
from dlcli.evaluation.thresholds import choose
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("stayed",), ("Yes", "No"))
MULTICLASS = Goal(Task.MULTICLASS, ("kind",), ("rose", "lily", "iris"))
MULTILABEL = Goal(Task.MULTILABEL, ("red", "tall"))
NUMBER = Goal(Task.REGRESSION, ("price",))
TRUTHS: dict[Goal, np.ndarray] = {
    BINARY: np.array([1, 1, 0, 1, 0]),
    MULTICLASS: np.array([2, 2, 0, 1, 2, 0]),
    MULTILABEL: np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    NUMBER: np.array([[1.0], [2.0], [30.0], [4.0]]),
}


def rows(count: int, x: np.ndarray | None = None, past: Past | None = None) -> Rows:
    return Rows(np.arange(count), None if x is None else lambda numbers: x[numbers].astype(np.float32), past)


def fitted(goal: Goal, truth: np.ndarray, weight: np.ndarray | None = None, **more: Any) -> dict[str, Any]:
    past = more.pop("past", None)
    found = baselines.fit(goal, rows(len(truth), past=past), truth, weight, first_metric=more.get("first_metric", ""))
    assert [each.reference for each in found] == [True] + [False] * (len(found) - 1)
    return {each.kind: each for each in found}


def fitted_linear(goal: Goal, x: np.ndarray, truth: np.ndarray, weight: np.ndarray | None = None) -> Linear:
    found = baselines.fit_linear(goal, rows(len(x), x), truth, weight)
    assert isinstance(found, Linear)
    return found


WEIGHTS = [None, np.array([5.0, 1, 0, 2, 1, 1])]


@pytest.mark.parametrize("weight", WEIGHTS, ids=["", "weighted"])
@pytest.mark.parametrize("goal", [BINARY, MULTICLASS], ids=str)
def test_the_majority_answers_with_the_shares_of_the_classes(goal: Goal, weight: np.ndarray | None) -> None:
    truth = TRUTHS[goal]
    weight = None if weight is None else weight[: len(truth)]
    found = fitted(goal, truth, weight)["majority"]
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((len(truth), 1)), truth, weight)
    expected = dummy.predict_proba(np.zeros((4, 1)))
    np.testing.assert_allclose(found.predict(rows(4)), expected[:, 1] if goal is BINARY else expected, atol=1e-12)
    assert found.name == f"majority class {goal.classes[dummy.predict([[0]])[0]]}"


def test_the_majority_of_each_label() -> None:
    found = fitted(MULTILABEL, TRUTHS[MULTILABEL])["majority"]
    assert found.name == "majority class of each label"
    np.testing.assert_allclose(found.predict(rows(2)), [[2 / 3, 1 / 3]] * 2)


@pytest.mark.parametrize("goal", [BINARY, MULTICLASS, MULTILABEL], ids=lambda goal: str(goal.task))
def test_the_guess_draws_classes_with_their_shares_and_always_the_same(goal: Goal) -> None:
    truth = TRUTHS[goal]
    guess = fitted(goal, truth)["stratified"]
    drawn = guess.predict(rows(20_000))
    shares = np.bincount(truth) / len(truth) if goal is MULTICLASS else truth.mean(axis=0)
    assert np.isin(drawn, (0, 1)).all()
    np.testing.assert_allclose(drawn.mean(axis=0), shares, atol=0.02)
    np.testing.assert_array_equal(drawn, fitted(goal, truth)["stratified"].predict(rows(20_000)))
    if goal is MULTICLASS:
        np.testing.assert_array_equal(drawn.sum(axis=1), 1)


@pytest.mark.parametrize("strategy", ["mean", "median"])
@pytest.mark.parametrize("weight", [None, np.array([1.0, 0, 3, 1]), np.array([1.0, 1, 1, 3])])
def test_mean_and_median_of_numbers(strategy: str, weight: np.ndarray | None) -> None:
    truth = np.hstack([TRUTHS[NUMBER], -TRUTHS[NUMBER]])
    found = fitted(Goal(Task.REGRESSION, ("a", "b")), truth, weight)[strategy]
    dummy = DummyRegressor(strategy=strategy).fit(np.zeros((4, 1)), truth, weight)
    np.testing.assert_allclose(found.predict(rows(3)), dummy.predict(np.zeros((3, 1))))


@pytest.mark.parametrize(
    ("goal", "first_metric", "ordered", "reference"),
    [
        (BINARY, "accuracy", False, "majority"),
        (MULTILABEL, "mean_average_precision", False, "majority"),
        (NUMBER, "rmse", False, "mean"),
        (NUMBER, "mae", False, "median"),
        (NUMBER, "mae", True, "persistence"),
        (Goal(Task.BOUNDED_REGRESSION, ("share",)), "mae", False, "median"),
    ],
)
def test_the_reference_comes_first(goal: Goal, first_metric: str, ordered: bool, reference: str) -> None:
    truth = TRUTHS.get(goal, TRUTHS[NUMBER])
    past = Past(truth, np.arange(len(truth))) if ordered else None
    assert next(iter(fitted(goal, truth, past=past, first_metric=first_metric))) == reference


# Linear models


def test_logistic_regression_of_two_classes_is_that_of_scikit_learn() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    expected = make_pipeline(StandardScaler(), LogisticRegression()).fit(x[:400], y[:400]).predict_proba(x[400:])[:, 1]
    found = fitted_linear(BINARY, x[:400], y[:400]).predict(rows(169, x[400:]))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_logistic_regression_of_classes_takes_weights_and_images() -> None:
    images, y = load_digits(return_X_y=True)
    goal = Goal(Task.MULTICLASS, ("digit",), tuple("0123456789"))
    weight = np.where(y == 8, 5.0, 1.0)
    weight[::7] = 0
    counted = weight > 0
    reference = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    reference.fit(images[counted], y[counted], logisticregression__sample_weight=weight[counted])
    found = fitted_linear(goal, images.reshape(-1, 8, 8, 1), y, weight).predict(rows(300, images.reshape(-1, 8, 8, 1)))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found, reference.predict_proba(images[:300]), atol=0.02)


def test_each_label_has_a_logistic_regression() -> None:
    x, kind = load_iris(return_X_y=True)
    truth = np.stack([kind == 0, kind == 1, np.ones(150), np.zeros(150)], axis=1).astype(np.float64)
    found = fitted_linear(Goal(Task.MULTILABEL, tuple("abcd")), x, truth).predict(rows(150, x))
    for label in (0, 1):
        reference = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, truth[:, label])
        np.testing.assert_allclose(found[:, label], reference.predict_proba(x)[:, 1], atol=1e-3)
    np.testing.assert_array_equal(found[:, 2:], np.tile([1.0, 0.0], (150, 1)))


@pytest.mark.parametrize("rule", ["f1", {"recall": 0.99}, 0.2])
def test_a_linear_model_finds_its_threshold_by_the_rule_of_the_model(rule: Any) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    found = baselines.fit_linear(BINARY, rows(400, x), y[:400], None, rule)
    assert isinstance(found, Linear)
    assert found.threshold == choose(BINARY, y[:400], found.predict(rows(400, x)), None, rule).threshold
    labels = np.stack([y, 1 - y], axis=1).astype(np.float64)
    both = baselines.fit_linear(Goal(Task.MULTILABEL, ("a", "b")), rows(400, x), labels[:400], None, rule)
    assert isinstance(both, Linear)
    np.testing.assert_allclose(np.broadcast_to(both.threshold, 2)[0], found.threshold)


@pytest.mark.parametrize("present", [(0, 2), (1, 2)])
def test_a_class_that_training_rows_lack_is_never_predicted(present: tuple[int, int]) -> None:
    x, kind = load_iris(return_X_y=True)
    taken = np.isin(kind, present)
    found = fitted_linear(MULTICLASS, x[taken], kind[taken]).predict(rows(150, x))
    reference = make_pipeline(StandardScaler(), LogisticRegression()).fit(x[taken], kind[taken])
    np.testing.assert_allclose(found[:, list(present)], reference.predict_proba(x), atol=1e-3)
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("offset", [0.0, 1.6e9])
def test_ridge_regression_is_that_of_scikit_learn_also_for_large_numbers(offset: float) -> None:
    x, y = load_diabetes(return_X_y=True)
    truth, weight = np.stack([y, -y], axis=1) + offset, 1.0 + (y > 100)
    reference = make_pipeline(StandardScaler(), Ridge()).fit(x, truth, ridge__sample_weight=weight)
    found = fitted_linear(Goal(Task.REGRESSION, ("a", "b")), x, truth, weight).predict(rows(442, x))
    np.testing.assert_allclose(found - offset, reference.predict(x) - offset, atol=1e-3)


def test_a_column_that_never_varies_says_nothing() -> None:
    x, y = load_diabetes(return_X_y=True)
    more = np.hstack([x, np.full((len(x), 1), 0.1)])
    expected = fitted_linear(NUMBER, x, y[:, None]).predict(rows(442, x))
    np.testing.assert_allclose(fitted_linear(NUMBER, more, y[:, None]).predict(rows(442, more)), expected)


def test_of_many_rows_and_of_wide_ones_a_part_is_fitted_and_the_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    x = np.random.default_rng(0).normal(size=(9_000, 4)).astype(np.float32)

    def inputs(numbers: np.ndarray) -> np.ndarray:
        asked.append(len(numbers))
        return x[numbers]

    truth = (x[:, 0] > 0).astype(np.int64)

    def name() -> str:
        found = baselines.fit_linear(BINARY, Rows(np.arange(9_000), inputs), truth, None)
        assert isinstance(found, Linear)
        return found.name

    assert name() == "logistic regression on 5,000 rows"
    assert max(asked) == linear.ROWS
    asked.clear()
    monkeypatch.setattr(linear, "CELLS", 4_000)
    assert name() == "logistic regression on 1,000 rows"
    assert max(asked) == 1_000
    monkeypatch.undo()
    monkeypatch.setattr(linear, "ROWS", 9_000)
    assert name() == "logistic regression"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Rows(np.arange(5)), "the inputs are codes, which are no amounts"),
        (rows(5, np.zeros((5, 10**7))), "10,000,000 inputs are too many for a linear model in a second"),
        (rows(5, np.full((5, 2), np.inf)), "the inputs are not finite"),
    ],
    ids=["codes", "too-wide", "infinite"],
)
def test_why_there_is_no_linear_model(given: Rows, reason: str) -> None:
    assert baselines.fit_linear(BINARY, given, TRUTHS[BINARY], None) == reason


def test_one_class_in_all_training_rows_leaves_nothing_to_separate() -> None:
    found = baselines.fit_linear(BINARY, rows(5, np.eye(5)), np.zeros(5, dtype=np.int64), None)
    assert found == "the training rows hold one class"
