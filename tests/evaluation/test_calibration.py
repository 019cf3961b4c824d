"""Temperature and calibration: the best temperature, kept where it surely helps, and an error that knows its noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, softmax

from dlcli.evaluation import calibration as module
from dlcli.evaluation.calibration import FITTED, calibration, fit_temperature, temper
from dlcli.evaluation.errors import log_losses
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import Goal, Task

GOALS = {
    Task.BINARY: Goal(Task.BINARY, ("y",), ("no", "yes")),
    Task.MULTICLASS: Goal(Task.MULTICLASS, ("y",), ("a", "b", "c")),
    Task.MULTILABEL: Goal(Task.MULTILABEL, ("a", "b", "c")),
}
TASKS = st.sampled_from(list(GOALS))


def rows_of(task: Task, rows: int, seed: int, *, sharpened: float = 1.0) -> ScoredRows:
    """Rows whose truth is drawn from their probabilities, which are then made surer."""
    generator = np.random.default_rng(seed)
    if task is Task.MULTICLASS:
        logits = 1.5 * generator.normal(size=(rows, 3))
        truth = (softmax(logits, axis=1).cumsum(axis=1) > generator.random((rows, 1))).argmax(axis=1)
        return ScoredRows(GOALS[task], truth, softmax(logits * sharpened, axis=1), None, 0.5)
    logits = 1.5 * generator.normal(size=(rows, 3) if task is Task.MULTILABEL else rows)
    truth = (generator.random(logits.shape) < expit(logits)).astype(np.int64)
    return ScoredRows(GOALS[task], truth, expit(logits * sharpened), None, 0.5)


def loss(rows: ScoredRows, temperature: float, weight: Any = None) -> float:
    tempered = temper(rows.goal, rows.prediction, temperature)
    if rows.goal.task is Task.MULTILABEL:
        each = np.mean(
            [log_losses(GOALS[Task.BINARY], *pair) for pair in zip(rows.truth.T, tempered.T, strict=True)], 0
        )
    else:
        each = log_losses(rows.goal, rows.truth, tempered)
    return float(np.average(each, weights=weight))


def fit(rows: ScoredRows, weight: Any = None) -> tuple[float, str]:
    return fit_temperature(rows.goal, rows.truth, rows.prediction, weight)


def test_tempered_probabilities_are_those_of_divided_logits() -> None:
    p = np.array([0.2, 0.5, 0.9])
    assert temper(GOALS[Task.BINARY], p, 2.0) == pytest.approx(expit(logit(p) / 2))
    q = np.array([[0.2, 0.3, 0.5]])
    assert temper(GOALS[Task.MULTICLASS], q, 0.5) == pytest.approx(q**2 / np.sum(q**2))


@given(TASKS, st.floats(0.05, 20))
def test_any_temperature_keeps_probabilities_finite_and_in_their_order(task: Task, temperature: float) -> None:
    p = np.array([0, 1e-45, 1e-30, 2.0**-24, 0.5, 1 - 2.0**-24, 1])
    if task is not Task.BINARY:
        p = np.stack([p, 1 - p, p * 0], axis=1)
    found = temper(GOALS[task], p, temperature)
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    if task is Task.BINARY:
        assert (np.diff(found) >= 0).all()
    if task is Task.MULTICLASS:
        assert found.sum(axis=1) == pytest.approx(1)


@given(TASKS, st.integers(0, 2**32), st.sampled_from([2.0, 3.0]), st.booleans())
def test_the_temperature_has_the_smallest_loss(task: Task, seed: int, sharpened: float, weighted: bool) -> None:
    rows = rows_of(task, 300, seed, sharpened=sharpened)
    weight = np.random.default_rng(seed).integers(1, 4, 300) / 2 if weighted else None
    reference = minimize_scalar(
        lambda log: loss(rows, np.exp(log), weight),
        bounds=np.log([0.05, 20]),
        method="bounded",
        options={"xatol": 1e-8},
    )
    assert fit(rows, weight)[0] == pytest.approx(np.exp(reference.x), rel=1e-5)


@pytest.mark.parametrize("task", list(GOALS))
def test_a_calibrated_model_keeps_its_probabilities(task: Task) -> None:
    kept = [fit(rows_of(task, 100, seed))[0] == 1 for seed in range(200)]
    assert 0.9 <= np.mean(kept) <= 0.99


def test_labels_that_all_say_the_same_count_once() -> None:
    kept = []
    for seed in range(200):
        rows = rows_of(Task.BINARY, 100, seed)
        truth, prediction = (np.repeat(each[:, None], 3, axis=1) for each in (rows.truth, rows.prediction))
        kept.append(fit_temperature(GOALS[Task.MULTILABEL], truth, prediction, None)[0] == 1)
    assert 0.9 <= np.mean(kept) <= 0.99


def test_weights_make_rows_count_as_many_as_they_are_worth() -> None:
    rows = rows_of(Task.BINARY, 300, 1, sharpened=2.0)
    few = np.full(300, 1e-9)
    few[:12] = 5.0
    assert fit(rows)[0] == fit(rows, np.full(300, 5.0))[0] > 1.5
    assert fit(rows, few)[0] == fit(rows.take(np.arange(12)))[0] == 1
    assert "not surely better" in fit(rows, few)[1]


@pytest.mark.parametrize(
    ("truth", "score", "why"),
    [([0, 1], [0.2, 0.9], "every answer is right"), ([], [], "no rows"), ([0, 1], [0.2, np.nan], "not finite")],
)
def test_rows_that_cannot_choose_leave_1_and_say_so(truth: Any, score: Any, why: str) -> None:
    goal = GOALS[Task.BINARY]
    temperature, note = fit_temperature(goal, np.array(truth, dtype=int), np.array(score, dtype=float), None)
    assert temperature == 1
    assert why in note


def test_a_wrong_row_of_weight_0_does_not_make_the_others_wrong() -> None:
    weight = np.array([1.0, 1.0, 0.0])
    temperature, note = fit_temperature(GOALS[Task.BINARY], np.array([0, 1, 1]), np.array([0.2, 0.9, 0.1]), weight)
    assert temperature == 1
    assert "every answer is right" in note


@given(TASKS, st.integers(1, 60), st.integers(0, 2**32), st.booleans())
def test_the_error_is_that_of_a_plain_loop(task: Task, count: int, seed: int, weighted: bool) -> None:
    rows = rows_of(task, count, seed, sharpened=3.0)
    weight = np.random.default_rng(seed).integers(0, 4, count) / 2 + 0.5 * (count == 1) if weighted else None
    if weight is not None and not weight.any():
        return
    found = calibration(ScoredRows(rows.goal, rows.truth, rows.prediction, weight, 0.5))
    answers = []  # confidence, right, weight
    for number in range(count):
        p, y, w = rows.prediction[number], rows.truth[number], 1.0 if weight is None else weight[number]
        if task is Task.BINARY:
            answers.append((max(p, 1 - p), (p >= 0.5) == y, w))
        elif task is Task.MULTICLASS:
            answers.append((max(p), np.argmax(p) == y, w))
        else:
            answers += [(p[label], y[label] == 1, w) for label in range(3)]
    error = 0.0
    for k in range(15):
        low, high = k / 15, (k + 1) / 15
        inside = [(c, r, w) for c, r, w in answers if low <= c < high or (k == 14 and c == 1)]
        error += abs(sum(w * r for _, r, w in inside) - sum(w * c for c, _, w in inside))
    assert found is not None
    assert found.ece == pytest.approx(error / sum(w for _, _, w in answers))
    assert sum(each.rows for each in found.bins) == sum(w > 0 for _, _, w in answers)
    assert all(each.low <= each.confidence <= each.high + 1e-12 for each in found.bins)


def test_a_calibrated_model_stands_at_its_noise_floor_and_an_overconfident_one_above() -> None:
    tame = [calibration(rows_of(Task.BINARY, 300, seed)) for seed in range(100)]
    assert np.mean([each.ece for each in tame]) == pytest.approx(np.mean([each.noise_floor for each in tame]), rel=0.1)
    assert sum(each.p <= 0.05 for each in tame) <= 12
    wild = calibration(rows_of(Task.BINARY, 300, 0, sharpened=4.0))
    assert wild.ece > 3 * wild.noise_floor
    assert wild.p == 0


def test_many_rows_have_the_noise_floor_of_single_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(Task.MULTICLASS, 3000, 0)
    one_by_one = calibration(rows).noise_floor
    monkeypatch.setattr(module, "_MANY_ROWS", 0)
    assert calibration(rows).noise_floor == pytest.approx(one_by_one, rel=0.1)


def test_rows_that_fitted_the_temperature_show_no_error() -> None:
    found = calibration(rows_of(Task.BINARY, 100, 0), fitted_temperature=True)
    assert (found.ece, found.noise_floor, found.p, found.bins, found.reason) == (None, None, None, (), FITTED)


def test_rows_that_depend_on_each_other_have_no_p() -> None:
    rows = rows_of(Task.BINARY, 100, 0)
    found = calibration(ScoredRows(rows.goal, rows.truth, rows.prediction, None, 0.5, ordered=True))
    assert found.p is None
    assert found.reason
    assert found.ece == calibration(rows).ece


@pytest.mark.parametrize("task", list(GOALS))
def test_the_same_rows_give_the_same_numbers(task: Task) -> None:
    rows = rows_of(task, 50, 0)
    assert calibration(rows) == calibration(rows)
