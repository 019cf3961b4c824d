"""The one door to all intervals."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.evaluation import estimate as door
from dlcli.evaluation.estimate import estimate, meaning
from dlcli.evaluation.metrics import (
    F1,
    R2,
    Accuracy,
    BalancedAccuracy,
    Brier,
    Custom,
    EstimatedMetric,
    LogLoss,
    MeanAbsoluteError,
    RocAuc,
    RootMeanSquaredError,
)
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
NUMBERS = Goal(Task.REGRESSION, ("y",))
OF_CLASSES = (Accuracy(), F1(), F1(average="macro"), BalancedAccuracy(), RocAuc(), LogLoss(), Brier())
OF_NUMBERS = (MeanAbsoluteError(), RootMeanSquaredError(), R2())


def binary(n: int, seed: int = 0, **more: object) -> ScoredRows:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, n)
    prediction = np.clip(0.35 * truth + generator.uniform(0, 0.65, n), 0.01, 0.99)
    return ScoredRows(BINARY, truth, prediction, None, 0.5, **more)


def numbers(n: int, seed: int = 0, **more: object) -> ScoredRows:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(n, 1))
    return ScoredRows(NUMBERS, truth, truth + generator.normal(size=(n, 1)), None, 0.5, **more)


def groups_of(n: int, groups: int, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, groups, n)


@pytest.mark.parametrize("metric", OF_CLASSES)
def test_independent_rows_take_the_metrics_own_interval(metric: EstimatedMetric) -> None:
    rows = binary(100)
    found, own = estimate(metric, rows, 0.95), metric.interval(rows, 0.95)
    assert (found.low, found.high, found.method) == (own.low, own.high, own.method)


def test_rows_in_time_order_take_the_cosine_estimate() -> None:
    assert estimate(Accuracy(), binary(100, ordered=True), 0.95).method == "cosine t over time"
    assert "50 rows" in estimate(Accuracy(), binary(49, ordered=True), 0.95).reason


def test_groups_take_the_jackknife_even_in_time_order() -> None:
    rows = binary(100, groups=groups_of(100, 12))
    for ordered in (False, True):
        found = estimate(Accuracy(), replace(rows, ordered=ordered), 0.95)
        assert found.method == "jackknife over groups"
        assert 10 < found.n < 12


def test_four_groups_say_too_little_but_their_order_may_help() -> None:
    rows = binary(100, groups=groups_of(100, 4))
    assert "5 groups" in estimate(Accuracy(), rows, 0.95).reason
    assert estimate(Accuracy(), replace(rows, ordered=True), 0.95).method == "cosine t over time"


def test_groups_of_one_row_each_are_no_groups() -> None:
    rows = binary(60)
    alone = replace(rows, groups=np.arange(60)[::-1].copy())
    assert estimate(Accuracy(), alone, 0.95) == estimate(Accuracy(), rows, 0.95)


@pytest.mark.parametrize("metric", [Accuracy(), LogLoss(), Brier()])
def test_leaving_out_groups_of_a_mean_needs_no_new_scores(
    metric: EstimatedMetric, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = binary(120, groups=groups_of(120, 15))
    again = estimate(metric, rows, 0.95)
    monkeypatch.setattr(door, "_RECOMPUTED_ROWS", 0)
    first_order = estimate(metric, rows, 0.95)
    assert (first_order.low, first_order.high) == pytest.approx((again.low, again.high), rel=1e-9)


def test_leaving_out_one_of_many_groups_to_first_order_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = binary(4000, groups=groups_of(4000, 400))
    again = estimate(RocAuc(), rows, 0.95)
    monkeypatch.setattr(door, "_RECOMPUTED_ROWS", 0)
    first_order = estimate(RocAuc(), rows, 0.95)
    assert first_order.high - first_order.low == pytest.approx(again.high - again.low, rel=0.01)


def test_rows_that_come_five_times_are_no_surer_for_it() -> None:
    rows = numbers(40)
    five = np.repeat(np.arange(40), 5)
    once, often = (estimate(MeanAbsoluteError(), each, 0.95) for each in (rows, replace(rows.take(five), groups=five)))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_rows_of_no_weight_are_no_rows() -> None:
    rows = replace(binary(80), weight=np.tile([1.0, 0.0], 40))
    half = rows.take(rows.weight > 0)
    for ordered in (False, True):
        given_rows, kept = replace(rows, ordered=ordered), replace(half, ordered=ordered)
        assert estimate(Brier(), given_rows, 0.95) == estimate(Brier(), kept, 0.95)


def test_a_function_of_ones_own_has_no_formula(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def gini(y_true, y_score):\n    return 0.5\n")
    found = estimate(Custom(object=f"{tmp_path}/own.py:gini"), binary(60), 0.95)
    assert (found.low, found.high) == (None, None)
    assert "one's own" in found.reason


@pytest.mark.parametrize("metric", [*OF_CLASSES])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_rows_give_an_interval_or_a_reason(metric: EstimatedMetric, n: int) -> None:
    rows = binary(80).take(np.arange(n))
    found = estimate(metric, rows, 0.95)
    assert (found.low is None) == bool(found.reason)


@pytest.mark.parametrize("dependence", ["", "ordered", "groups"])
@pytest.mark.parametrize("right", [0, 1])
def test_all_right_and_all_wrong_are_never_sure(dependence: str, right: int) -> None:
    truth = np.arange(60) % 2
    rows = ScoredRows(BINARY, truth, np.where(right, truth, 1 - truth) * 0.8 + 0.1, None, 0.5)
    if dependence:
        rows = replace(rows, **{dependence: True if dependence == "ordered" else np.arange(60) // 6})
    for metric in (Accuracy(), BalancedAccuracy(), F1(), F1(average="macro")):
        found = estimate(metric, rows, 0.95)
        assert found.low < found.high
        assert (found.high == 1.0) if right else (found.low == 0.0)


@pytest.mark.parametrize("dependence", [{}, {"ordered": True}, {"groups": np.arange(60) // 6}])
def test_perfect_numbers_have_a_reason(dependence: dict[str, object]) -> None:
    rows = replace(numbers(60), **dependence)
    rows = replace(rows, prediction=rows.truth)
    for metric in OF_NUMBERS:
        assert estimate(metric, rows, 0.95).reason


def test_a_constant_target_has_no_r2_interval() -> None:
    rows = numbers(60, ordered=True)
    found = estimate(R2(), replace(rows, truth=np.ones((60, 1))), 0.95)
    assert found.low is None
    assert "constant" in found.reason


@given(
    st.integers(0, 2**32),
    st.integers(1, 120),
    st.sampled_from(["", "ordered", "groups"]),
    st.booleans(),
    st.sampled_from([*OF_CLASSES, *OF_NUMBERS]),
)
def test_ends_hold_the_score_in_its_range_and_spread_with_confidence(
    seed: int, n: int, dependence: str, weighted: bool, metric: EstimatedMetric
) -> None:
    rows = numbers(n, seed) if metric in OF_NUMBERS else binary(n, seed)
    rows = replace(rows, weight=np.random.default_rng(seed).uniform(0, 2, n) if weighted else None)
    if dependence:
        rows = replace(rows, **{dependence: True if dependence == "ordered" else groups_of(n, 9, seed)})
    value = rows.score(metric)
    narrow, wide = (estimate(metric, rows, confidence) for confidence in (0.8, 0.99))
    if narrow.low is None or wide.low is None:
        assert wide.reason
        return
    assert metric.lowest <= wide.low <= narrow.low <= value * (1 + 1e-15)
    assert value * (1 - 1e-15) <= narrow.high <= wide.high <= metric.highest
    assert narrow.low < narrow.high
    assert narrow.n > 0
    assert math.isfinite(wide.high)


def test_the_meaning_of_an_interval_is_a_sentence() -> None:
    assert meaning(0.95).startswith("The 95 % interval holds the true score of this fixed model on new rows like")
    assert "new groups" in meaning(0.9, grouped=True)
    assert "time" in meaning(0.9, ordered=True)
