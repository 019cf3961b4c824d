"""Bins, piecewise linear and periodic numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dlcli.preprocessing.bins import Discretize, PiecewiseLinear
from dlcli.preprocessing.categories import OneHot, Ordinal
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.periodic import Periodic
from tests.preprocessing.columns import results

INF = float("inf")


@pytest.mark.parametrize(("strategy", "expected"), [("quantile", [1, 1, 2, 2, 3, 3]), ("uniform", [1, 1, 1, 1, 1, 2])])
def test_discretize_numbers_its_bins(strategy, expected):
    step = Discretize(bins=3, strategy=strategy)
    assert results({"x": [1, 2, 3, 4, 5, 100]}, step, Ordinal())["x"] == expected


def test_numbers_beyond_the_training_rows_belong_to_the_outer_bins():
    found = results({"x": [1, 2, 3, 4, -99, 99]}, Discretize(bins=2), Ordinal(), train=4)
    assert found["x"] == [1, 1, 2, 2, 1, 2]


def test_a_gap_stays_a_gap_for_the_step_behind():
    found = results({"x": [1, 2, None, INF]}, Discretize(bins=2), OneHot(unknown="zeros"))
    assert found == {"x_1": [1, 0, 0, 0], "x_2": [0, 1, 0, 0], "x_missing": [0, 0, 1, 1]}


def test_empty_bins_are_left_out():
    assert list(results({"x": [0, 0, 0, 0, 0, 9]}, Discretize(bins=4), OneHot(unknown="zeros"))) == ["x_1"]
    assert list(results({"x": [5, 5]}, Discretize(), OneHot(unknown="zeros"))) == ["x_1"]


def test_bins_can_be_imputed():
    found = results(
        {"x": [1, 1, 2, None]},
        Discretize(bins=2, strategy="uniform"),
        Impute(**{"columns": ("x",), "with": "mode"}),
        Ordinal(),
    )
    assert found["x"] == [1, 1, 2, 1]


def test_piecewise_linear_goes_through_bin_after_bin():
    found = results({"x": [0, 10, 20, 5, 15, -10, 40]}, PiecewiseLinear(bins=2), train=3)
    assert found == {"x_1": [0, 1, 1, 0.5, 1, -1, 1], "x_2": [0, 0, 1, 0, 0.5, 0, 3]}


def test_piecewise_linear_of_a_constant_is_0():
    assert results({"x": [7, 7, 9]}, PiecewiseLinear(), train=2) == {"x_1": [0, 0, 2]}


def test_hours_come_round():
    found = results({"hour": [0, 6, 23, 24, -1]}, Periodic(period=24.0, frequencies=2))
    assert list(found) == ["hour_sin_1", "hour_cos_1", "hour_sin_2", "hour_cos_2"]
    assert found["hour_sin_1"] == pytest.approx([0, 1, -0.258819, 0, -0.258819], abs=1e-6)
    assert found["hour_cos_2"] == pytest.approx([1, -1, math.cos(math.pi / 6), 1, math.cos(math.pi / 6)], abs=1e-6)


def test_without_a_period_frequencies_are_in_turns_per_deviation():
    found = results({"x": [-10, 10]}, Periodic(frequencies=1, scale=1.0))
    turns = 0.67448975  # the median of a half-normal distribution
    assert found["x_sin_1"] == pytest.approx(np.sin([-2 * math.pi * turns, 2 * math.pi * turns]), abs=1e-6)


def test_large_numbers_keep_their_phase():
    found = results({"t": [1.6e9, 1.6e9 + 6]}, Periodic(period=24.0, frequencies=1))
    phase = 2 * math.pi * (1.6e9 % 24) / 24
    assert found["t_sin_1"] == pytest.approx([math.sin(phase), math.cos(phase)], abs=1e-6)
