"""Intervals of rows that depend on each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dlcli.evaluation import intervals
from dlcli.evaluation.dependence import in_time_order, over_groups


def test_the_cosine_estimate_follows_the_formula() -> None:
    generator = np.random.default_rng(1)
    losses = generator.exponential(size=60)
    mean, n, degrees = losses.mean(), 60, 6
    place = np.arange(1, n + 1) - 0.5
    cosines = [
        math.sqrt(2 / n) * np.sum((losses - mean) * np.cos(np.pi * j * place / n)) for j in range(1, degrees + 1)
    ]
    error = math.sqrt(np.sum(np.square(cosines)) / (degrees * n))
    factor = math.exp(stats.t.ppf(0.975, degrees) * error / mean)
    found = in_time_order(mean, losses - mean, np.ones(n), 0.95, "log")
    assert (found.low, found.high) == pytest.approx((mean / factor, mean * factor))
    assert (found.method, found.n) == ("cosine t over time", 60)


def test_weights_of_rows_in_time_order_count_by_their_share() -> None:
    generator = np.random.default_rng(2)
    influence, weights = generator.normal(size=80), generator.uniform(1, 3, 80)
    influence -= np.average(influence, weights=weights)
    one = in_time_order(0.5, influence, weights, 0.95, "plain")
    ten = in_time_order(0.5, influence, 10 * weights, 0.95, "plain")
    assert (one.low, one.high) == pytest.approx((ten.low, ten.high))
    shares = in_time_order(0.5, influence * weights / weights.mean(), np.ones(80), 0.95, "plain")
    assert (one.low, one.high) == pytest.approx((shares.low, shares.high))


def test_fewer_than_50_rows_in_time_order_have_no_interval() -> None:
    found = in_time_order(1.0, np.linspace(-1, 1, 49), np.ones(49), 0.95, "log")
    assert (found.low, found.n) == (None, 49)
    assert "50 rows" in found.reason


def test_all_right_in_time_order_counts_as_few_rows() -> None:
    found, expected = in_time_order(1.0, np.zeros(300), np.ones(300), 0.95, "logit"), intervals.wilson(1.0, 19, 0.95)
    assert (found.low, found.high) == (expected.low, 1.0)


def test_groups_of_one_size_are_students_t_of_their_means() -> None:
    means = np.array([0.8, 1.1, 0.9, 1.4, 1.0, 0.7])
    total, count = means.mean(), len(means)
    without = (means.sum() - means) / (count - 1)
    found = over_groups(total, without, np.full(count, 10.0), 0.95, "plain")
    expected = stats.t.interval(0.95, count - 1, total, means.std(ddof=1) / math.sqrt(count))
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.method, found.n) == ("jackknife over groups", 6)


def test_groups_of_unequal_size_count_as_fewer() -> None:
    sizes = np.array([1.0, 1, 1, 1, 4])
    without = np.array([0.70, 0.72, 0.69, 0.71, 0.75])
    error = math.sqrt(4 / 5 * np.sum((without - 0.71) ** 2))
    half = stats.t.ppf(0.975, 64 / 20 - 1) * error / (0.71 * 0.29)
    odds = math.log(0.71 / 0.29)
    found = over_groups(0.71, without, sizes, 0.95, "logit")
    assert found.n == pytest.approx(3.2)
    ends = [1 / (1 + math.exp(-(odds + side * half))) for side in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(ends)


def test_all_right_in_groups_is_wilsons_interval_of_the_effective_groups() -> None:
    sizes = np.array([10.0, 10, 10, 10, 20])
    found, expected = over_groups(1.0, np.ones(5), sizes, 0.95, "logit"), intervals.wilson(1.0, 3600 / 800, 0.95)
    assert (found.low, found.high, found.n) == (expected.low, 1.0, 4.5)


@pytest.mark.parametrize(
    ("without", "why"),
    [
        ([0.7, 0.8, 0.9, 0.8], "5 groups"),
        ([0.7, 0.8, math.nan, 0.8, 0.9], "a single group"),
        ([0.8, 0.8, 0.8, 0.8 + 1e-16, 0.8], "the same"),
    ],
)
def test_where_groups_say_nothing_there_is_no_interval(without: list[float], why: str) -> None:
    found = over_groups(0.8, np.array(without), np.ones(len(without)), 0.95, "log")
    assert found.low is None
    assert why in found.reason
