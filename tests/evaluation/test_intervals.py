"""Intervals: equal to reference formulas, inside their range, covering what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlcli.evaluation import errors, intervals, ranking
from dlcli.evaluation.looks import looks_bound
from dlcli.evaluation.metrics import F1, R2, Accuracy, Precision, Recall
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
NUMBERS = Goal(Task.REGRESSION, ("y",))


@given(st.integers(1, 500), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_scipys(n: int, data: st.DataObject, confidence: float) -> None:
    k = data.draw(st.integers(0, n))
    found = intervals.wilson(k / n, n, confidence)
    reference = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert 0 <= found.low <= k / n <= found.high <= 1


@pytest.mark.parametrize(("n", "low"), [(18, 0.824), (60, 0.940), (300, 0.987), (10_000, 0.9996)])
def test_wilson_is_never_sure_after_a_perfect_test(n: int, low: float) -> None:
    found = intervals.wilson(1.0, n, 0.95)
    assert found.low == pytest.approx(low, abs=5e-4)
    assert found.high == 1.0


@pytest.mark.parametrize(("metric", "n"), [(Accuracy(), 6), (Precision(), 3), (Recall(), 4), (F1(), 5)])
def test_a_share_is_carried_by_its_own_denominator(metric: Metric, n: int) -> None:
    rows = ScoredRows(BINARY, np.array([1, 1, 1, 1, 0, 0]), np.array([0.9, 0.8, 0.1, 0.2, 0.7, 0.3]), None, 0.5)
    assert metric.interval(rows, 0.95).n == n


def test_precision_without_a_predicted_row_has_no_interval() -> None:
    rows = ScoredRows(BINARY, np.array([1, 0]), np.array([0.1, 0.2]), None, 0.5)
    assert Precision().interval(rows, 0.95).low is None
    assert Precision().interval(rows, 0.95).reason


def test_weights_count_as_fewer_rows() -> None:
    truth, prediction = np.array([1, 0, 1, 0]), np.array([0.9, 0.1, 0.2, 0.3])
    even = ScoredRows(BINARY, truth, prediction, np.full(4, 7.0), 0.5)
    uneven = ScoredRows(BINARY, truth, prediction, np.array([9.0, 1.0, 1.0, 1.0]), 0.5)
    assert Accuracy().interval(even, 0.95).n == pytest.approx(4)
    assert Accuracy().interval(uneven, 0.95).n == pytest.approx(144 / 84)


def test_log_t_of_a_mean_follows_the_formula() -> None:
    losses = np.array([0.1, 0.4, 0.2, 0.9, 0.3])
    mean, error = losses.mean(), losses.std(ddof=1) / math.sqrt(5)
    factor = math.exp(stats.t.ppf(0.975, 4) * error / mean)
    found = intervals.log_t(mean, losses - mean, None, 0.95)
    assert (found.low, found.high) == pytest.approx((mean / factor, mean * factor))


@pytest.mark.parametrize("losses", [[0.5], [0.5, 0.5], [0.0, 0.0], [1e-9, *[0.0] * 500]])
def test_there_is_no_loss_interval_where_none_is_right(losses: list[float]) -> None:
    found = intervals.log_t(float(np.mean(losses)), np.array(losses) - np.mean(losses), None, 0.9999999)
    if found.low is None:
        assert found.reason
    else:
        assert 0 < found.low < found.high < math.inf


@given(st.integers(0, 2**32), st.integers(3, 50), st.booleans())
def test_r2_interval_holds_the_score_and_stays_below_one(seed: int, n: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(n, 1))
    prediction = truth + generator.normal(size=(n, 1)) * 10 ** generator.uniform(-3, 1)
    rows = ScoredRows(NUMBERS, truth, prediction, generator.uniform(1, 2, n) if weighted else None, 0.5)
    found = R2().interval(rows, 0.95)
    assert found.low <= rows.score(R2()) <= found.high < 1


@pytest.mark.parametrize("score", [errors.rmse, errors.r2])
def test_influence_is_the_effect_of_a_little_more_weight(score: object) -> None:
    generator = np.random.default_rng(3)
    truth, prediction = generator.normal(size=(9, 2)), generator.normal(size=(9, 2))
    value, influence = score(truth, prediction, np.ones(9))
    for row in range(9):
        weight = np.ones(9)
        weight[row] += 1e-6
        assert (score(truth, prediction, weight)[0] - value) * 9 / 1e-6 == pytest.approx(influence[row], abs=1e-4)


def test_average_precision_influence_is_the_effect_of_a_little_more_weight() -> None:
    generator = np.random.default_rng(4)
    positive, scores = generator.integers(0, 2, 40), generator.integers(0, 12, 40) / 12
    value, influence = ranking.average_precision_influence(positive, scores)
    for row in range(40):
        weight = np.ones(40)
        weight[row] += 1e-6
        slope = (ranking.average_precision(positive, scores, weight) - value) / 1e-6
        assert slope == pytest.approx(influence[row], abs=1e-5)


def test_delong_error_is_that_of_all_pairs() -> None:
    generator = np.random.default_rng(5)
    positive = np.arange(50) % 2
    scores = np.round(generator.normal(size=50) + positive, 1)
    yes, no = scores[positive == 1][:, None], scores[positive == 0][None]
    wins = (yes > no) + (yes == no) / 2
    expected = math.sqrt(wins.mean(axis=1).var(ddof=1) / 25 + wins.mean(axis=0).var(ddof=1) / 25)
    assert ranking.delong_error(positive, scores) == pytest.approx(expected)


@pytest.mark.parametrize(("positives", "n", "method"), [(3, 60, "Newcombe 5"), (150, 300, "logit-DeLong")])
def test_roc_auc_interval_covers_the_true_area(positives: int, n: int, method: str) -> None:
    generator = np.random.default_rng(6)
    positive = (np.arange(n) < positives).astype(int)
    true_area = stats.norm.cdf(1.0 / math.sqrt(2))
    covered = []
    for _ in range(400):
        found = intervals.roc_auc(positive, generator.normal(size=n) + positive, 0.95)
        covered.append(found.low <= true_area <= found.high)
    assert found.method == method
    assert 0.92 <= np.mean(covered) <= 0.995


def test_roc_auc_of_a_perfect_ranking_still_has_a_low_end() -> None:
    positive = np.array([1] * 3 + [0] * 57)
    found = intervals.roc_auc(positive, positive.astype(float), 0.95)
    assert found.low == pytest.approx(0.69, abs=0.01)
    assert found.high == 1.0


@pytest.mark.parametrize(("positives", "method"), [(20, "Wilson"), (150, "logit jackknife")])
def test_average_precision_interval_depends_on_the_positives(positives: int, method: str) -> None:
    positive = (np.arange(300) < positives).astype(int)
    scores = np.random.default_rng(7).normal(size=300) + positive
    found = intervals.average_precision(positive, scores, 0.95)
    assert (found.method, found.n) == (method, positives)
    assert found.low < ranking.average_precision(positive, scores) < found.high


@pytest.mark.parametrize("positive", [[1, 1, 1], [0, 0, 1]])
def test_rankings_of_a_lone_row_have_no_interval(positive: list[int]) -> None:
    found = intervals.roc_auc(np.array(positive), np.array([0.1, 0.2, 0.3]), 0.95)
    assert found.low is None
    assert found.reason


@pytest.mark.parametrize(("looks", "points"), [(5, 4.1), (20, 5.7), (100, 7.0)])
def test_the_best_of_many_looks_may_be_that_much_too_good(looks: int, points: float) -> None:
    found = intervals.wilson(0.8, 300, 0.95)
    assert looks_bound(found.low, found.high, 0.95, looks) == pytest.approx(points / 100, abs=1e-3)
    wider = intervals.wilson(0.8, 300, 0.99)
    assert looks_bound(wider.low, wider.high, 0.99, looks) == pytest.approx(points / 100, abs=1e-3)


@pytest.mark.parametrize(("low", "looks"), [(0.75, 1), (None, 9)])
def test_one_look_costs_nothing_and_without_an_interval_the_cost_is_not_known(low: float | None, looks: int) -> None:
    assert looks_bound(low, low and 0.85, 0.95, looks) is None


@pytest.mark.parametrize(("scale", "value"), [("logit", 0.4), ("log", 2.0), ("rest", -0.3), ("plain", -1.5)])
def test_scales_agree_where_the_error_is_small(scale: intervals.Scale, value: float) -> None:
    found = intervals.on_scale(value, 1e-5, 2.0, scale, "method", 9)
    assert (found.low, found.high) == pytest.approx((value - 2e-5, value + 2e-5), abs=1e-8)


def test_an_influence_of_nothing_is_wilsons_interval_of_a_share() -> None:
    found = intervals.linearised(1.0, np.zeros(40), None, 0.95, "logit", "t")
    assert (found.low, found.method) == (intervals.wilson(1.0, 40, 0.95).low, "Wilson")
