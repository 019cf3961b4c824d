"""Robust scales, logarithms and clipped ranges."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.scales import Clip, Log, Robust
from tests.preprocessing.columns import results

NAN, INF = float("nan"), float("inf")
FILL = Impute(**{"with": "-9", "columns": ("x",)})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 4, 5], [-1, -0.5, 0, 0.5, 1]),
        ([1, 2, 3, 4, 1e9], [-1, -0.5, 0, 0.5, 1e9 / 2]),
        ([7, 7, 7], [0, 0, 0]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 10], [0] * 9 + [10 / 3]),
        ([1e200, -1e200], [1, -1]),
        ([None, 1, 2, 3, INF, None], [-9, -1, 0, 1, -9, -9]),
    ],
)
def test_robust_takes_median_and_quartiles(values, expected):
    assert results({"x": values}, Robust(), FILL)["x"] == pytest.approx(expected)


def test_robust_learns_from_training_rows_only():
    assert results({"x": [1, 2, 3, 100]}, Robust(), train=3)["x"] == [-1, 0, 1, 98]


def test_log_keeps_the_sign():
    found = results({"x": [0, 1.718281828459045, -1.718281828459045, None, 1e300]}, Log(), FILL)["x"]
    assert found == pytest.approx([0, 1, -1, -9, 690.7755], rel=1e-6)


def test_log_stands_beside_the_original_when_asked():
    assert list(results({"Age": [1, 2]}, Log(keep=True))) == ["Age", "Age_log"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Clip(range=(2.0, 4.0)), [2, 2, 3, 4, 4, 4, 2, -9]),
        (Clip(quantiles=(0.25, 0.75)), [2, 2, 3, 4, 4, 4, 2, -9]),
        (Clip(quantiles=(0.0, 1.0)), [1, 2, 3, 4, 5, 5, 1, -9]),
    ],
)
def test_clip_moves_what_lies_outside_to_the_ends(step, expected):
    assert results({"x": [1, 2, 3, 4, 5, INF, -INF, None]}, step, FILL)["x"] == expected


def test_clip_learns_its_quantiles_from_training_rows():
    assert results({"x": [*range(101), 1000]}, Clip(), train=101)["x"][-1] == 99


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"range": (2.0, 1.0)}, "the ends must rise"),
        ({"quantiles": (0.5, 0.5)}, "the ends must rise"),
        ({"quantiles": (0.1, 0.9), "range": (0.0, 1.0)}, "quantiles or a range, not both"),
    ],
)
def test_clip_refuses_ends_that_are_none(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Clip(**fields)
